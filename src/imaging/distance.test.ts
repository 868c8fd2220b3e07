import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dilate, distanceInside, erode, open, signedDistance } from "./distance.ts";
// scipy's numbers: scripts/imaging-reference.py
import reference from "./fixtures/reference.json" with { type: "json" };
import type { Mask } from "./image.ts";

const drawn = ({ width, height, data }: { width: number; height: number; data: string }): Mask => ({
  width,
  height,
  data: Uint8Array.from(data, (c) => (c === "#" ? 1 : 0)),
});

/** Any mask of up to 14 × 14, from empty to full. */
const anyMask = fc
  .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }), fc.integer({ min: 0, max: 20 }))
  .chain(([width, height, weight]) =>
    fc
      .array(fc.integer({ min: 0, max: 20 }), { minLength: width * height, maxLength: width * height })
      .map((values): Mask => ({ width, height, data: Uint8Array.from(values, (v) => (v < weight ? 1 : 0)) })),
  );

/** Distance to the nearest pixel of a value by looking at all of them; infinite where there is none. */
function nearest({ width, data }: Mask, at: number, value: 0 | 1): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    if (data[i] !== value) continue;
    best = Math.min(best, Math.hypot((i % width) - (at % width), Math.floor(i / width) - Math.floor(at / width)));
  }
  return best;
}

describe("against brute force", () => {
  test("distances are exact, and large where there is no other side", () => {
    fc.assert(
      fc.property(anyMask, (mask) => {
        const inside = distanceInside(mask).data;
        const signed = signedDistance(mask).data;
        for (let i = 0; i < mask.data.length; i++) {
          const out = nearest(mask, i, 0);
          if (out < Number.POSITIVE_INFINITY) expect(inside[i]).toBeCloseTo(out, 5);
          else expect(inside[i]).toBeGreaterThan(1000);
          const expected = mask.data[i] ? out - 0.5 : 0.5 - nearest(mask, i, 1);
          if (Number.isFinite(expected)) expect(signed[i]).toBeCloseTo(expected, 5);
          else expect(Math.sign(signed[i]!) * Math.min(1000, Math.abs(signed[i]!))).toBe(mask.data[i] ? 1000 : -1000);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("erosion, dilation and opening with a disk", () => {
    fc.assert(
      fc.property(anyMask, fc.constantFrom(0.5, 1, 1.42, 2, 2.5, 3, 5), (mask, radius) => {
        const within = (of: Mask, at: number, value: 0 | 1) => nearest(of, at, value) <= radius;
        const eroded: Mask = { ...mask, data: mask.data.map((v, i) => (v && !within(mask, i, 0) ? 1 : 0)) };
        const dilated = mask.data.map((_, i) => (within(mask, i, 1) ? 1 : 0));
        const opened = mask.data.map((_, i) => (within(eroded, i, 1) ? 1 : 0));
        expect(erode(mask, radius).data).toEqual(eroded.data);
        expect(dilate(mask, radius).data).toEqual(dilated);
        expect(open(mask, radius).data).toEqual(opened);
      }),
      { numRuns: 60 },
    );
  });
});

describe("against scipy", () => {
  test.each(reference.masks)("case %#", ({ mask, squaredDistance, squaredDistanceOutside, morphology }) => {
    const head = drawn(mask);
    const inside = distanceInside(head).data;
    const signed = signedDistance(head).data;
    for (let i = 0; i < inside.length; i++) {
      expect(inside[i]).toBeCloseTo(Math.sqrt(squaredDistance[i]!), 5);
      const expected = head.data[i]
        ? Math.sqrt(squaredDistance[i]!) - 0.5
        : 0.5 - Math.sqrt(squaredDistanceOutside[i]!);
      expect(signed[i]).toBeCloseTo(expected, 5);
    }
    for (const { radius, eroded, dilated, opened } of morphology) {
      expect(erode(head, radius)).toEqual(drawn(eroded));
      expect(dilate(head, radius)).toEqual(drawn(dilated));
      expect(open(head, radius)).toEqual(drawn(opened));
    }
  });
});

test("a disk eroded is a smaller disk; opening cuts a thin tail and keeps the disk", () => {
  const size = 61;
  const disk = (radius: number): Mask => ({
    width: size,
    height: size,
    data: Uint8Array.from({ length: size * size }, (_, i) =>
      Math.hypot((i % size) - 30, Math.floor(i / size) - 30) <= radius ? 1 : 0,
    ),
  });
  const area = (mask: Mask) => mask.data.reduce((a, b) => a + b, 0);
  for (const r of [3, 6, 9])
    expect(Math.abs(area(erode(disk(20), r)) / (Math.PI * (20 - r) ** 2) - 1)).toBeLessThan(0.06);
  const tailed = disk(15);
  for (let x = 30; x < 60; x++) for (const y of [29, 30, 31]) tailed.data[y * size + x] = 1;
  const opened = open(tailed, 4);
  expect(opened.data[30 * size + 58]).toBe(0);
  const lost = disk(15).data.filter((v, i) => v && !opened.data[i]).length;
  expect(lost).toBeLessThan(0.02 * area(disk(15)));
});

test("opening by nothing changes nothing", () => {
  const mask: Mask = { width: 2, height: 2, data: Uint8Array.of(1, 0, 0, 1) };
  expect(open(mask, 0).data).toEqual(mask.data);
});
