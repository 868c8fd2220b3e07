/**
 * Shares of a sample, corrected for what the classifier is known to confuse.
 *
 * Of heads that are truly i the classifier calls the share M[i][j] class j. So what is counted is M'p of the true shares
 * p, and p is the one on the simplex under which the counts are most likely: with two classes Rogan and Gladen's
 * estimator (1978), cut off at 0 and 1; with more the inverse of M where that gives shares, else the maximum found by
 * expectation maximisation (for such mixtures see Saerens, Latinne and Decaestecker 2002).
 *
 * It holds where the classifier errs in this sample as it did when M was counted: the same stain, microscope and scale.
 */
import { type Interval, wilson } from "../evaluation/index.ts";
import { AndroscopeError, type Random } from "../runs/index.ts";

/** Counts of out-of-fold predictions: rows true classes, columns predicted ones. */
export type Confusion = readonly (readonly number[])[];

export interface CorrectedShare {
  readonly share: number;
  readonly interval: Interval;
}

export interface Correction {
  /** By class. */
  readonly shares: readonly CorrectedShare[];
  /**
   * Mean, over drawn matrices, of the likelihood of the counts at best, as a share of the likelihood of counts that the
   * matrix explains perfectly. Near 0: no shares explain these counts, so here the classifier errs in another way.
   */
  readonly plausibility: number;
}

/** Pivots below this share of a class: the classifier does not tell two classes apart, and no counts can. */
const SINGULAR = 1e-3;
/** Added to every count before it is redrawn: see {@link correctedShares}. */
const PRIOR = 1;
const ITERATIONS = 2000;
const CONVERGED = 1e-9;
/** A ten-thousandth of a per cent. */
const NOTHING = 1e-6;
/** A share below a tenth of a per cent that still falls may be on its way to 0. */
const FALLING = 1e-3;

/** @throws `field/bad-confusion` where it is no square matrix of counts for these classes, each of which has images */
export function requireConfusion(confusion: Confusion, classes: readonly string[]): void {
  const square = confusion.length === classes.length && confusion.every((row) => row.length === classes.length);
  const bad = !square
    ? `${confusion.length} × ${confusion[0]?.length ?? 0}`
    : confusion.some((row) => !row.every((n) => Number.isFinite(n) && n >= 0))
      ? "something that is no count"
      : confusion.some((row) => row.every((n) => n === 0))
        ? `no image of ${classes[confusion.findIndex((row) => row.every((n) => n === 0))]}`
        : undefined;
  if (bad === undefined) return;
  throw new AndroscopeError("field/bad-confusion", {
    expected: `counts, ${classes.length} × ${classes.length}, with images of every class`,
    found: bad,
    fix: "Use the confusion matrix of the model's own cross-validation, or none.",
  });
}

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const normalised = (values: readonly number[]) => {
  const sum = total(values);
  return values.map((value) => value / sum);
};

/**
 * The true shares under which these counts are most likely.
 * @param counts of predicted classes, not all 0; need not be whole
 * @param confusion counts or shares by row
 * @returns undefined where the matrix is singular: the counts do not tell the shares
 */
export function correctShares(counts: readonly number[], confusion: Confusion): number[] | undefined {
  const rates = confusion.map(normalised);
  const seen = normalised(counts);
  const inverse = solveTransposed(rates, seen);
  if (inverse === undefined) return undefined;
  // Rows of shares sum to 1, hence the solution does, too: what lies within is the maximum.
  if (inverse.every((share) => share >= -1e-12)) return normalised(inverse.map((share) => Math.max(0, share)));
  return maximise(seen, rates, normalised(inverse.map((share) => Math.max(1e-3, share))));
}

/**
 * The likelihood is concave: there is one maximum. Where that lies at the border of the simplex, expectation maximisation comes
 * near it ever more slowly, so what it leaves of a share that only falls is taken away; by its slope 0 is then right or wrong.
 */
function maximise(seen: readonly number[], rates: Confusion, start: readonly number[]): number[] {
  const shares = climb(seen, rates, start);
  const slopes = slopesAt(shares, seen, rates);
  const border = shares.map((p, i) => (p < FALLING && slopes[i]! < 1 ? 0 : p));
  if (border.every((p, i) => p === shares[i])) return shares;
  const there = climb(seen, rates, normalised(border));
  const steepest = slopesAt(there, seen, rates).filter((_, i) => there[i] === 0);
  return steepest.every((slope) => slope <= 1) ? there : shares;
}

/** What a step of expectation maximisation multiplies each share by: at the maximum 1, and at most 1 for shares of 0. */
function slopesAt(shares: readonly number[], seen: readonly number[], rates: Confusion): number[] {
  const ratio = seen.map((share, j) => {
    const expected = shares.reduce((sum, p, i) => sum + p * rates[i]![j]!, 0);
    return share === 0 ? 0 : share / expected;
  });
  return shares.map((_, i) => ratio.reduce((sum, r, j) => sum + r * rates[i]![j]!, 0));
}

