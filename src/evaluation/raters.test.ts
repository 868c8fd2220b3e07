/** Agreement of raters, against published examples. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { cohenKappa, fleissKappa, majorityOf, summarizeRaters } from "./raters.ts";

test("Cohen's kappa of a two by two table", () => {
  // 20 both yes, 15 both no, 5 and 10 apart: observed 0.7, by chance 0.5.
  const pairs = [
    ...Array(20).fill([1, 1]),
    ...Array(5).fill([1, 0]),
    ...Array(10).fill([0, 1]),
    ...Array(15).fill([0, 0]),
  ];
  const [a, b] = [0, 1].map((r) => pairs.map((pair) => pair[r] as number));
  expect(cohenKappa(a!, b!, 2)).toBeCloseTo(0.4, 12);
});

test("Fleiss' kappa of fourteen raters and ten subjects", () => {
  // The worked example that is commonly given for it: 0.210.
  const counts = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
  ];
  expect(fleissKappa(counts)).toBeCloseTo(0.21, 3);
});

test("majorities", () => {
  expect(majorityOf([2, 1, 2])).toBe(2);
  expect(majorityOf([0, 1, 2])).toBeUndefined();
  expect(majorityOf([0, 1])).toBeUndefined();
  expect(majorityOf([])).toBeUndefined();
});

test("a summary by hand", () => {
  const votes = [
    [0, 0, 0],
    [0, 0, 1],
    [1, 0, 1],
    [2, 1, 0],
    [1, 1, 1],
  ];
  const summary = summarizeRaters(votes, 3);
  expect(summary.unanimity).toEqual([1, 2, 2]);
  expect(summary.pairs.map(({ agreement }) => agreement.value)).toEqual([0.6, 0.6, 0.4]);
  // The first against the two others: they agree on images 1 and 5, and it is with them both times.
  expect(summary.againstOthers[0]).toMatchObject({ value: 1, count: 2 });
  expect(summary.againstOthers[2]).toMatchObject({ value: 2 / 3, count: 3 });
  expect(summary.againstMajority.map(({ value }) => value)).toEqual([1, 0.75, 0.75]);
  expect(summary.majorityClass).toMatchObject({ value: 0.5, count: 4 });
});

test("raters who always agree have a kappa of one, whoever they are", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 40 }), (labels) => {
      fc.pre(new Set(labels).size > 1);
      const summary = summarizeRaters(
        labels.map((label) => [label, label, label]),
        4,
      );
      expect(summary.fleissKappa).toBeCloseTo(1, 12);
      for (const { kappa } of summary.pairs) expect(kappa).toBeCloseTo(1, 12);
    }),
  );
});
