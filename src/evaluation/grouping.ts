/** How images of one person or smear lie in the folds: what a reader must know before believing a figure. */
import type { Sample } from "../datasets/index.ts";

export interface Grouping {
  key: "group" | "patient";
  /** Different values. */
  count: number;
  /** Those with images in more than one fold. */
  divided: number;
}

/** One entry for each of the two kinds of group that the samples name at all. @param fold of each sample */
export function groupings(samples: readonly Sample[], fold: readonly number[]): Grouping[] {
  return (["patient", "group"] as const).flatMap((key) => {
    const folds = new Map<string, Set<number>>();
    for (const [i, sample] of samples.entries()) {
      const value = sample[key];
      if (value !== undefined) folds.set(value, (folds.get(value) ?? new Set()).add(fold[i]!));
    }
    if (folds.size === 0) return [];
    return [{ key, count: folds.size, divided: [...folds.values()].filter((set) => set.size > 1).length }];
  });
}
