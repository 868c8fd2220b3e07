import fc from "fast-check";
import { expect, test } from "vitest";
import { compareReplicates } from "./replicates.ts";

/** Newcombe (1998), Statistics in Medicine 17, table II: method 10, his examples a and b. */
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
])("Newcombe's %d of %d against %d of %d", (a, m, b, n, low, high) => {
  const { interval } = compareReplicates({ count: a, total: m }, { count: b, total: n });
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

/**
 * The table of the WHO laboratory manual, 5th edition, for 200 spermatozoa in each of two counts, as a laboratory course
 * quotes it (labce.com, "Wet Mount Assessment of Sperm Motility"): average, from and to, and largest difference, per cent.
 */
const WHO = [
  [3, 4, 4],
  [5, 7, 5],
  [8, 11, 6],
  [12, 16, 7],
  [17, 23, 8],
  [24, 34, 9],
  [35, 65, 10],
  [66, 76, 9],
  [77, 83, 8],
  [84, 88, 7],
  [89, 92, 6],
  [93, 95, 5],
  [96, 97, 4],
] as const;

test("the limit is the WHO manual's, before its rounding to whole per cent", () => {
  for (const [from, to, limit] of WHO) {
    for (let percent = from; percent <= to; percent++) {
      const both = { count: 2 * percent, total: 200 };
      expect(Math.abs(100 * compareReplicates(both, both).limit - limit)).toBeLessThan(0.75);
    }
  }
});

test("two counts of 200: acceptable up to the limit", () => {
  // 1.96 √(2 · 10 · 90 / 200) = 5.88 per cent at an average of 10.
  const of = (count: number) => ({ count, total: 200 });
  expect(compareReplicates(of(14), of(26))).toMatchObject({ difference: -0.06, mean: 0.1, acceptable: false });
  expect(compareReplicates(of(26), of(14)).limit).toBeCloseTo(0.0588, 4);
  expect(compareReplicates(of(15), of(25))).toMatchObject({ acceptable: true });
  expect(compareReplicates(of(0), of(0))).toMatchObject({ difference: 0, limit: 0, acceptable: true });
});

test("swapping the counts turns the difference and its interval about", () => {
  const counted = fc
    .integer({ min: 1, max: 500 })
    .chain((total) => fc.record({ count: fc.integer({ min: 0, max: total }), total: fc.constant(total) }));
  fc.assert(
    fc.property(counted, counted, (a, b) => {
      const [there, back] = [compareReplicates(a, b), compareReplicates(b, a)];
      expect(back.difference).toBeCloseTo(-there.difference, 12);
      expect(back.interval.low).toBeCloseTo(-there.interval.high, 12);
      expect(back.acceptable).toBe(there.acceptable);
      expect(there.interval.low).toBeLessThanOrEqual(there.difference);
      expect(there.interval.high).toBeGreaterThanOrEqual(there.difference);
      expect(there.interval.low).toBeGreaterThanOrEqual(-1 - 1e-9);
      expect(there.interval.high).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

test.each([
  [3, 2],
  [-1, 2],
  [0, 0],
  [1.5, 3],
])("%d of %d is no count", (count, total) => {
  expect(() => compareReplicates({ count, total }, { count: 1, total: 2 })).toThrow(RangeError);
  expect(() => compareReplicates({ count: 1, total: 2 }, { count, total })).toThrow(RangeError);
});
