/** Summaries of studies, against what can be computed by hand. */
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { bootstrap } from "./bootstrap.ts";
import { packProbabilities, type Study, type StudyEntry, type StudyResults } from "./study.ts";
import { summarizeStudy } from "./study-summary.ts";

const CLASSES = ["a", "b"];
const LABELS = Array.from({ length: 40 }, (_, i) => i % 2);
const images = LABELS.map((label, i) => ({ id: `${i}`, label, fold: `${i % 3}` }));

/** An entry that is right where `right` says so, with confidence p. */
function entry(row: string, seed: number, right: (i: number) => boolean, p = 0.8): StudyEntry {
  const rows = images.map(({ id, label }, i) => {
    const mine = right(i) ? p : 1 - p;
    return { id, label, fold: "1", probabilities: label === 0 ? [mine, 1 - mine] : [1 - mine, mine] };
  });
  const correct = images.filter((_, i) => right(i)).length;
  return {
    row,
    seed,
    id: `${row} ${seed}`,
    version: "0",
    correct,
    accuracy: correct / images.length,
    balancedAccuracy: 0,
    logLoss: 0,
    calibrationError: 0.1 * seed,
    seconds: 1,
    probabilities: packProbabilities(rows),
  };
}

const study = (rows: Study["rows"]): Study => ({ name: "s", title: "", about: "", seeds: [1, 2], rows });
const row = (name: string, against?: string) => ({ name, what: name, config: {}, ...(against ? { against } : {}) });

test("means, deviations, ensembles and paired differences", () => {
  const results: StudyResults = {
    study: "s",
    dataset: { kind: "k", hash: "h" },
    classes: CLASSES,
    images,
    entries: [
      entry("base", 1, (i) => i >= 10),
      entry("base", 2, (i) => i >= 12),
      // Sure where it is right, and right everywhere but at the first four; the second seed is unsure where it is wrong.
      entry("better", 1, (i) => i >= 4, 0.9),
      entry("better", 2, (i) => i >= 8, 0.6),
    ],
  };
  const [base, better] = summarizeStudy(study([row("base"), row("better"), row("missing")]), results);
  expect(base).toMatchObject({ name: "base", seeds: [1, 2], accuracies: [0.75, 0.7] });
  expect(base!.mean).toBeCloseTo(0.725, 12);
  expect(base!.deviation).toBeCloseTo(0.05 / Math.SQRT2, 12);
  expect(base!.difference).toBeUndefined();
  expect(better!.difference).toMatchObject({ against: "base", seeds: 2 });
  expect(better!.difference!.mean).toBeCloseTo(0.85 - 0.725, 12);
  expect(better!.difference!.interval.low).toBeGreaterThan(0);
  // 4 to 7: the sure one is right, the unsure one wrong.
  expect(better!.ensemble!.accuracy).toBeCloseTo(0.9, 12);
  expect(summarizeStudy(study([row("missing")]), results)).toEqual([]);
});

test("where every seed draws its own wrong labels, their mean is no ensemble of one training set", () => {
  const entries = [entry("plain", 1, () => true), entry("plain", 2, () => true)];
  const flipped = { name: "flipped", what: "", config: {}, change: { flipped: { share: 0.2 } } };
  const results = {
    ...{ study: "s", dataset: { kind: "k", hash: "h" }, classes: CLASSES, images },
    entries: [...entries, ...entries.map((one) => ({ ...one, row: "flipped" }))],
  };
  const [plain, changed] = summarizeStudy(study([row("plain"), flipped]), results);
  expect(plain!.ensemble!.accuracy).toBe(1);
  expect(changed).toMatchObject({ name: "flipped", mean: 1 });
  expect(changed).not.toHaveProperty("ensemble");
});

test("a row is compared over the seeds that both have", () => {
  const entries = [entry("base", 1, () => true), entry("better", 2, () => true)];
  const results = { study: "s", dataset: { kind: "k", hash: "h" }, classes: CLASSES, images, entries };
  expect(summarizeStudy(study([row("base"), row("better")]), results)[1]!.difference).toBeUndefined();
});

test("the bootstrap interval of many independent gains is the normal one", () => {
  const random = Random.seeded(5);
  const gains = [
    Array.from({ length: 2000 }, () => (random.uniform() < 0.3 ? 1 : 0) - (random.uniform() < 0.2 ? 1 : 0)),
  ];
  const mean = gains[0]!.reduce((sum, g) => sum + g, 0) / 2000;
  const deviation = Math.sqrt(gains[0]!.reduce((sum, g) => sum + (g - mean) ** 2, 0) / 1999);
  const half = (1.96 * deviation) / Math.sqrt(2000);
  const { low, high } = bootstrap(gains);
  expect(Math.abs(low - (mean - half))).toBeLessThan(0.12 * half);
  expect(Math.abs(high - (mean + half))).toBeLessThan(0.12 * half);
});
