/**
 * Posteriors against those that NumPy gets by refitting the regression without each head (scripts/label-refinement-reference.py), and
 * on clouds of points whose true classes are known.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { type LabelsToRefine, refineLabels } from "./label-refinement.ts";

const stored = JSON.parse(readFileSync(new URL("fixtures/label-refinement.json", import.meta.url), "utf8")) as {
  classes: number;
  features: number[][];
  given: number[][];
} & Record<"labelsAlone" | "withUnlabelled", { targets: number[][]; confusion: number[][] }>;

const flat = (rows: number[][]) => Float32Array.from(rows.flat());
const refine = (labels: LabelsToRefine) => refineLabels(labels, { threads: 1 });

function expectNear(found: Float32Array, wanted: number[][], tolerance: number) {
  expect(found.length).toBe(wanted.flat().length);
  const worst = Math.max(...wanted.flat().map((value, i) => Math.abs(value - found[i]!)));
  expect(worst).toBeLessThan(tolerance);
}

describe("against refits in float64", () => {
  test.each([
    ["labels alone", "labelsAlone", stored.given.length],
    ["with heads that have no label", "withUnlabelled", stored.features.length],
  ] as const)("%s", async (_, name, heads) => {
    const { targets, confusion } = await refine({
      heads,
      features: flat(stored.features.slice(0, heads)),
      targets: flat(stored.given),
      classes: stored.classes,
    });
    // Rounding to six digits there, float32 here.
    expectNear(targets, stored[name].targets, 2e-4);
    expectNear(confusion, stored[name].confusion, 2e-4);
  });

  // Whoever says everything five times, or has somebody beside him who says the same, says nothing else.
  test.each([
    ["more features than heads", 5, false],
    ["wavelets that see what stage 1 does", 1, true],
    ["both", 5, true],
  ] as const)("%s", async (_, times, twice) => {
    const features = flat(stored.features.map((row) => Array<number[]>(times).fill(row).flat()));
    const { targets, confusion } = await refine({
      heads: stored.features.length,
      features,
      ...(twice ? { wavelets: features } : {}),
      targets: flat(stored.given),
      classes: stored.classes,
    });
    expectNear(targets, stored.withUnlabelled.targets, 2e-4);
    expectNear(confusion, stored.withUnlabelled.confusion, 2e-4);
  });
});

const CLASSES = 4;
const WIDTH = 24;

/** Clouds about corners, `heads` points in turn from each, some labels wrong, the last ones missing. */
function clouds({ heads, labels, wrong, seed }: { heads: number; labels: number; wrong: number; seed: number }) {
  const random = Random.seeded(seed);
  const truth = Array.from({ length: heads }, (_, i) => i % CLASSES);
  const features = Float32Array.from({ length: heads * WIDTH }, (_, at) => {
    const [head, feature] = [Math.floor(at / WIDTH), at % WIDTH];
    return random.normal() + (feature === truth[head]! ? 4 : 0);
  });
  const given = truth
    .slice(0, labels)
    .map((c) => (random.uniform() < wrong ? (c + 1 + random.integer(CLASSES - 1)) % CLASSES : c));
  const targets = Float32Array.from(given.flatMap((c) => Array.from({ length: CLASSES }, (_, k) => (k === c ? 1 : 0))));
  return { truth, given, labels: { heads, features, targets, classes: CLASSES } };
}

const likeliest = (targets: Float32Array) =>
  Array.from({ length: targets.length / CLASSES }, (_, i) => {
    const row = [...targets.subarray(i * CLASSES, (i + 1) * CLASSES)];
    return row.indexOf(Math.max(...row));
  });
const agreement = (a: readonly number[], b: readonly number[]) => b.filter((c, i) => c === a[i]).length / b.length;

describe("where the truth is known", () => {
  test("of labels of which 30 % are wrong, hardly any stays wrong", async () => {
    const { truth, given, labels } = clouds({ heads: 160, labels: 160, wrong: 0.3, seed: 1 });
    const { targets, confusion } = await refine(labels);
    expect(agreement(truth, given)).toBeLessThan(0.78);
    expect(agreement(truth, likeliest(targets))).toBeGreaterThan(0.97);
    // What it makes of the errors: about a tenth goes to each other class.
    for (const [at, share] of confusion.entries()) {
      if (at % (CLASSES + 1) !== 0) expect(share).toBeLessThan(0.25);
      else expect(share).toBeGreaterThan(0.5);
    }
  });

  test("right labels stay", async () => {
    const { truth, labels } = clouds({ heads: 160, labels: 160, wrong: 0, seed: 2 });
    expect(agreement(truth, likeliest((await refine(labels)).targets))).toBe(1);
  });

  test("heads without a label get one", async () => {
    const { truth, labels } = clouds({ heads: 160, labels: 24, wrong: 0, seed: 3 });
    expect(agreement(truth, likeliest((await refine(labels)).targets))).toBeGreaterThan(0.9);
  });
});

test("rows are shares, whatever the features: constant ones, one head more than labels, a class without a label", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer(),
      fc.boolean(),
      async (labels, others, width, seed, constant) => {
        const random = Random.seeded(seed >>> 0);
        const heads = labels + others;
        const features = Float32Array.from({ length: heads * width }, () => (constant ? 7 : 1e3 * random.normal()));
        const given = Array.from({ length: labels }, () => random.integer(CLASSES - 1));
        const targets = Float32Array.from(
          given.flatMap((c) => Array.from({ length: CLASSES }, (_, k) => (k === c ? 1 : 0))),
        );
        const refined = await refine({ heads, features, targets, classes: CLASSES });
        for (let head = 0; head < heads; head++) {
          const row = [...refined.targets.subarray(head * CLASSES, (head + 1) * CLASSES)];
          expect(row.every((share) => share >= 0 && share <= 1.000001)).toBe(true);
          expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        }
      },
    ),
    { numRuns: 25 },
  );
});
