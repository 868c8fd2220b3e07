/** Pictures of which the answer is known: shapes drawn turned, sums that stay, a point that a Gaussian spreads. */
import { describe, expect, test } from "vitest";
import type { Image } from "./image.ts";
import { blurred, resized, turned } from "./transform.ts";

const GREY = [200, 200, 200] as const;

function drawn(width: number, height: number, value: (x: number, y: number) => number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      data.fill(value(x + 0.5 - width / 2, y + 0.5 - height / 2), (y * width + x) * 3, (y * width + x) * 3 + 3);
  }
  return { width, height, data };
}
const meanDifference = (a: Image, b: Image) =>
  a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;

/** Of what is darker than the ground. */
function centreOf({ width, data }: Image): [number, number] {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 3) {
    const dark = 200 - data[i]!;
    mass += dark;
    x += dark * ((i / 3) % width);
    y += dark * Math.floor(i / 3 / width);
  }
  return [x / mass, y / mass];
}

/** A soft ellipse off the centre, its long axis at an angle, clockwise from the right. */
const ellipse = (degrees: number) => (x: number, y: number) => {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [u, v] = [x * c + y * s - 6, -x * s + y * c];
  return 200 - 120 / (1 + Math.exp((Math.hypot(u / 16, v / 8) - 1) * 12));
};

describe("turned", () => {
  test.each([30, 45, 90, 133, 270, 359])("by %d degrees: as if drawn so", async (degrees) => {
    for (const [width, height] of [
      [81, 81],
      [80, 96],
    ] as const) {
      const out = await turned(drawn(width, height, ellipse(10)), degrees, GREY);
      expect([out.width, out.height]).toEqual([width, height]);
      const expected = drawn(width, height, ellipse(10 + degrees));
      // Resampling blurs the outline, and places the whole to within a pixel only.
      expect(meanDifference(out, expected)).toBeLessThan(1);
      const [a, b] = [centreOf(out), centreOf(expected)];
      expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeLessThan(1);
    }
  });

  test("what comes in from outside has the background's colour", async () => {
    const out = await turned(
      drawn(40, 60, () => 10),
      45,
      [250, 240, 230],
    );
    expect([...out.data.subarray(0, 3)]).toEqual([250, 240, 230]);
  });
});

test("resized: flat parts keep their value, the size is exact", async () => {
  const out = await resized(
    drawn(131, 90, (x) => (x < 0 ? 40 : 200)),
    35,
    31,
  );
  expect([out.width, out.height]).toEqual([35, 31]);
  expect(out.data[3 * 5]).toBe(40);
  expect(out.data[3 * 30]).toBe(200);
});

test("blurred: a point becomes the Gaussian", async () => {
  const side = 41;
  const point = drawn(side, side, () => 0);
  // A block of nine pixels, since one would hardly be left.
  for (let y = 19; y <= 21; y++)
    for (let x = 19; x <= 21; x++) point.data.fill(255, (y * side + x) * 3, (y * side + x) * 3 + 3);
  const out = await blurred(point, 2);
  const gauss = (d: number) => Math.exp((-d * d) / 8) / Math.sqrt(8 * Math.PI);
  const block = (d: number) => gauss(d - 1) + gauss(d) + gauss(d + 1);
  for (const [x, y] of [
    [20, 20],
    [22, 20],
    [20, 23],
    [23, 23],
  ] as const) {
    expect(Math.abs(out.data[(y * side + x) * 3]! - 255 * block(x - 20) * block(y - 20))).toBeLessThan(3);
  }
});
