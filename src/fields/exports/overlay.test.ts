import { describe, expect, test } from "vitest";
import { decodeImage, type Image } from "../../imaging/index.ts";
import { foundHead } from "../fixtures.ts";
import type { FoundHead, Outline } from "../head.ts";
import { colourOf, GREY } from "./colours.ts";
import { overlay, overlaySvg } from "./overlay.ts";

const WIDTH = 300;
const HEIGHT = 200;
const image: Image = { width: WIDTH, height: HEIGHT, data: new Uint8Array(WIDTH * HEIGHT * 3).fill(200) };

const square = (x: number, y: number, side: number): Outline => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];
/** Side 80, so that the line is 2.5 pixels wide: some pixels have its colour unmixed. */
const at = (x: number, y: number, changes: Partial<FoundHead> = {}) =>
  foundHead({ outline: square(x, y, 80), ...changes });

async function drawn(heads: readonly FoundHead[], excluded?: ReadonlySet<number>) {
  const { data } = await decodeImage(await overlay(image, heads, excluded ? { excluded } : {}));
  const rgb = (x: number, y: number) => [...data.subarray((y * WIDTH + x) * 3, (y * WIDTH + x) * 3 + 3)];
  const is = (x: number, y: number, colour: readonly number[]) =>
    rgb(x, y).every((v, c) => Math.abs(v - colour[c]!) < 12);
  return { rgb, is };
}

/** Share of the left side's pixels that have a colour. */
const alongSide = (is: (x: number, y: number) => boolean, x: number, y: number) =>
  Array.from({ length: 70 }, (_, i) => is(x, y + 5 + i)).filter(Boolean).length / 70;

describe("an overlay", () => {
  test("has a counted head's outline in its class's colour, and leaves the picture elsewhere as it was", async () => {
    const { rgb, is } = await drawn([at(30, 60), at(180, 60, { number: 2, probabilities: [0.1, 0.9] })]);
    expect(alongSide((x, y) => is(x, y, colourOf(0).rgb), 30, 60)).toBeGreaterThan(0.95);
    expect(alongSide((x, y) => is(x, y, colourOf(1).rgb), 180, 60)).toBeGreaterThan(0.95);
    for (const [x, y] of [
      [70, 100],
      [150, 20],
      [290, 190],
    ] as const) {
      expect(rgb(x, y)).toEqual([200, 200, 200]);
    }
  });

  test("breaks the line of what is not counted, in grey where it has no class", async () => {
    const { is } = await drawn(
      [
        at(20, 60, { state: "refused", reason: "mask" }),
        at(110, 60, { state: "cut", probabilities: [], number: 2 }),
        at(200, 60, { number: 3 }),
      ],
      new Set([3]),
    );
    const shares = [
      alongSide((x, y) => is(x, y, GREY.rgb), 20, 60),
      alongSide((x, y) => is(x, y, GREY.rgb), 110, 60),
      alongSide((x, y) => is(x, y, colourOf(0).rgb), 200, 60),
    ];
    // Of round dots few pixels have the colour unmixed.
    for (const share of shares) {
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThan(0.85);
    }
  });

  test("numbers every head without a font, inside the picture, each digit unlike the others", async () => {
    const svg = overlaySvg(WIDTH, HEIGHT, [at(0, 0, { number: 1234567890 })]);
    expect(svg).not.toContain("<text");
    const shapes = new Set([...svg.matchAll(/scale\([^)]*\)" stroke-width="[^"]*" d="([^"]*)"/g)].map(([, d]) => d));
    expect(shapes.size).toBe(10);
    // Above the heads at the top and beside the borders there is no room.
    const corners = [at(-30, -30), at(250, 0), at(-30, 150), at(250, 150), at(110, 60)];
    const places = [...overlaySvg(WIDTH, HEIGHT, corners).matchAll(/translate\(([\d.-]+) ([\d.-]+)\)/g)];
    expect(places.length).toBe(2 * corners.length);
    for (const [, x, y] of places) {
      expect(Number(x)).toBeGreaterThan(0);
      expect(Number(x)).toBeLessThan(WIDTH - 10);
      expect(Number(y)).toBeGreaterThan(0);
      expect(Number(y)).toBeLessThan(HEIGHT - 20);
    }
  });

  test("of no head is the picture; JPEG has its size", async () => {
    const plain = await decodeImage(await overlay(image, []));
    expect(plain.data.every((value) => value === 200)).toBe(true);
    const bytes = await overlay(image, [at(30, 60)], { format: "jpeg" });
    expect([...bytes.subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    expect(await decodeImage(bytes)).toMatchObject({ width: WIDTH, height: HEIGHT });
    const none = foundHead({ outline: [] });
    await expect(overlay(image, [none])).resolves.toBeInstanceOf(Uint8Array);
  });
});

test("colours of classes are all different, and repeat only after seven", () => {
  const names = Array.from({ length: 7 }, (_, c) => colourOf(c).rgb.join());
  expect(new Set([...names, GREY.rgb.join()]).size).toBe(8);
  expect(colourOf(7)).toBe(colourOf(0));
});
