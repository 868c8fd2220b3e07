import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { philox, Random } from "./random.ts";

/** Philox 4x32-10 once more, from the paper's definition with whole products in BigInt. */
function philoxByBigInt(counter: readonly number[], key: readonly number[]): number[] {
  const word = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [c0 * 0xd2511f53n, c2 * 0xcd9e8d57n];
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & word, (p0 >> 32n) ^ c3 ^ k1, p0 & word];
    [k0, k1] = [(k0 + 0x9e3779b9n) & word, (k1 + 0xbb67ae85n) & word];
  }
  return [c0, c1, c2, c3].map(Number);
}

describe("Philox 4x32-10", () => {
  // Random123, tests/kat_vectors: counter, key, result.
  test.each([
    ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("the publication's known answer for %s", (counter, key, result) => {
    const words = (text: string) => text.split(" ").map((hex) => Number.parseInt(hex, 16));
    expect(philox(words(counter), words(key))).toEqual(words(result));
  });

  test("equals whole products everywhere", () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(philox(counter, key)).toEqual(philoxByBigInt(counter, key));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Moments of n draws: mean, variance, skewness, excess kurtosis. */
function moments(draw: () => number, n: number) {
  const values = Float64Array.from({ length: n }, draw);
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const central = (k: number) => values.reduce((sum, v) => sum + (v - mean) ** k, 0) / n;
  const variance = central(2);
  return { mean, variance, skewness: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 - 3 };
}

/** Pearson's statistic, as deviations from its mean in units of its own deviation. */
function chiSquareScore(counts: readonly number[], expected: number): number {
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const degrees = counts.length - 1;
  return (statistic - degrees) / Math.sqrt(2 * degrees);
}

// Seeds are fixed, so these tests are not chance: five deviations are far from what a sound generator shows.
describe("distributions", () => {
  const n = 100_000;

  test("uniform: moments, and as many in every bin", () => {
    const random = Random.seeded(11);
    const { mean, variance } = moments(() => random.uniform(), n);
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(5 / Math.sqrt(180 * n));
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < n; i++) counts[Math.floor(256 * random.uniform())]! += 1;
    expect(Math.abs(chiSquareScore(counts, n / 256))).toBeLessThan(5);
  });

  test("uniform stays inside its interval, never at its ends", () => {
    const random = Random.seeded(12);
    for (let i = 0; i < n; i++) {
      const value = random.uniform(-3, 2);
      expect(value > -3 && value < 2).toBe(true);
    }
  });

  test("every bit of a word is set half of the time, and successive words are uncorrelated", () => {
    const random = Random.seeded(13);
    const words = Array.from({ length: n }, () => random.uint32());
    for (let bit = 0; bit < 32; bit++) {
      const set = words.reduce((sum, word) => sum + ((word >>> bit) & 1), 0);
      expect(Math.abs(set - n / 2)).toBeLessThan(5 * Math.sqrt(n / 4));
    }
    for (let lag = 1; lag <= 8; lag++) {
      let sum = 0;
      for (let i = lag; i < n; i++) sum += (words[i]! / 2 ** 32 - 0.5) * (words[i - lag]! / 2 ** 32 - 0.5);
      expect(Math.abs((12 * sum) / n)).toBeLessThan(5 / Math.sqrt(n));
    }
  });

  test("normal: moments and tails", () => {
    const random = Random.seeded(14);
    const values: number[] = [];
    const { mean, variance, skewness, kurtosis } = moments(() => {
      const value = random.normal(10, 3);
      values.push(value);
      return value;
    }, n);
    expect(Math.abs(mean - 10)).toBeLessThan((5 * 3) / Math.sqrt(n));
    expect(Math.abs(variance / 9 - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(skewness)).toBeLessThan(5 * Math.sqrt(6 / n));
    expect(Math.abs(kurtosis)).toBeLessThan(5 * Math.sqrt(24 / n));
    for (const [deviations, share] of [
      [1, 0.682689492],
      [2, 0.954499736],
      [3, 0.997300204],
    ] as const) {
      const inside = values.filter((v) => Math.abs(v - 10) < 3 * deviations).length / n;
      expect(Math.abs(inside - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / n));
    }
  });

  test.each([0.3, 1, 2.5, 40])("gamma of shape %d: mean and variance are the shape", (shape) => {
    const random = Random.seeded(15).stream(shape);
    const { mean, variance } = moments(() => random.gamma(shape), n);
    expect(Math.abs(mean - shape)).toBeLessThan(5 * Math.sqrt(shape / n));
    // The fourth central moment of a gamma distribution is 3k² + 6k.
    expect(Math.abs(variance - shape)).toBeLessThan(5 * Math.sqrt((2 * shape ** 2 + 6 * shape) / n));
  });

  test.each([
    [1.2, 2.2],
    [0.5, 0.5],
    [8, 2],
    // Both gamma numbers are below the smallest float64 nearly every time.
    [0.0003, 0.0001],
  ])("beta(%d, %d): mean and variance", (a, b) => {
    const random = Random.seeded(16).stream(a, b);
    const { mean, variance } = moments(() => random.beta(a, b), n);
    const expected = (a * b) / ((a + b) ** 2 * (a + b + 1));
    expect(Math.abs(mean - a / (a + b))).toBeLessThan(5 * Math.sqrt(expected / n));
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.03);
  });

  test("whole numbers and picks: all equally often, none outside", () => {
    const random = Random.seeded(17);
    for (const size of [2, 3, 7, 100]) {
      const counts = new Array<number>(size).fill(0);
      for (let i = 0; i < n; i++) counts[random.integer(size)]! += 1;
      expect(counts).toHaveLength(size);
      expect(Math.abs(chiSquareScore(counts, n / size))).toBeLessThan(5);
    }
    expect(new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"])))).toEqual(new Set(["a", "b", "c"]));
    expect(random.integer(1)).toBe(0);
  });

  test("shuffling: every order equally often", () => {
    const random = Random.seeded(18);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle(["a", "b", "c", "d"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expect(Math.abs(chiSquareScore([...counts.values()], 1000))).toBeLessThan(5);
  });

  test("shuffling keeps the items and leaves its input alone", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
        const before = items.slice();
        const numeric = (a: number, b: number) => a - b;
        expect(Random.seeded(seed).shuffle(items).sort(numeric)).toEqual(items.slice().sort(numeric));
        expect(items).toEqual(before);
      }),
    );
  });
});

describe("streams", () => {
  const draws = (random: Random, n = 8) => Array.from({ length: n }, () => random.uint32());
  const names = fc.array(fc.oneof(fc.string({ maxLength: 6 }), fc.nat()), { minLength: 1, maxLength: 3 });

  test("depend on seed and names only, not on what was drawn or derived before", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), names, fc.nat({ max: 9 }), (seed, name, used) => {
        const fresh = draws(Random.seeded(seed).stream(...name));
        const root = Random.seeded(seed);
        const undisturbed = draws(Random.seeded(seed), used + 8);
        const before = draws(root, used);
        draws(root.stream("other"), 3);
        expect(draws(root.stream(...name))).toEqual(fresh);
        expect([...before, ...draws(root)]).toEqual(undisturbed);
      }),
    );
  });

  test("differ for other names, kinds of name, seeds and depths", () => {
    const root = Random.seeded(1);
    const streams = [
      root,
      root.stream("a"),
      root.stream("b"),
      root.stream("a", "b"),
      root.stream("ab"),
      root.stream("b", "a"),
      root.stream("a").stream("b"),
      root.stream("a").stream("a"),
      root.stream(1),
      root.stream("1"),
      root.stream(1, 2),
      root.stream(12),
      root.stream(""),
      Random.seeded(2),
      Random.seeded(2 ** 32),
      Random.seeded(2 ** 32 + 1),
      Random.seeded(Number.MAX_SAFE_INTEGER),
      Random.seeded(0),
    ];
    expect(new Set(streams.map((stream) => draws(stream).join())).size).toBe(streams.length);
  });

  test("10 000 numbered streams begin differently and evenly", () => {
    const first = Array.from({ length: 10_000 }, (_, i) => Random.seeded(3).stream("phantom", i).uint32());
    // Two of them meet by chance with a probability of 1 %; this seed has none.
    expect(new Set(first).size).toBe(first.length);
    const counts = new Array<number>(64).fill(0);
    for (const word of first) counts[word >>> 26]! += 1;
    expect(Math.abs(chiSquareScore(counts, first.length / 64))).toBeLessThan(5);
  });

  test("of neighbouring names and seeds are uncorrelated", () => {
    const n = 20_000;
    const correlation = (a: Random, b: Random) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += (a.uniform() - 0.5) * (b.uniform() - 0.5);
      return (12 * sum) / n;
    };
    const limit = 5 / Math.sqrt(n);
    const root = Random.seeded(5);
    expect(Math.abs(correlation(root.stream("fold", 1), root.stream("fold", 2)))).toBeLessThan(limit);
    expect(Math.abs(correlation(root.stream("a"), root.stream("a").stream("a")))).toBeLessThan(limit);
    expect(Math.abs(correlation(Random.seeded(5), Random.seeded(6)))).toBeLessThan(limit);
    expect(Math.abs(correlation(Random.seeded(5), root.stream("")))).toBeLessThan(limit);
  });
});
