import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gaussian, otsu, quantile, threshold } from "./filters.ts";
// scipy's and scikit-image's numbers: scripts/imaging-reference.py
import reference from "./fixtures/reference.json" with { type: "json" };
import type { Plane } from "./image.ts";

const plane = (width: number, height: number, data: readonly number[]): Plane => ({
  width,
  height,
  data: Float32Array.from(data),
});

describe("Gaussian smoothing", () => {
  test.each(reference.gaussians)(
    "equals scipy's at σ $sigma, $input.width × $input.height",
    ({ sigma, input, output }) => {
      const { width, height, data } = gaussian(plane(input.width, input.height, input.data), sigma);
      expect([width, height, data.length]).toEqual([input.width, input.height, output.length]);
      const worst = Math.max(...output.map((value, i) => Math.abs(value - data[i]!)));
      // float32 sums of values around 100
      expect(worst).toBeLessThan(2e-4);
    },
  );

  test("keeps the sum, and a constant", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0.2, max: 5, noNaN: true }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (width, height, sigma, values) => {
          const data = Array.from({ length: width * height }, () => values.next().value as number);
          const total = (p: Plane) => p.data.reduce((a, b) => a + b, 0);
          expect(total(gaussian(plane(width, height, data), sigma))).toBeCloseTo(
            data.reduce((a, b) => a + b, 0),
            1,
          );
          for (const v of gaussian(plane(width, height, data.fill(77)), sigma).data) expect(v).toBeCloseTo(77, 3);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("does not touch its input; no smoothing returns it as it is", () => {
    const input = plane(3, 2, [1, 2, 3, 4, 5, 6]);
    gaussian(input, 1);
    expect([...input.data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...gaussian(input, 0).data]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("Otsu's threshold", () => {
  test.each(reference.thresholds)("equals scikit-image's, case %#", ({ values, otsu: expected, bin }) => {
    expect(Math.abs(otsu(Float32Array.from(values)) - expected)).toBeLessThan(1e-3 * bin + 1e-5);
  });

  test("separates two values wherever they lie", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        (low, gap, below, above) => {
          const values = Float32Array.from([...Array(below).fill(low), ...Array(above).fill(low + gap)]);
          const level = otsu(values);
          expect(level).toBeGreaterThanOrEqual(low);
          expect(level).toBeLessThan(low + gap);
          const mask = threshold({ width: values.length, height: 1, data: values }, level);
          expect(mask.data.reduce((a, b) => a + b, 0)).toBe(above);
        },
      ),
    );
  });

  test("of a constant is that constant, above which nothing lies", () => {
    const flat = new Float32Array(9).fill(4);
    expect(otsu(flat)).toBe(4);
    expect(threshold({ width: 3, height: 3, data: flat }, otsu(flat)).data.includes(1)).toBe(false);
  });
});

test.each(reference.thresholds)("quantiles equal numpy's nearest, case %#", ({ values, quantiles }) => {
  for (const [share, expected] of quantiles)
    expect(quantile(Float32Array.from(values), share!)).toBeCloseTo(expected!, 5);
});

test("a quantile leaves its input in order", () => {
  const values = [3, 1, 2];
  expect(quantile(values, 0.5)).toBe(2);
  expect(values).toEqual([3, 1, 2]);
});
