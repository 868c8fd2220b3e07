import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Phantom, phantomOf } from "../datasets/phantom/index.ts";
import type { Image, Mask } from "../imaging/index.ts";
import { Random } from "../runs/index.ts";
import { ellipse, flat, shape, stained, turned } from "./fixtures.ts";
import { ACCEPTED_RELIABILITY, type HeadMask, hullArea, intersectionOverUnion, pseudoMask } from "./pseudomask.ts";

const dice = (a: Mask, b: Mask) => {
  const iou = intersectionOverUnion(a, b);
  return (2 * iou) / (1 + iou);
};
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const area = (mask: Mask) => mask.data.reduce((a, b) => a + b, 0);

/** What holds for any picture at all. */
function expectSound({ mask, reliability, accepted, gates }: HeadMask, { width, height }: Image): void {
  expect([mask.width, mask.height, mask.data.length]).toEqual([width, height, width * height]);
  expect(mask.data.every((v) => v === 0 || v === 1)).toBe(true);
  for (const value of [reliability, ...Object.values(gates)]) expect(value >= 0 && value <= 1).toBe(true);
  expect(accepted).toBe(reliability >= ACCEPTED_RELIABILITY);
}

describe("on phantoms", () => {
  const phantoms: Phantom[] = Array.from({ length: 20 }, (_, i) => phantomOf({ count: 20, seed: 2022 }, i));
  const found = phantoms.map((phantom) => pseudoMask(phantom.image));

  test("the mask is the head's", () => {
    for (const [i, head] of found.entries()) expectSound(head, phantoms[i]!.image);
    const overlaps = found.map(({ mask }, i) => dice(mask, phantoms[i]!.mask));
    expect(median(overlaps)).toBeGreaterThan(0.93);
    expect(Math.min(...overlaps)).toBeGreaterThan(0.8);
  });

  test("it is one region near the middle, without the tail, and accepted", () => {
    expect(found.filter(({ accepted }) => accepted).length).toBeGreaterThanOrEqual(19);
    for (const [i, { mask }] of found.entries()) {
      const { parts } = phantoms[i]!;
      const tail = mask.data.reduce((n, v, at) => n + (v && parts.data[at] === 5 ? 1 : 0), 0);
      expect(tail).toBeLessThan(0.02 * area(mask));
    }
  });

  test("the picture itself is left alone, and the same picture gives the same mask", () => {
    const { image } = phantoms[0]!;
    const before = image.data.slice();
    const again = pseudoMask(image);
    expect(image.data).toEqual(before);
    expect(again.mask).toEqual(found[0]!.mask);
    expect(again.reliability).toBe(found[0]!.reliability);
  });

  test("turning the picture turns the mask", () => {
    for (const i of [0, 7, 13]) {
      let [image, mask] = [phantoms[i]!.image, found[i]!.mask];
      for (let quarter = 1; quarter <= 3; quarter++) {
        [image, mask] = [turned(image), turned(mask)];
        const head = pseudoMask(image);
        expect(intersectionOverUnion(head.mask, mask)).toBeGreaterThan(0.97);
        expect(Math.abs(head.reliability - found[i]!.reliability)).toBeLessThan(0.05);
      }
    }
  });

  test("an oblong crop turns as well", () => {
    const { image, mask } = phantoms[3]!;
    const rows = (data: Uint8Array, from: number, to: number) => data.slice(from, to);
    const oblong: Image = { width: 131, height: 101, data: rows(image.data, 15 * 131 * 3, 116 * 131 * 3) };
    const truth: Mask = { width: 131, height: 101, data: rows(mask.data, 15 * 131, 116 * 131) };
    const upright = pseudoMask(oblong);
    expect(dice(upright.mask, truth)).toBeGreaterThan(0.85);
    expect(intersectionOverUnion(pseudoMask(turned(oblong)).mask, turned(upright.mask))).toBeGreaterThan(0.97);
  });

  test("brighter or darker by a tenth: the same head", () => {
    const { image, mask } = phantoms[5]!;
    for (const factor of [0.9, 1.02]) {
      const scaled = { ...image, data: image.data.map((v) => Math.min(255, Math.round(v * factor))) };
      expect(dice(pseudoMask(scaled).mask, mask)).toBeGreaterThan(0.85);
    }
  });
});

