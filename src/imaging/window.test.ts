import fc from "fast-check";
import { expect, test } from "vitest";
import { largestRegion } from "./regions.ts";
import { cut, paste, windowAround } from "./window.ts";

const anyMask = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([width, height]) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 1), { minLength: width * height, maxLength: width * height })
      .map((values) => ({ width, height, data: Uint8Array.from(values) })),
  );

test("a window holds the mask and its margin, no more, and stays in the picture", () => {
  fc.assert(
    fc.property(anyMask, fc.nat({ max: 4 }), (mask, margin) => {
      const { width, height, data } = mask;
      const xs = [...data.keys()].filter((i) => data[i]).map((i) => i % width);
      const ys = [...data.keys()].filter((i) => data[i]).map((i) => Math.floor(i / width));
      const found = windowAround(mask, margin);
      if (xs.length === 0) {
        expect(found).toBeUndefined();
        return;
      }
      const [left, right] = [Math.max(0, Math.min(...xs) - margin), Math.min(width - 1, Math.max(...xs) + margin)];
      const [top, bottom] = [Math.max(0, Math.min(...ys) - margin), Math.min(height - 1, Math.max(...ys) + margin)];
      expect(found).toEqual({ left, top, width: right - left + 1, height: bottom - top + 1 });
      expect(paste(cut(mask, found!), found!, mask)).toEqual(mask);
    }),
  );
});

test("a cut has the pixels of its place, of masks and of planes", () => {
  const window = { left: 1, top: 2, width: 3, height: 2 };
  const values = Array.from({ length: 30 }, (_, i) => i);
  const expected = [11, 12, 13, 16, 17, 18];
  const plane = cut({ width: 5, height: 6, data: Float32Array.from(values, (v) => v + 0.5) }, window);
  expect(plane).toEqual({ width: 3, height: 2, data: Float32Array.from(expected, (v) => v + 0.5) });
  expect([...cut({ width: 5, height: 6, data: Uint8Array.from(values) }, window).data]).toEqual(expected);
});

test("the largest region alone remains", () => {
  const mask = { width: 5, height: 2, data: Uint8Array.of(1, 0, 1, 1, 0, 1, 0, 0, 1, 0) };
  expect([...largestRegion(mask)!.data]).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 1, 0]);
  expect(largestRegion({ ...mask, data: new Uint8Array(10) })).toBeUndefined();
});
