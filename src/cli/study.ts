import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { licenceOf, openDataset } from "../datasets/index.ts";
import { type RowSummary, runStudy, type Study, summarizeStudy } from "../evaluation/index.ts";
import { foldsInPool, WorkerPool, workersFor } from "../jobs/index.ts";
import { AndroscopeError, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { atLeast, DATASET_OPTIONS, datasetOptions, listOf, WORKER_OPTIONS, workersOf } from "./options.ts";

const STUDIES = fileURLToPath(new URL("../../experiments/studies/", import.meta.url));
const RESULTS = fileURLToPath(new URL("../../experiments/results/studies/", import.meta.url));

/** About the memory of one training of the default network: studies may hold several configurations. */
const BYTES = 1e9;

export const command: Command = {
  name: "study",
  summary:
    "Runs a study: configurations compared on the same folds with the same seeds. Computes what is missing in its results, which are kept after every cross-validation.",
  usage: "<study> <dataset> [--folds FILE] --out RUNS",
  example: "androscope study ablation data/hushem --folds data/hushem/folds.csv --seeds 1,2 --out runs/ablation",
  options: {
    out: { type: "string", value: "RUNS", help: "folder for what is being computed", required: true },
    folds: { type: "string", value: "FILE", help: "CSV with path,fold: published folds" },
    results: { type: "string", value: "FILE", help: "JSON file of results (experiments/results/studies/NAME.json)" },
    seeds: { type: "string", value: "N,N", help: "only these seeds; all of the study by default" },
    rows: { type: "string", value: "NAME,NAME", help: "only these rows; all of the study by default" },
    init: { type: "string", value: "FOLDER", help: "weights for the rows that start from some (docs/data.md)" },
    ...DATASET_OPTIONS,
    ...WORKER_OPTIONS,
  },
  async run({ positionals, options, progress }) {
    const [name, path, ...rest] = positionals;
    if (name === undefined || path === undefined || rest.length > 0) {
      throw new AndroscopeError("usage/missing-argument", {
        expected: `a study and a dataset; there are ${(await studyNames()).join(", ")}`,
        found: positionals.join(" ") || "nothing",
        fix: "See androscope study --help.",
      });
    }
    const study = await studyOf(name);
    const rows = listOf(options.rows);
    const unknown = rows?.find((row) => !study.rows.some((known) => known.name === row));
    if (unknown !== undefined) throw badValue("--rows", `rows of ${name}: ${study.rows.map((r) => r.name)}`, unknown);
    const seeds = listOf(options.seeds)?.map((text) => {
      if (!/^\d{1,9}$/.test(text)) throw badValue("--seeds", "whole numbers with commas between", text);
      return Number(text);
    });
    const threads = atLeast("threads", options.threads, 1);
    const dataset = await openDataset(path, {
      folds: options.folds,
      ...study.dataset,
      ...datasetOptions(options),
    });
    const workers = workersFor(workersOf(options.workers), { tasks: Number.POSITIVE_INFINITY, threads, bytes: BYTES });
    const results = options.results ?? join(RESULTS, `${name}.json`);
    const found = await runStudy({
      study,
      dataset,
      results,
      folder: options.out,
      ...(options.init ? { init: options.init } : {}),
      ...(seeds ? { seeds } : {}),
      ...(rows ? { rows } : {}),
      threads,
      version: version(),
      licence: licenceOf(dataset.kind),
      runFolds: foldsInPool(new WorkerPool({ workers, progress })),
      progress,
    });
    const summary = summarizeStudy(study, found);
    return {
      json: { study: name, results: resolve(results), summary },
      text: [
        study.title,
        "",
        ...summary.map(line),
        "",
        `Results: ${resolve(results)}`,
        "Research use only; not for diagnosis.",
      ].join("\n"),
      next: ["npm run results   writes the tables and figures of docs/results.md"],
    };
  },
};

function badValue(where: string, expected: string, found: string): AndroscopeError {
  return new AndroscopeError("usage/bad-value", { expected, found, where, fix: "See androscope study --help." });
}

async function studyNames(): Promise<string[]> {
  const files = await readdir(STUDIES).catch(() => []);
  return files.filter((file) => /^[\w-]+\.ts$/.test(file)).map((file) => file.slice(0, -3));
}

async function studyOf(name: string): Promise<Study> {
  const names = await studyNames();
  if (!names.includes(name)) throw badValue("study", `one of ${names.join(", ")}`, name);
  const { study } = (await import(new URL(`../../experiments/studies/${name}.ts`, import.meta.url).href)) as {
    study: Study;
  };
  return study;
}

function line({ name, mean, deviation, accuracies, difference }: RowSummary): string {
  const percent = (value: number) => (100 * value).toFixed(1);
  const spread = accuracies.length > 1 ? ` ± ${percent(deviation)}` : "";
  const gain = difference
    ? `  against ${difference.against}: ${difference.mean < 0 ? "" : "+"}${percent(difference.mean)} (${percent(difference.interval.low)} to ${percent(difference.interval.high)})`
    : "";
  return `  ${name.padEnd(18)} ${percent(mean)} %${spread}, ${accuracies.length} seeds${gain}`;
}
