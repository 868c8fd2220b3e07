import { resolve } from "node:path";
import { licenceOf, openDataset } from "../datasets/index.ts";
import { type CrossvalRun, crossValidate, writeCrossvalReport } from "../evaluation/index.ts";
import { foldsInWorkers } from "../jobs/index.ts";
import { AndroscopeError, formatDuration, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { configAndInit } from "./initial.ts";
import {
  atLeast,
  DATASET_OPTIONS,
  deviceChoice,
  INIT_OPTION,
  oneOf,
  onlyPositional,
  TRAINING_OPTIONS,
  WORKER_OPTIONS,
  workersOf,
} from "./options.ts";

export const command: Command = {
  name: "crossval",
  summary:
    "Cross-validates both stages: fixed steps, averaged last weights, nothing chosen on test folds. Writes a run folder with a report.",
  usage: "<dataset> [--folds FILE | --k 5 [--group group|patient]] --out RUN",
  example: "androscope crossval data/hushem --folds data/hushem/folds.csv --seed 1 --out runs/hushem-1",
  options: {
    out: { type: "string", value: "RUN", help: "run folder to create", required: true },
    folds: {
      type: "string",
      value: "FILE",
      help: "CSV with path,fold: published folds; a dataset that has folds of its own uses them without this",
    },
    k: { type: "integer", value: "N", help: "draw N stratified folds (5 where the dataset has none of its own)" },
    group: { type: "string", value: "group|patient", help: "keep images of one group or patient in one fold" },
    resume: { type: "boolean", help: "continue an interrupted run in --out" },
    literature: { type: "boolean", help: "also compute the literature's selection rule, marked optimistic" },
    ...DATASET_OPTIONS,
    ...TRAINING_OPTIONS,
    ...INIT_OPTION,
    ...WORKER_OPTIONS,
  },
  async run({ positionals, options, progress }) {
    const path = onlyPositional("crossval", "dataset", positionals);
    const group = oneOf("group", options.group, ["group", "patient"]);
    if (options.folds && (options.k !== undefined || group)) {
      throw new AndroscopeError("usage/bad-value", {
        expected: "--folds, or --k with --group",
        found: "both",
        fix: "Leave one out.",
      });
    }
    const workers = workersOf(options.workers);
    const { config, init } = await configAndInit(options.config, options.set, options.init);
    const dataset = await openDataset(path, {
      folds: options.folds,
      agreement: oneOf("agreement", options.agreement, ["partial", "total"]),
      attribute: oneOf("attribute", options.attribute, ["head", "acrosome", "vacuole", "tail"]),
    });
    const own = dataset.samples.some((s) => s.fold !== undefined) && options.k === undefined && !group;
    const run = await crossValidate({
      dataset,
      config,
      init,
      seed: atLeast("seed", options.seed, 0),
      split: own
        ? { kind: "published" }
        : { kind: "drawn", k: atLeast("k", options.k ?? 5, 2), ...(group ? { group } : {}) },
      out: options.out,
      resume: options.resume,
      threads: atLeast("threads", options.threads, 1),
      device: deviceChoice(options.device),
      literature: options.literature,
      version: version(),
      licence: licenceOf(dataset.kind),
      progress,
      runFolds: foldsInWorkers(workers),
    });
    const given: [string, string | number | undefined][] = [
      ["--folds", options.folds],
      ["--k", options.k],
      ["--group", group],
      ["--agreement", options.agreement],
      ["--attribute", options.attribute],
      ["--config", options.config],
      ...(options.set ?? []).map((setting: string): [string, string] => ["--set", setting]),
      ["--init", options.init],
      ["--seed", options.seed],
      ["--threads", options.threads],
      // What auto chose is what repeats the run.
      ["--device", run.result.device],
      ["--out", options.out],
    ];
    const line = [
      `androscope crossval ${quoted(path)}`,
      ...given.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${quoted(value)}`])),
      ...(options.literature ? ["--literature"] : []),
    ];
    return finishCrossval(run, options.out, line.join(" "));
  },
};

/** An argument as a shell reads it back. */
function quoted(value: string | number): string {
  const text = String(value);
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function costOf({ seconds, workers, peakRssBytes, totalPeakRssBytes }: CrossvalRun["result"]): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  return workers > 1
    ? `${formatDuration(seconds)}, ${workers} folds at a time; at most ${gigabytes(peakRssBytes)} of memory in one process, ${gigabytes(totalPeakRssBytes)} in all`
    : `${formatDuration(seconds)}, ${gigabytes(peakRssBytes)} of memory at most`;
}

/** Writes the report and says what came out. */
export async function finishCrossval(run: CrossvalRun, out: string, line: string) {
  const report = await writeCrossvalReport(run, out, { version: version(), command: line });
  const { result } = run;
  const percent = (v: number) => `${(100 * v).toFixed(1)} %`;
  const text = [
    `Accuracy ${percent(result.accuracy)} (${result.correct} of ${result.count}; 95 % interval ${percent(result.accuracyInterval.low)} to ${percent(result.accuracyInterval.high)})`,
    result.protocol,
    ...(result.optimisticAccuracy === undefined
      ? []
      : [
          `Optimistic, chosen on test data as the literature does: ${percent(result.optimisticAccuracy)}. No estimate of accuracy.`,
        ]),
    "",
    ...result.perClass.map(
      (c) =>
        `  ${c.name.padEnd(12)} recall ${percent(c.recall).padStart(7)}  precision ${percent(c.precision).padStart(7)}  (${c.support} images)`,
    ),
    "",
    `Balanced accuracy ${percent(result.balancedAccuracy)}, macro F1 ${result.macroF1.toFixed(3)}, kappa ${result.kappa.toFixed(3)}, calibration error ${result.calibrationError.toFixed(3)}, ${result.calibrated.calibrationError.toFixed(3)} with a temperature chosen on the other folds`,
    `${costOf(result)}; ${result.dataset.skipped} images skipped`,
    `Report: ${resolve(report)}`,
    "Research use only; not for diagnosis.",
  ].join("\n");
  return {
    json: result,
    text,
    next: [
      `open ${report}`,
      "androscope train <dataset> --out RUN   trains one model on everything",
      "androscope crossval <your folder of classes> --out RUN   does this with your own images",
    ],
  };
}
