import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { correctedShares, correctShares } from "./correction.ts";

const CLASSES = ["Normal", "Tapered", "Pyriform", "Amorphous"];
/** Shares like those of a smear, and a classifier as good as the bundled model's recipe in cross-validation. */
const SMEAR = [0.06, 0.24, 0.2, 0.5];
const RATES = [
  [0.96, 0.02, 0.01, 0.01],
  [0.02, 0.93, 0.04, 0.01],
  [0.02, 0.05, 0.92, 0.01],
  [0.05, 0.04, 0.05, 0.86],
];

/** Draws counts of n from shares. */
function multinomial(n: number, shares: readonly number[], random: Random): number[] {
  const counts = shares.map(() => 0);
  for (let k = 0; k < n; k++) {
    let left = random.uniform();
    let c = 0;
    while (c < shares.length - 1 && (left -= shares[c]!) > 0) c++;
    counts[c]!++;
  }
  return counts;
}

/** A confusion matrix on whose diagonal most counts lie, as it does for any classifier worth its name. */
const confusions = (n: number) =>
  fc
    .array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: n, maxLength: n }), { minLength: n, maxLength: n })
    .map((rows) => rows.map((row, i) => row.map((value, j) => (i === j ? value + 20 * n : value))));
const countsOf = (n: number) =>
  fc
    .array(fc.integer({ min: 0, max: 200 }), { minLength: n, maxLength: n })
    .filter((counts) => counts.some((count) => count > 0));
const cases = fc.integer({ min: 2, max: 5 }).chain((n) => fc.tuple(countsOf(n), confusions(n)));

describe("corrected shares", () => {
  test("two classes: Rogan and Gladen's closed form, cut off at 0 and 1", () => {
    fc.assert(
      fc.property(countsOf(2), confusions(2), (counts, confusion) => {
        const sensitivity = confusion[0]![0]! / (confusion[0]![0]! + confusion[0]![1]!);
        const specificity = confusion[1]![1]! / (confusion[1]![0]! + confusion[1]![1]!);
        const apparent = counts[0]! / (counts[0]! + counts[1]!);
        const expected = (apparent + specificity - 1) / (sensitivity + specificity - 1);
        const [share] = correctShares(counts, confusion)!;
        expect(share).toBeCloseTo(Math.min(1, Math.max(0, expected)), 5);
      }),
    );
  });

  test("where the maximum lies just beyond the border the share is 0 itself", () => {
    const confusion = [
      [40, 10],
      [20, 53],
    ];
    expect(correctShares([74, 197], confusion)).toEqual([0, 1]);
    expect(correctShares([197, 74], [confusion[1]!.toReversed(), confusion[0]!.toReversed()])).toEqual([1, 0]);
  });

  test("are shares, and at least as likely as any other", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 1e6 }), ([counts, confusion], seed) => {
        const shares = correctShares(counts, confusion)!;
        expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
        expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        const rates = confusion.map((row) => row.map((v) => v / row.reduce((a, b) => a + b, 0)));
        const likelihood = (p: readonly number[]) =>
          counts.reduce((sum, n, j) => {
            if (n === 0) return sum;
            return sum + n * Math.log(p.reduce((s, share, i) => s + share * rates[i]![j]!, 0));
          }, 0);
        const best = likelihood(shares);
        const random = Random.seeded(seed);
        for (let k = 0; k < 20; k++) {
          const raw = shares.map(() => random.gamma(0.7));
          const sum = raw.reduce((a, b) => a + b, 0);
          const mixed = shares.map((share, c) => share + 0.5 ** (k % 8) * (raw[c]! / sum - share));
          expect(likelihood(mixed)).toBeLessThanOrEqual(best + 1e-5);
        }
      }),
    );
  });

  test("a classifier without a mistake changes nothing", () => {
    fc.assert(
      fc.property(countsOf(4), (counts) => {
        const n = counts.reduce((a, b) => a + b, 0);
        const identity = CLASSES.map((_, i) => CLASSES.map((_, j) => (i === j ? 50 : 0)));
        for (const [c, share] of correctShares(counts, identity)!.entries()) expect(share).toBeCloseTo(counts[c]! / n);
      }),
    );
  });

  test("expected counts give back the shares that they come from", () => {
    fc.assert(
      fc.property(cases, ([weights, confusion]) => {
        const truth = weights.map((w) => w / weights.reduce((a, b) => a + b, 0));
        const expected = confusion.map((_, j) =>
          truth.reduce((s, p, i) => s + (p * confusion[i]![j]!) / confusion[i]!.reduce((a, b) => a + b, 0), 0),
        );
        for (const [c, share] of correctShares(expected, confusion)!.entries()) expect(share).toBeCloseTo(truth[c]!, 6);
      }),
    );
  });

  test("other orders of the classes give the same, in that order, intervals too", () => {
    const counts = [12, 60, 48, 115];
    const confusion = RATES.map((row, i) => row.map((rate) => Math.round(rate * (52 + i))));
    const order = [2, 0, 3, 1];
    const take = <T>(items: readonly T[]) => order.map((c) => items[c]!);
    const plain = correctedShares(CLASSES, counts, confusion, Random.seeded(5), 200)!.shares;
    const other = correctedShares(
      take(CLASSES),
      take(counts),
      take(confusion).map(take),
      Random.seeded(5),
      200,
    )!.shares;
    for (const [k, { share, interval }] of take(plain).entries()) {
      expect(other[k]!.share).toBeCloseTo(share, 8);
      expect(other[k]!.interval.low).toBeCloseTo(interval.low, 6);
      expect(other[k]!.interval.high).toBeCloseTo(interval.high, 6);
    }
  });

  test("the same seed gives the same, and the intervals hold the estimates", () => {
    const confusion = RATES.map((row) => row.map((rate) => Math.round(rate * 54)));
    const of = (seed: number) =>
      correctedShares(CLASSES, [0, 60, 48, 115], confusion, Random.seeded(seed), 100)!.shares;
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    for (const { share, interval } of of(1)) {
      expect(interval.low).toBeLessThanOrEqual(share);
      expect(interval.high).toBeGreaterThanOrEqual(share);
      expect(interval.high).toBeGreaterThan(interval.low);
    }
  });

  test("counts that do not tell the shares: none, or classes that are not told apart", () => {
    const same = [
      [30, 20],
      [30, 20],
    ];
    expect(correctShares([5, 5], same)).toBeUndefined();
    expect(correctedShares(["a", "b"], [5, 5], same, Random.seeded(1), 10)).toBeUndefined();
    const good = [
      [30, 2],
      [3, 30],
    ];
    expect(correctedShares(["a", "b"], [0, 0], good, Random.seeded(1), 10)).toBeUndefined();
  });

  test.each([
    [[[1]]],
    [
      [
        [1, 2],
        [1, 2, 3],
      ],
    ],
    [
      [
        [5, 1],
        [0, 0],
      ],
    ],
    [
      [
        [5, -1],
        [1, 5],
      ],
    ],
    [
      [
        [5, Number.NaN],
        [1, 5],
      ],
    ],
  ])("no confusion matrix of two classes: %j", (confusion) => {
    expect(() => correctedShares(["a", "b"], [1, 2], confusion, Random.seeded(1), 10)).toThrow(
      expect.objectContaining({ code: "field/bad-confusion" }) as Error,
    );
  });
});

