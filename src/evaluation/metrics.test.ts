import fc from "fast-check";
import { describe, expect, test } from "vitest";
// scikit-learn's and scipy's figures: scripts/metrics-reference.py
import reference from "./fixtures/metrics.json" with { type: "json" };
import { argmax, computeMetrics, mcnemar, type PredictionRow, wilson } from "./metrics.ts";

const rowsOf = (labels: readonly number[], probabilities: readonly (readonly number[])[]): PredictionRow[] =>
  labels.map((label, i) => ({
    id: String(i).padStart(6, "0"),
    label,
    fold: "1",
    probabilities: probabilities[i]!,
  }));
const names = (n: number) => Array.from({ length: n }, (_, c) => `class ${c}`);

describe("figures of merit", () => {
  test.each(reference.cases)("equal scikit-learn's: $name", ({ labels, probabilities, ...expected }) => {
    const classes = probabilities[0]!.length;
    const found = computeMetrics(rowsOf(labels, probabilities), names(classes));
    for (const figure of [
      "accuracy",
      "balancedAccuracy",
      "macroPrecision",
      "macroRecall",
      "macroF1",
      "kappa",
      "logLoss",
      "brier",
      "calibrationError",
    ] as const) {
      expect(found[figure], figure).toBeCloseTo(expected[figure], 10);
    }
    expect(found.confusion).toEqual(expected.confusion);
    for (const [c, { name, support, precision, recall, f1 }] of found.perClass.entries()) {
      expect(name).toBe(`class ${c}`);
      expect(support).toBe(labels.filter((label) => label === c).length);
      expect(precision).toBeCloseTo(expected.precision[c]!, 10);
      expect(recall).toBeCloseTo(expected.recall[c]!, 10);
      expect(f1).toBeCloseTo(expected.f1[c]!, 10);
    }
    expect(found.coverage.map(({ share }) => share)).toEqual(labels.map((_, i) => (i + 1) / labels.length));
    for (const [i, { accuracy }] of found.coverage.entries()) expect(accuracy).toBeCloseTo(expected.coverage[i]!, 10);
  });

  const predictions = fc.integer({ min: 2, max: 6 }).chain((classes) =>
    fc
      .array(
        fc.record({
          label: fc.nat({ max: classes - 1 }),
          weights: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: classes, maxLength: classes }),
        }),
        { minLength: 1, maxLength: 40 },
      )
      .map((rows) => ({
        classes,
        labels: rows.map(({ label }) => label),
        probabilities: rows.map(({ weights }) => weights.map((w) => w / weights.reduce((a, b) => a + b))),
      })),
  );

  test("do not depend on the order of the rows, nor on the names and order of the classes", () => {
    fc.assert(
      fc.property(predictions, ({ classes, labels, probabilities }) => {
        const rows = rowsOf(labels, probabilities);
        const found = computeMetrics(rows, names(classes));
        const turned = rows
          .map((row) => ({
            ...row,
            label: (row.label + 1) % classes,
            probabilities: row.probabilities.map((_, c) => row.probabilities[(c + classes - 1) % classes]!),
          }))
          .reverse();
        const other = computeMetrics(turned, names(classes).reverse());
        // A tie goes to the first class, which is another one now.
        if (probabilities.some((row) => row.filter((p) => p === Math.max(...row)).length > 1)) return;
        for (const figure of ["accuracy", "balancedAccuracy", "macroF1", "kappa", "logLoss", "brier"] as const) {
          expect(other[figure], figure).toBeCloseTo(found[figure], 9);
        }
        expect(other.calibrationError).toBeCloseTo(found.calibrationError, 9);
      }),
    );
  });

  test("hang together: totals, means, intervals, the curve's end", () => {
    fc.assert(
      fc.property(predictions, ({ classes, labels, probabilities }) => {
        const found = computeMetrics(rowsOf(labels, probabilities), names(classes));
        const right = labels.filter((label, i) => argmax(probabilities[i]!) === label).length;
        expect([found.count, found.correct]).toEqual([labels.length, right]);
        expect(found.accuracy).toBeCloseTo(right / labels.length, 12);
        expect(found.accuracyInterval).toEqual(wilson(right, labels.length));
        expect(found.confusion.flat().reduce((a, b) => a + b)).toBe(labels.length);
        expect(found.calibration.reduce((sum, { count }) => sum + count, 0)).toBe(labels.length);
        expect(found.coverage.at(-1)).toEqual({ share: 1, accuracy: found.accuracy });
        const present = found.perClass.filter(({ support }) => support > 0);
        const weighted = present.reduce((sum, { recall, support }) => sum + recall * support, 0);
        expect(weighted / labels.length).toBeCloseTo(found.accuracy, 12);
      }),
    );
  });

  test("certain and wrong costs a finite log-loss; no rows give no NaN", () => {
    const [row] = rowsOf([0], [[0, 1]]);
    expect(computeMetrics([row!], names(2)).logLoss).toBeCloseTo(-Math.log(1e-15), 9);
    const none = computeMetrics([], names(3));
    expect(JSON.stringify(none)).not.toContain("null");
    expect(none).toMatchObject({ count: 0, accuracy: 0, accuracyInterval: { low: 0, high: 1 } });
  });

  test("probabilities that are none are refused with the image's name", () => {
    for (const probabilities of [[0.5, Number.NaN], [1], [0.2, 0.3, 0.5], [Number.POSITIVE_INFINITY, 0]]) {
      expect(() => computeMetrics(rowsOf([0], [probabilities]), names(2))).toThrow(/^000000: /);
    }
  });

  test("a calibrated classifier has bins on the diagonal", () => {
    // In every bin as many are right as the confidence says: 10 images of 0.7, 7 right; 10 of 0.9, 9 right.
    const rows = [0.7, 0.9].flatMap((confidence) =>
      Array.from({ length: 10 }, (_, i) => ({ label: i < confidence * 10 ? 0 : 1, p: [confidence, 1 - confidence] })),
    );
    const found = computeMetrics(
      rowsOf(
        rows.map(({ label }) => label),
        rows.map(({ p }) => p),
      ),
      names(2),
    );
    expect(found.calibrationError).toBeCloseTo(0, 12);
    expect(found.calibration[6]).toMatchObject({ count: 10, accuracy: 0.7 });
    expect(found.calibration[8]).toMatchObject({ count: 10, accuracy: 0.9 });
  });
});

