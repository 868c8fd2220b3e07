/** From the turns of two contestants to one line of results. */
import type { Timing } from "./case.ts";

export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** Median and range. @throws RangeError for no value */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("the spread of no value");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    low: sorted[0]!,
    high: sorted.at(-1)!,
  };
}

/**
 * Ratios of turns that stand next to each other: whatever else the machine did in a round met both. Above 1, ours took
 * less. Medians of the two sides may come from different moments, so their quotient is not this.
 */
export function pairedRatios(ours: readonly Timing[], theirs: readonly Timing[], key: keyof Timing): number[] {
  if (ours.length !== theirs.length) throw new RangeError(`${ours.length} turns against ${theirs.length}`);
  return ours.map((timing, round) => theirs[round]![key] / timing[key]);
}

/** Units per second of every turn. @param units in one turn */
export const rates = (turns: readonly Timing[], units: number): number[] => turns.map(({ seconds }) => units / seconds);

/** Who goes first in a round: in turn, so that neither gains from a drift of the machine or from warm caches. */
export const oursFirst = (round: number): boolean => round % 2 === 0;

/** Whether a name is asked for: by a prefix, or by a pattern in which "*" stands for anything. */
export function isWanted(name: string, only: readonly string[]): boolean {
  if (only.length === 0) return true;
  return only.some((pattern) => {
    if (!pattern.includes("*")) return name.startsWith(pattern);
    const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(name);
  });
}
