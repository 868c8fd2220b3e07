import { expect, test } from "vitest";
import { peakRss } from "./memory.ts";
import { elapsedSeconds, mostAtOnce, type Spell, spellSince, workSeconds } from "./spells.ts";

const spell = (from: number, to: number, peakRssBytes = 1): Spell => ({ from, to, process: 1, peakRssBytes });

test("time that passed is not the sum of the work, and pauses do not count", () => {
  const spells = [spell(9000, 10_000), spell(1000, 4000), spell(2000, 3000), spell(3500, 6000)];
  expect(elapsedSeconds(spells)).toBe(6);
  expect(workSeconds(spells)).toBe(7.5);
  expect([elapsedSeconds([]), workSeconds([])]).toEqual([0, 0]);
});

test("what was at one time counts together; what ends as another begins does not", () => {
  const spells = [spell(0, 10, 5), spell(10, 20, 7), spell(5, 15, 3), spell(30, 40, 9)];
  expect(mostAtOnce(spells, () => 1)).toBe(2);
  expect(mostAtOnce(spells, ({ peakRssBytes }) => peakRssBytes)).toBe(10);
  expect(mostAtOnce([], () => 1)).toBe(0);
});

test("a spell of this process knows its peak, which memory that is given back does not lower", () => {
  const from = Date.now();
  let filled: Uint8Array | undefined = new Uint8Array(2 ** 28).fill(1);
  const before = spellSince(from);
  expect(before.peakRssBytes).toBeGreaterThan(filled.length);
  expect(before).toMatchObject({ from, process: process.pid });
  expect(before.to).toBeGreaterThanOrEqual(from);
  filled = undefined;
  expect(peakRss()).toBeGreaterThanOrEqual(before.peakRssBytes);
});