/**
 * How often the intervals hold the truth over samples drawn from it, each with a confusion matrix drawn anew. 200 samples
 * of nominally 95 % vary by a standard deviation of 1.5 points, so 90 % is what a right interval will always reach.
 */
describe.each([
  ["a smear", SMEAR, 200],
  ["few normal heads", [0.02, 0.28, 0.2, 0.5], 200],
  ["equal classes", [0.25, 0.25, 0.25, 0.25], 400],
])("simulated samples: %s", (_, truth, n) => {
  const samples = Array.from({ length: 200 }, (_, s) => {
    const random = Random.seeded(11).stream("sample", n, truth[0]!, s);
    const called = RATES[0]!.map((_, j) => truth.reduce((sum, p, i) => sum + p * RATES[i]![j]!, 0));
    const counts = multinomial(n, called, random.stream("heads"));
    const confusion = RATES.map((row, i) => multinomial(54, row, random.stream("confusion", i)));
    return { counts, corrected: correctedShares(CLASSES, counts, confusion, random, 200)!.shares };
  });

  test.each(CLASSES.map((name, c) => ({ name, c })))("$name: the interval holds the truth", ({ c }) => {
    const held = samples.filter(
      ({ corrected }) => corrected[c]!.interval.low <= truth[c]! && truth[c]! <= corrected[c]!.interval.high,
    );
    expect(held.length / samples.length).toBeGreaterThanOrEqual(0.9);
  });

  test("the corrected shares of Amorphous are less biased than the counted ones", () => {
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    const raw = mean(samples.map(({ counts }) => counts[3]! / n));
    const corrected = mean(samples.map((sample) => sample.corrected[3]!.share));
    expect(Math.abs(corrected - truth[3]!)).toBeLessThan(0.5 * Math.abs(raw - truth[3]!));
  });
});
