/** Against the definitions, written down without ranks and closed forms. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fMeasure, matthews, rocArea } from "./discrimination.ts";
import { computeMetrics } from "./metrics.ts";

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const covariance = (x: readonly number[], y: readonly number[]) =>
  mean(x.map((value, i) => (value - mean(x)) * (y[i]! - mean(y))));

describe("Matthews' correlation coefficient", () => {
  test("of two classes: by hand", () => {
    // (6 · 3 − 1 · 2) / √((6 + 1)(6 + 2)(3 + 1)(3 + 2))
    expect(
      matthews([
        [6, 2],
        [1, 3],
      ]),
    ).toBeCloseTo(16 / Math.sqrt(7 * 8 * 4 * 5), 12);
  });

  test("is the correlation of the indicators of label and prediction", () => {
    const pairs = fc.integer({ min: 2, max: 5 }).chain((k) =>
      fc.record({
        k: fc.constant(k),
        rows: fc.array(fc.tuple(fc.nat({ max: k - 1 }), fc.nat({ max: k - 1 })), { minLength: 2, maxLength: 40 }),
      }),
    );
    fc.assert(
      fc.property(pairs, ({ k, rows }) => {
        const confusion = Array.from({ length: k }, (_, a) =>
          Array.from({ length: k }, (_, b) => rows.filter(([x, y]) => x === a && y === b).length),
        );
        // Gorodkin's definition: covariances of the one-hot columns, summed over the classes.
        const column = (side: 0 | 1, c: number) => rows.map((row) => Number(row[side] === c));
        const total = (a: 0 | 1, b: 0 | 1) =>
          Array.from({ length: k }, (_, c) => covariance(column(a, c), column(b, c))).reduce((x, y) => x + y, 0);
        const spread = total(0, 0) * total(1, 1);
        expect(matthews(confusion)).toBeCloseTo(spread < 1e-12 ? 0 : total(0, 1) / Math.sqrt(spread), 9);
      }),
    );
  });
});

describe("area under the curve", () => {
  test("is the share of pairs in the right order, ties counting half", () => {
    const items = fc.array(fc.record({ score: fc.nat({ max: 6 }), positive: fc.boolean() }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(items, (all) => {
        const pairs = all
          .filter(({ positive }) => positive)
          .flatMap((a) => all.filter(({ positive }) => !positive).map((b) => Math.sign(a.score - b.score)));
        const found = rocArea(
          all.map(({ score }) => score),
          all.map(({ positive }) => positive),
        );
        if (pairs.length === 0) expect(found).toBeUndefined();
        else expect(found).toBeCloseTo((1 + mean(pairs)) / 2, 12);
      }),
    );
  });
});

test("the F-measure is the weighted harmonic mean", () => {
  expect(fMeasure(0.8, 0.5, 0.5)).toBeCloseTo(1 / (0.8 / 0.8 + 0.2 / 0.5), 12);
  expect(fMeasure(0.8, 0.5, 1)).toBeCloseTo(2 / (1 / 0.8 + 1 / 0.5), 12);
  // Precision and recall exchanged turn F0.5 into F2.
  expect(fMeasure(0.5, 0.8, 0.5)).toBeCloseTo(fMeasure(0.8, 0.5, 2), 12);
  expect(fMeasure(0, 0, 0.5)).toBe(0);
});

test("metrics of two classes hold the area; of three they do not; either class may be the positive one", () => {
  const rows = [0.9, 0.6, 0.6, 0.2].map((p, i) => ({
    id: `${i}`,
    label: i % 2,
    fold: "1",
    probabilities: [p, 1 - p],
  }));
  // Of the four pairs of a first and a second class one is a tie: 0.9 > 0.6, 0.9 > 0.2, 0.6 = 0.6, 0.6 > 0.2.
  const found = computeMetrics(rows, ["a", "b"]);
  expect(found.rocArea).toBeCloseTo(3.5 / 4, 12);
  // Predicted a, a, a, b for a, b, a, b: precision of a 2/3, recall 1; of b 1 and 1/2.
  expect(found.perClass.map(({ fHalf }) => fHalf)).toEqual([
    expect.closeTo((1.25 * (2 / 3)) / (0.25 * (2 / 3) + 1), 12),
    expect.closeTo((1.25 * 0.5) / (0.25 + 0.5), 12),
  ]);
  expect(found.matthews).toBeCloseTo((2 * 1 - 1 * 0) / Math.sqrt(3 * 2 * 2 * 1), 12);
  const three = computeMetrics(
    rows.map((row) => ({ ...row, probabilities: [...row.probabilities, 0] })),
    ["a", "b", "c"],
  );
  expect(three.rocArea).toBeUndefined();
  expect(three.matthews).toBeCloseTo(found.matthews, 12);
});
