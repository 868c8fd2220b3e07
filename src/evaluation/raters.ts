/**
 * How well raters agree, and with that how right a classifier can be that is judged by their votes: the majority label of
 * an image is itself only as certain as the experts behind it.
 */
import { type Interval, wilson } from "./metrics.ts";

/** Votes by image and rater, as indices into the classes. */
export type Votes = readonly (readonly number[])[];

export interface Agreement {
  /** Share of the images, and Wilson's interval. */
  value: number;
  interval: Interval;
  count: number;
}

export interface RaterPair {
  raters: [number, number];
  agreement: Agreement;
  /** Cohen's kappa (1960). */
  kappa: number;
}

export interface RaterSummary {
  images: number;
  /** Images by the largest number of raters that gave one class: [all differ, two agree, three agree …]. */
  unanimity: number[];
  pairs: RaterPair[];
  /** Fleiss' kappa (1971). */
  fleissKappa: number;
  /** Each rater against the majority of the others, on the images where these have one. */
  againstOthers: Agreement[];
  /** Each rater against the majority of all, itself included: what a rater would score by the published labels. */
  againstMajority: Agreement[];
  /** What always naming the most frequent majority label scores. */
  majorityClass: Agreement;
}

const agreementOf = (hits: number, count: number): Agreement => ({
  value: count ? hits / count : Number.NaN,
  interval: wilson(hits, count),
  count,
});

/** The class that more raters chose than any other. */
export function majorityOf(votes: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a);
  return first && first[1] > (second?.[1] ?? 0) ? first[0] : undefined;
}

/** @param votes of at least two raters, the same ones for every image */
export function summarizeRaters(votes: Votes, classes: number): RaterSummary {
  const raters = votes[0]?.length ?? 0;
  const every = Array.from({ length: raters }, (_, r) => r);
  const against = (rater: number, opinion: (image: readonly number[]) => number | undefined) => {
    const judged = votes.filter((image) => opinion(image) !== undefined);
    return agreementOf(judged.filter((image) => opinion(image) === image[rater]).length, judged.length);
  };
  const unanimity = Array.from({ length: raters }, () => 0);
  for (const image of votes) unanimity[Math.max(...countsOf(image, classes)) - 1]! += 1;
  const labels = votes.map(majorityOf).filter((label) => label !== undefined);
  const largest = Math.max(0, ...countsOf(labels, classes));
  return {
    images: votes.length,
    unanimity,
    pairs: every.flatMap((a) =>
      every.slice(a + 1).map((b) => ({
        raters: [a, b] as [number, number],
        agreement: against(a, (image) => image[b]),
        kappa: cohenKappa(
          votes.map((image) => image[a]!),
          votes.map((image) => image[b]!),
          classes,
        ),
      })),
    ),
    fleissKappa: fleissKappa(votes.map((image) => countsOf(image, classes))),
    againstOthers: every.map((r) => against(r, (image) => majorityOf(image.filter((_, other) => other !== r)))),
    againstMajority: every.map((r) => against(r, majorityOf)),
    majorityClass: agreementOf(largest, labels.length),
  };
}

function countsOf(votes: readonly number[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const vote of votes) counts[vote]! += 1;
  return counts;
}

/** Agreement of two raters beyond chance. */
export function cohenKappa(a: readonly number[], b: readonly number[], classes: number): number {
  const [ofA, ofB] = [countsOf(a, classes), countsOf(b, classes)];
  const observed = a.filter((vote, i) => vote === b[i]).length / a.length;
  const chance = ofA.reduce((sum, count, c) => sum + (count / a.length) * (ofB[c]! / b.length), 0);
  return (observed - chance) / (1 - chance);
}

/** Agreement of many raters beyond chance. @param counts by image: how many raters chose each class */
export function fleissKappa(counts: readonly (readonly number[])[]): number {
  const raters = counts[0]!.reduce((sum, n) => sum + n, 0);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const observed = mean(
    counts.map((row) => (row.reduce((sum, n) => sum + n * n, 0) - raters) / (raters * (raters - 1))),
  );
  const chance = counts[0]!.reduce((sum, _, c) => sum + (mean(counts.map((row) => row[c]!)) / raters) ** 2, 0);
  return (observed - chance) / (1 - chance);
}
