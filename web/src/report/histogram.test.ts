import fc from "fast-check";
import { expect, test } from "vitest";
import { histogram, quantile } from "./histogram.ts";

test("quartiles of 1 to 5, and of 1 to 4 as R's quantile (type 7) gives them", () => {
  expect([0.25, 0.5, 0.75].map((p) => quantile([1, 2, 3, 4, 5], p))).toEqual([2, 3, 4]);
  expect([0.25, 0.5, 0.75].map((p) => quantile([1, 2, 3, 4], p))).toEqual([1.75, 2.5, 3.25]);
});

test("nothing to show, one value, equal values", () => {
  expect(histogram([])).toBeUndefined();
  expect(histogram([Number.NaN])).toBeUndefined();
  expect(histogram([3])).toMatchObject({ n: 1, counts: [1], quartiles: [3, 3, 3] });
  expect(histogram([0, 0, 0])).toMatchObject({ n: 3, counts: [3] });
});

test("counts have bins of whole numbers", () => {
  expect(histogram([0, 0, 1, 2, 0, 1, 3, 0], 1)).toMatchObject({ edges: [0, 1, 2, 3, 4], counts: [4, 2, 1, 1] });
  expect(histogram([2, 2], 1)).toMatchObject({ edges: [2, 3], counts: [2] });
});

test("every value is in one bin, and each bin holds what lies between its edges", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -300, max: 3000 }), { minLength: 1, maxLength: 300 }), (values) => {
      const { edges, counts, n } = histogram(values)!;
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(n);
      expect(n).toBe(values.length);
      for (const [i, count] of counts.entries()) {
        // Half of the smallest possible step, so that rounded edges decide nothing.
        const [low, high] = [edges[i]! - 1e-9, edges[i + 1]! - 1e-9];
        expect(values.filter((value) => value >= low && value < high)).toHaveLength(count);
      }
    }),
  );
});
