import { expect, test } from "vitest";
import { isWanted, oursFirst, pairedRatios, rates, spread } from "./statistics.ts";

const turns = (...seconds: number[]) => seconds.map((s) => ({ seconds: s, cpu: 2 * s }));

test("the median lies in the middle, between the middle two of an even number", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 });
  expect(spread([4, 1, 10, 2])).toEqual({ median: 3, low: 1, high: 10 });
  expect(spread([7])).toEqual({ median: 7, low: 7, high: 7 });
  expect(() => spread([])).toThrow(RangeError);
});

test("a ratio pairs the turns of one round, so a slow spell that meets both leaves it alone", () => {
  // The machine is three times slower from the second round on; theirs always takes twice as long.
  const ours = turns(1, 3, 3);
  const theirs = turns(2, 6, 6);
  expect(pairedRatios(ours, theirs, "seconds")).toEqual([2, 2, 2]);
  expect(pairedRatios(theirs, ours, "seconds")).toEqual([0.5, 0.5, 0.5]);
});

test("the median of ratios is not the quotient of medians", () => {
  const ours = turns(1, 2, 4);
  const theirs = turns(4, 2, 3);
  expect(spread(pairedRatios(ours, theirs, "seconds")).median).toBe(1);
  expect(spread(rates(ours, 12)).median / spread(rates(theirs, 12)).median).toBe(1.5);
});

test("processor time has its own ratio, and unpaired turns are refused", () => {
  expect(pairedRatios([{ seconds: 1, cpu: 2 }], [{ seconds: 3, cpu: 3 }], "cpu")).toEqual([1.5]);
  expect(() => pairedRatios(turns(1, 2), turns(1), "seconds")).toThrow(RangeError);
});

test("both go first equally often", () => {
  const first = Array.from({ length: 8 }, (_, round) => oursFirst(round));
  expect(first.filter(Boolean)).toHaveLength(4);
  expect(first[0]).not.toBe(first[1]);
});

test("names are chosen by prefix or pattern", () => {
  expect(isWanted("train-step/tune", [])).toBe(true);
  expect(isWanted("train-step/tune", ["train-step/"])).toBe(true);
  expect(isWanted("train-step/tune", ["tune"])).toBe(false);
  expect(isWanted("train-step/tune", ["*tune"])).toBe(true);
  expect(isWanted("train-step/tune", ["masks", "train*e"])).toBe(true);
  expect(isWanted("train-step/tune", ["train.step/*"])).toBe(false);
});