/** Expectation maximisation; a share of 0 stays 0. */
function climb(seen: readonly number[], rates: Confusion, start: readonly number[]): number[] {
  let shares = [...start];
  for (let step = 0; step < ITERATIONS; step++) {
    const slopes = slopesAt(shares, seen, rates);
    const next = shares.map((p, i) => p * slopes[i]!);
    const change = Math.max(...next.map((p, i) => Math.abs(p - shares[i]!)));
    shares = next;
    if (change < CONVERGED) break;
  }
  // At the border of the simplex shares shrink for ever and never reach 0.
  return normalised(shares.map((share) => (share < NOTHING ? 0 : share)));
}

/** Solves M'p = b by elimination with row pivots. */
function solveTransposed(matrix: Confusion, b: readonly number[]): number[] | undefined {
  const n = b.length;
  const rows = b.map((value, j) => [...matrix.map((row) => row[j]!), value]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[pivot]![k]!)) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    const head = rows[k]!;
    if (Math.abs(head[k]!) < SINGULAR) return undefined;
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / head[k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * head[j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let k = n - 1; k >= 0; k--) {
    let sum = rows[k]![n]!;
    for (let j = k + 1; j < n; j++) sum -= rows[k]![j]! * x[j]!;
    x[k] = sum / rows[k]![k]!;
  }
  return x;
}

/** How much less likely the counts are at best under these rates than under shares that fit them: 1 where they can fit. */
function plausibilityOf(counts: readonly number[], rates: Confusion, shares: readonly number[]): number {
  const n = total(counts);
  const logarithm = counts.reduce((sum, count, j) => {
    const expected = shares.reduce((s, p, i) => s + p * rates[i]![j]!, 0);
    return count === 0 ? sum : sum + count * Math.log((n * expected) / count);
  }, 0);
  return Math.exp(logarithm);
}

/**
 * The corrected shares with 95 % intervals, which allow for the heads that were counted and for the images that the
 * confusion matrix was counted on.
 *
 * Both are redrawn from Dirichlet distributions of their counts and 1 (uniform priors): as Rubin's Bayesian bootstrap
 * (1981), but for the 1. Redrawn multinomially, a cell of 0 would stay 0 in every draw, and a classifier without a mistake
 * on 50 images, or a sample without a normal head, would pass for certain. Every end of an interval is the farther of two:
 * of the middle 95 % of all draws, and of the draws weighted by how well their matrix can explain the counts. Where fewer
 * heads are called normal than the matrix has false ones, all draws alike would say 0 and nothing else; but then matrices
 * with fewer false ones are the likely ones. And no interval claims more than Wilson's does for 0 of as many heads, called
 * by a classifier without a mistake. docs/exports.md says how often the intervals held the truth in simulations.
 * Every class has a stream of its own, so that the order of the classes changes nothing.
 *
 * @returns undefined where the counts do not tell the shares: none, or a singular matrix
 */
export function correctedShares(
  classes: readonly string[],
  counts: readonly number[],
  confusion: Confusion,
  random: Random,
  draws: number,
): Correction | undefined {
  requireConfusion(confusion, classes);
  if (total(counts) === 0) return undefined;
  const best = correctShares(counts, confusion);
  if (best === undefined) return undefined;
  const ofHeads = classes.map((name) => random.stream("heads", name));
  const ofRows = classes.map((row) => classes.map((column) => random.stream("row", row, column)));
  const dirichlet = (from: readonly number[], streams: readonly Random[]) =>
    normalised(from.map((count, c) => streams[c]!.gamma(count + PRIOR)));
  const drawn: { shares: number[]; weight: number }[] = [];
  for (let d = 0; d < draws; d++) {
    const heads = dirichlet(counts, ofHeads);
    const rates = confusion.map((row, i) => dirichlet(row, ofRows[i]!));
    const shares = correctShares(heads, rates);
    const explaining = correctShares(counts, rates);
    // A drawn matrix that is singular says nothing. Of a classifier worth its name there is none.
    if (shares && explaining) drawn.push({ shares, weight: plausibilityOf(counts, rates, explaining) });
  }
  const plausibility = total(drawn.map(({ weight }) => weight)) / Math.max(1, drawn.length);
  // What a classifier without a mistake would leave open had it counted none, or nothing else.
  const n = total(counts);
  const certain = { low: wilson(n, n).low, high: wilson(0, n).high };
  const shares = best.map((share, c): CorrectedShare => {
    const values = drawn.map(({ shares, weight }) => ({ value: shares[c]!, weight }));
    const [all, weighted] = [middle(values.map(({ value }) => ({ value, weight: 1 }))), middle(values)];
    return {
      share,
      interval: {
        low: Math.min(share, all.low, weighted.low, certain.low),
        high: Math.max(share, all.high, weighted.high, certain.high),
      },
    };
  });
  return { shares, plausibility };
}

/** The middle 95 % of weighted values; everything where there is none. */
function middle(values: readonly { readonly value: number; readonly weight: number }[]): Interval {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const whole = sorted.reduce((sum, { weight }) => sum + weight, 0);
  if (!(whole > 0)) return { low: 0, high: 1 };
  const at = (part: number) => {
    let sum = 0;
    for (const { value, weight } of sorted) if ((sum += weight) >= part * whole) return value;
    return sorted.at(-1)!.value;
  };
  return { low: at(0.025), high: at(0.975) };
}