describe("on drawn heads", () => {
  const size = 131;
  const random = () => Random.seeded(31);
  const ground = [235, 170, 205];
  const drop = [80, 120, 70];
  const middle = { x: 65, y: 66, a: 19, b: 12, angle: 0.6 };

  test("of two apart, the one in the middle", () => {
    const head = ellipse(size, size, middle);
    const other = ellipse(size, size, { x: 22, y: 20, a: 19, b: 13, angle: 2 });
    const image = stained(stained(flat(size, size, ground, 3, random()), head, drop), other, drop);
    expect(dice(pseudoMask(image).mask, head)).toBeGreaterThan(0.9);
  });

  test("of two that touch, the one in the middle alone", () => {
    const head = ellipse(size, size, { ...middle, angle: 0 });
    const other = ellipse(size, size, { x: 65, y: 90, a: 17, b: 12.5, angle: 0 });
    const image = stained(flat(size, size, ground, 3, random()), head, drop);
    const both = { ...head, data: head.data.map((v, i) => v | other.data[i]!) };
    expect(area(both)).toBeLessThan(area(head) + area(other) + 1);
    const found = pseudoMask(
      stained(image, { ...other, data: other.data.map((v, i) => v & ~head.data[i]! & 1) }, drop),
    );
    expect(dice(found.mask, head)).toBeGreaterThan(0.85);
  });

  test("a tail is cut off", () => {
    const head = ellipse(size, size, { ...middle, angle: 0 });
    const tail = shape(size, size, { x: 65, y: 66, angle: 0 }, (u, v) => u > 17 && Math.abs(v) < 1.6);
    const image = stained(
      flat(size, size, ground, 3, random()),
      { ...head, data: head.data.map((v, i) => v | tail.data[i]!) },
      drop,
    );
    expect(dice(pseudoMask(image).mask, head)).toBeGreaterThan(0.92);
  });

  test("a head as faint as the noise is trusted less than a dark one", () => {
    const head = ellipse(size, size, middle);
    const [faint, dark] = [[7, 9, 7], drop].map((d) =>
      pseudoMask(stained(flat(size, size, ground, 8, random()), head, d)),
    );
    expect(dark!.gates.contrast).toBe(1);
    expect(faint!.gates.contrast).toBeLessThan(1);
    expect(faint!.reliability).toBeLessThan(0.8 * dark!.reliability);
  });

  test("a head that the crop cuts in half is trusted less than a whole one", () => {
    const whole = stained(
      flat(size, size, ground, 3, random()),
      ellipse(size, size, { ...middle, a: 30, b: 20 }),
      drop,
    );
    const half: Image = { width: 131, height: 66, data: whole.data.slice(0, 131 * 66 * 3) };
    expect(pseudoMask(half).reliability).toBeLessThan(pseudoMask(whole).reliability);
  });
});

describe("without a head nothing is accepted", () => {
  const noisy = (width: number, height: number, noise: number) =>
    flat(width, height, [200, 190, 195], noise, Random.seeded(7).stream(width, height, noise));
  const cases: [string, Image][] = [
    ["all black", flat(131, 131, [0, 0, 0])],
    ["all white", flat(131, 131, [255, 255, 255])],
    ["all pink", flat(131, 131, [240, 170, 205])],
    ["weak noise", noisy(131, 131, 2)],
    ["strong noise", noisy(131, 131, 25)],
    [
      "a slope of light",
      { width: 100, height: 100, data: Uint8Array.from({ length: 30_000 }, (_, i) => 100 + (Math.floor(i / 3) % 100)) },
    ],
    [
      "a speck",
      stained(flat(131, 131, [240, 170, 205]), ellipse(131, 131, { x: 65, y: 65, a: 2, b: 2, angle: 0 }), [80, 90, 80]),
    ],
    [
      "a dark half",
      stained(
        flat(131, 131, [240, 170, 205]),
        shape(131, 131, { x: 65, y: 65, angle: 0.2 }, (u) => u > 0),
        [80, 90, 80],
      ),
    ],
    ["1 × 1", flat(1, 1, [120, 10, 10])],
    ["7 × 7", noisy(7, 7, 20)],
    ["1 × 200", noisy(1, 200, 20)],
    ["200 × 3", noisy(200, 3, 20)],
  ];
  test.each(cases)("%s", (_, image) => {
    const head = pseudoMask(image);
    expectSound(head, image);
    expect(head.accepted).toBe(false);
    expect(head.reliability).toBeLessThan(ACCEPTED_RELIABILITY);
  });
});

test.each([1.2, 2, 3])("a hair across the crop, half width %f, is not accepted", (half) => {
  const hair = shape(131, 131, { x: 65, y: 65, angle: 0.4 }, (_, v) => Math.abs(v) < half);
  const head = pseudoMask(stained(flat(131, 131, [240, 170, 205]), hair, [80, 90, 80]));
  expect(head.accepted).toBe(false);
});

test("no picture makes it fail", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 60 }),
      (width, height, palette) => {
        const data = Uint8Array.from(
          { length: width * height * 3 },
          (_, i) => palette[(i * 7 + (i >> 3)) % palette.length]!,
        );
        const image = { width, height, data };
        expectSound(pseudoMask(image), image);
      },
    ),
    { numRuns: 100 },
  );
});

test("overlap of masks, and the area of the hull", () => {
  const mask = (text: string): Mask => ({
    width: 4,
    height: 3,
    data: Uint8Array.from(text, (c) => (c === "#" ? 1 : 0)),
  });
  const [a, b, none] = [mask("##..##......"), mask(".##..##....."), mask("............")];
  expect(intersectionOverUnion(a, b)).toBeCloseTo(2 / 6, 12);
  expect(intersectionOverUnion(a, a)).toBe(1);
  expect(intersectionOverUnion(a, none)).toBe(0);
  expect(intersectionOverUnion(none, none)).toBe(0);
  expect(hullArea(a)).toBe(4);
  // An L of three pixels: the square without half of the missing one.
  expect(hullArea(mask("#...##......"))).toBe(3.5);
  expect(hullArea(none)).toBe(0);
});