describe("Wilson's interval", () => {
  test.each(reference.wilson)("equals scipy's for $k of $n", ({ k, n, low, high }) => {
    const found = wilson(k, n);
    expect(found.low).toBeCloseTo(low, 10);
    expect(found.high).toBeCloseTo(high, 10);
  });

  test("holds the share, mirrors, and is within 0 and 1", () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.nat({ max: 5000 }), (a, b) => {
        const [k, n] = [a, a + b];
        const { low, high } = wilson(k, n);
        expect(low >= 0 && high <= 1 && low < high).toBe(true);
        if (n > 0) expect(low <= k / n + 1e-12 && high >= k / n - 1e-12).toBe(true);
        expect(wilson(n - k, n).low).toBeCloseTo(1 - high, 10);
      }),
    );
  });
});

describe("McNemar's exact test", () => {
  test.each(reference.mcnemar)("equals scipy's binomial test for $first against $second", ({ first, second, p }) => {
    const found = mcnemar(first, second);
    expect(Math.abs(found / p - 1)).toBeLessThan(1e-8);
    expect(mcnemar(second, first)).toBe(found);
  });

  test("nothing to tell apart", () => {
    expect(mcnemar(0, 0)).toBe(1);
  });
});

test("argmax takes the first of equals", () => {
  expect([argmax([1, 3, 3]), argmax([0]), argmax([-2, -1])]).toEqual([1, 0, 1]);
});
