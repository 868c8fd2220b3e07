import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Sample } from "../datasets/index.ts";
import { concernedBy, drawFolds, foldPerGroup, officialSplit, pairsOf, publishedFolds } from "./splits.ts";

type Known = Partial<Pick<Sample, "label" | "fold" | "group" | "patient">>;
const sample = (known: Known, i: number): Sample => ({
  id: `${i}.png`,
  ...known,
  load: () => Promise.reject(new Error("no pixels are needed")),
});
const code = (code: string) => expect.objectContaining({ name: "AndroscopeError", code });

/** Images per fold, of one class or of all. */
const sizes = (samples: readonly Sample[], fold: readonly number[], k: number, label?: number) =>
  Array.from(
    { length: k },
    (_, f) => fold.filter((x, i) => x === f && (label === undefined || samples[i]!.label === label)).length,
  );
const range = (values: readonly number[]) => Math.max(...values) - Math.min(...values);

describe("drawn folds", () => {
  const k = fc.integer({ min: 2, max: 10 });
  const labels = fc.array(fc.nat({ max: 4 }), { minLength: 10, maxLength: 80 });

  test("of single images: every class spread as evenly as it can be, and so the folds", () => {
    fc.assert(
      fc.property(labels, k, fc.nat(), (all, k, seed) => {
        const samples = all.map((label, i) => sample({ label }, i));
        const { names, fold } = drawFolds(samples, { k, seed });
        expect(names).toEqual(Array.from({ length: k }, (_, f) => `${f + 1}`));
        expect(fold).toHaveLength(samples.length);
        expect(fold.every((f) => Number.isInteger(f) && f >= 0 && f < k)).toBe(true);
        for (const label of new Set(all)) expect(range(sizes(samples, fold, k, label))).toBeLessThanOrEqual(1);
        expect(range(sizes(samples, fold, k))).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("with groups: none is in two folds, and no fold is empty", () => {
    const grouped = fc.array(fc.record({ label: fc.nat({ max: 3 }), group: fc.nat({ max: 15 }) }), {
      minLength: 10,
      maxLength: 80,
    });
    fc.assert(
      fc.property(grouped, k, fc.nat(), fc.constantFrom("group" as const, "patient" as const), (all, k, seed, by) => {
        const groups = new Set(all.map(({ group }) => group));
        fc.pre(groups.size >= k);
        const samples = all.map(({ label, group }, i) => sample({ label, [by]: `g${group}` }, i));
        const { fold } = drawFolds(samples, { k, seed, group: by });
        for (const group of groups) {
          expect(new Set(fold.filter((_, i) => all[i]!.group === group)).size).toBe(1);
        }
        expect(Math.min(...sizes(samples, fold, k))).toBeGreaterThan(0);
      }),
    );
  });

  test("a class per group leaves no fold empty", () => {
    const samples = [0, 0, 1, 1, 2, 2].map((label, i) => sample({ label, patient: `p${label}` }, i));
    const { fold } = drawFolds(samples, { k: 3, seed: 1, group: "patient" });
    expect(sizes(samples, fold, 3)).toEqual([2, 2, 2]);
  });

  test("equal groups of mixed classes are spread evenly", () => {
    // 20 patients with 3 normal and 2 tapered heads each.
    const samples = Array.from({ length: 100 }, (_, i) =>
      sample({ label: i % 5 < 3 ? 0 : 1, patient: `${Math.floor(i / 5)}` }, i),
    );
    for (let seed = 0; seed < 5; seed++) {
      const { fold } = drawFolds(samples, { k: 5, seed, group: "patient" });
      expect(sizes(samples, fold, 5, 0)).toEqual([12, 12, 12, 12, 12]);
      expect(sizes(samples, fold, 5, 1)).toEqual([8, 8, 8, 8, 8]);
    }
  });

  test("unlabelled images are spread as a class of their own", () => {
    const samples = Array.from({ length: 30 }, (_, i) => sample(i < 10 ? { label: i % 2 } : {}, i));
    const { fold } = drawFolds(samples, { k: 5, seed: 3 });
    expect(sizes(samples.slice(10), fold.slice(10), 5)).toEqual([4, 4, 4, 4, 4]);
  });

  test("the same seed draws the same folds, another one others", () => {
    const samples = Array.from({ length: 60 }, (_, i) => sample({ label: i % 4 }, i));
    const draw = (seed: number) => drawFolds(samples, { k: 5, seed }).fold;
    expect(draw(7)).toEqual(draw(7));
    const others = Array.from({ length: 10 }, (_, seed) => draw(seed).join());
    expect(new Set(others).size).toBe(10);
  });

  test("any image can come to any fold", () => {
    const samples = Array.from({ length: 12 }, (_, i) => sample({ label: i % 3 }, i));
    const seen = samples.map(() => new Set<number>());
    for (let seed = 0; seed < 100; seed++) {
      for (const [i, f] of drawFolds(samples, { k: 4, seed }).fold.entries()) seen[i]!.add(f);
    }
    expect(seen.every((folds) => folds.size === 4)).toBe(true);
  });

  test("too few groups, a missing group", () => {
    const samples = [0, 1, 0, 1].map((label, i) => sample({ label, patient: `p${i % 2}` }, i));
    expect(() => drawFolds(samples, { k: 3, seed: 1, group: "patient" })).toThrow(code("data/groups"));
    expect(() => drawFolds(samples, { k: 5, seed: 1 })).toThrow(code("data/groups"));
    const one = [...samples, sample({ label: 0 }, 4)];
    expect(() => drawFolds(one, { k: 2, seed: 1, group: "patient" })).toThrow(code("data/groups"));
    expect(() => drawFolds(one, { k: 2, seed: 1, group: "patient" })).toThrow("4.png");
  });

  test("two hundred thousand images", () => {
    const samples = Array.from({ length: 200_000 }, (_, i) => sample({ label: i % 2 }, i));
    expect(sizes(samples, drawFolds(samples, { k: 5, seed: 1 }).fold, 5)).toEqual(Array(5).fill(40_000));
  });
});

describe("published folds", () => {
  test("are taken as they are, by name", () => {
    const samples = ["b", "a", "c", "a"].map((fold, i) => sample({ label: 0, fold }, i));
    const { names, fold } = publishedFolds(samples);
    expect(names).toEqual(["a", "b", "c"]);
    expect(fold.map((f) => names[f])).toEqual(["b", "a", "c", "a"]);
  });

  test("ten of them keep their order", () => {
    const samples = Array.from({ length: 10 }, (_, i) => sample({ fold: `${i + 1}` }, i));
    expect(publishedFolds(samples).names).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
  });

  test("one that is missing is named", () => {
    const samples = [sample({ fold: "1" }, 0), sample({}, 1), sample({}, 2)];
    expect(() => publishedFolds(samples)).toThrow(code("data/no-fold"));
    expect(() => publishedFolds(samples)).toThrow("2 of 3 without one");
    expect(() => publishedFolds(samples)).toThrow("1.png");
  });
});

test("every two folds make a pair, each once", () => {
  expect(pairsOf(["a", "b", "c"])).toEqual([
    { name: "a+b", folds: [0, 1] },
    { name: "a+c", folds: [0, 2] },
    { name: "b+c", folds: [1, 2] },
  ]);
  expect(pairsOf(["1", "2", "3", "4", "5"])).toHaveLength(10);
});

describe("a fold for each group", () => {
  test("named by it, in order of the names, whatever the labels", () => {
    const samples = ["p10", "p2", "p10", "p1"].map((patient, i) => sample({ patient, label: i % 2 }, i));
    expect(foldPerGroup(samples, "patient")).toEqual({ names: ["p1", "p2", "p10"], fold: [2, 1, 2, 0] });
  });

  test("an image of nobody is refused", () => {
    const samples = [sample({ group: "a" }, 0), sample({}, 1)];
    expect(() => foldPerGroup(samples, "group")).toThrow(code("data/groups"));
  });
});

describe("held-out parts", () => {
  const named = (...folds: string[]) => folds.map((fold, i) => sample({ label: i % 2, fold }, i));

  test("a dataset with train and test is not rotated, and valid is left for choices", () => {
    const split = { kind: "held-out", test: "test", train: ["train"] };
    expect(officialSplit(named("train", "valid", "test", "train"))).toEqual(split);
    expect(officialSplit(named("test", "train"))).toEqual(split);
    for (const others of [
      ["1", "2", "3"],
      ["train", "valid"],
      ["train", "test", "F1"],
      ["valid", "test"],
    ]) {
      expect(officialSplit(named(...others))).toBeUndefined();
    }
    expect(officialSplit([sample({ label: 0 }, 0)])).toBeUndefined();
  });

  test("concern their folds and what has none", () => {
    const samples = [...named("a", "b", "c", "a"), sample({}, 9)];
    const ids = concernedBy(samples, { kind: "held-out", test: "c", train: ["a"] }).map(({ id }) => id);
    expect(ids).toEqual(["0.png", "2.png", "3.png", "9.png"]);
    expect(() => concernedBy(samples, { kind: "held-out", test: "d", train: ["a"] })).toThrow(code("data/no-fold"));
    expect(() => concernedBy(samples, { kind: "held-out", test: "a", train: ["a", "b"] })).toThrow(
      code("usage/bad-value"),
    );
    expect(() => concernedBy(samples, { kind: "held-out", test: "a", train: [] })).toThrow(code("usage/bad-value"));
  });
});
