/**
 * HuSHeM, published folds, default configuration, three seeds: the mean and spread of what honest cross-validation
 * gives. Finished runs are kept, interrupted ones continue.
 *
 *   androscope's Node: node experiments/hushem.ts ../shared/data/hushem runs
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "../src/datasets/index.ts";
import { crossValidate } from "../src/evaluation/index.ts";
import { foldsInWorkers } from "../src/jobs/index.ts";
import { defaultConfig } from "../src/learning/index.ts";
import { readJson, terminalProgress, version, writeJson } from "../src/runs/index.ts";

interface Metrics {
  accuracy: number;
  correct: number;
  count: number;
  seconds: number;
  peakRssBytes: number;
  folds: { name: string; correct: number; test: number }[];
  [key: string]: unknown;
}

const SEEDS = [1, 2, 3];
const KEPT = [
  "accuracyInterval balancedAccuracy macroPrecision macroRecall macroF1 kappa logLoss brier calibrationError",
  "perClass confusion threads",
].flatMap((names) => names.split(" "));

const [data, out] = process.argv.slice(2);
if (!data || !out) throw new Error("usage: hushem.ts HUSHEM_FOLDER RUNS_FOLDER");
const seeds = [];
for (const seed of SEEDS) {
  const run = join(out, `hushem-${seed}`);
  if (!existsSync(join(run, "metrics.json"))) {
    await crossValidate({
      dataset: await openDataset(data, { folds: join(data, "folds.csv") }),
      config: defaultConfig,
      seed,
      split: { kind: "published" },
      out: run,
      resume: existsSync(run),
      // A thread for each fold, folds side by side: what the command does. Their number does not show in the results.
      threads: 1,
      runFolds: foldsInWorkers("auto"),
      version: version(),
      licence: "CC BY 4.0",
      progress: terminalProgress(),
    });
  }
  const metrics = await readJson<Metrics>(join(run, "metrics.json"));
  const { accuracy, correct, count, seconds, peakRssBytes, folds } = metrics;
  seeds.push({
    seed,
    accuracy,
    correct,
    count,
    seconds,
    peakRssBytes,
    folds: folds.map(({ name, correct, test }) => ({ name, correct, test })),
    ...Object.fromEntries(KEPT.map((key) => [key, metrics[key]])),
  });
}
const accuracies = seeds.map(({ accuracy }) => accuracy);
const mean = accuracies.reduce((sum, value) => sum + value, 0) / seeds.length;
const deviation = Math.sqrt(accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seeds.length - 1));
const results = {
  what: "HuSHeM, published folds, default configuration; fixed steps, averaged last weights, nothing chosen on test folds",
  meanAccuracy: mean,
  deviationOverSeeds: deviation,
  seeds,
};
await writeJson(join(import.meta.dirname, "results/hushem.json"), results);
console.log(JSON.stringify(results, null, 2));
