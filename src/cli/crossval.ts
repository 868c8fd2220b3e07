import { resolve } from "node:path";
import { type Dataset, licenceOf, openDataset } from "../datasets/index.ts";
import {
  type CrossvalOptions,
  type CrossvalRun,
  crossValidate,
  officialSplit,
  writeCrossvalReport,
} from "../evaluation/index.ts";
import { foldsInWorkers } from "../jobs/index.ts";
import { AndroscopeError, formatDuration, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { configAndInit } from "./initial.ts";
import {
  atLeast,
  DATASET_OPTIONS,
  datasetOptions,
  deviceChoice,
  INIT_OPTION,
  listOf,
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
  usage:
    "<dataset> [--folds FILE] [--test-fold NAME --train-folds NAME,NAME | --k 5 [--group group|patient] | --group patient --leave-one-out] --out RUN",
  example: "androscope crossval data/hushem --folds data/hushem/folds.csv --seed 1 --out runs/hushem-1",
  options: {
    out: { type: "string", value: "RUN", help: "run folder to create", required: true },
    folds: {
      type: "string",
      value: "FILE",
      help: "CSV with path,fold: published folds; a dataset that has folds of its own uses them without this",
    },
    "test-fold": {
      type: "string",
      value: "NAME",
      help: "test this fold alone; where a dataset has the folds train and test, they are used so without this",
    },
    "train-folds": { type: "string", value: "NAME,NAME", help: "with --test-fold: train on these (all others)" },
    k: { type: "integer", value: "N", help: "draw N stratified folds (5 where the dataset has none of its own)" },
    group: { type: "string", value: "group|patient", help: "keep images of one group or patient in one fold" },
    "leave-one-out": { type: "boolean", help: "with --group: every group or patient is a fold of its own" },
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
    const drawn = options.k !== undefined || group !== undefined;
    const conflicts: [boolean, string][] = [
      [drawn && options.folds !== undefined, "--folds, or --k with --group"],
      [drawn && options["test-fold"] !== undefined, "--test-fold, or --k with --group"],
    ];
    for (const [both, expected] of conflicts) {
      if (both) throw new AndroscopeError("usage/bad-value", { expected, found: "both", fix: "Leave one out." });
    }
    if (options["train-folds"] !== undefined && options["test-fold"] === undefined) {
      throw new AndroscopeError("usage/missing-argument", {
        expected: "--test-fold with --train-folds",
        found: "--train-folds alone",
        fix: "Name the fold that is to be tested.",
      });
    }
    const oneOut = options["leave-one-out"] ?? false;
    if (oneOut && (!group || options.k !== undefined)) {
      throw new AndroscopeError("usage/bad-value", {
        expected: "--leave-one-out with --group, and without --k: there are as many folds as groups",
        found: group ? "--k" : "no --group",
        fix: "For example --group patient --leave-one-out.",
      });
    }
    const workers = workersOf(options.workers);
    const { config, init } = await configAndInit(options.config, options.set, options.init);
    const dataset = await openDataset(path, {
      folds: options.folds,
      ...datasetOptions(options),
    });
    const run = await crossValidate({
      dataset,
      config,
      init,
      seed: atLeast("seed", options.seed, 0),
      split:
        group && oneOut
          ? { kind: "one-out", group }
          : splitOf(dataset, {
              drawn: drawn ? { k: atLeast("k", options.k ?? 5, 2), ...(group ? { group } : {}) } : undefined,
              test: options["test-fold"],
              train: listOf(options["train-folds"]),
            }),
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
      ["--test-fold", options["test-fold"]],
      ["--train-folds", options["train-folds"]],
      ["--k", options.k],
      ["--group", group],
      ["--votes", options.votes],
      ["--agreement", options.agreement],
      ["--attribute", options.attribute],
      ["--size", options.size],
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
      ...(oneOut ? ["--leave-one-out"] : []),
      ...given.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${quoted(value)}`])),
      ...(options.literature ? ["--literature"] : []),
    ];
    return finishCrossval(run, options.out, line.join(" "));
  },
};

/** What was asked for; else the dataset's own folds, as they are meant; else drawn ones. */
function splitOf(
  { samples }: Dataset,
  { drawn, test, train }: { drawn?: { k: number; group?: "group" | "patient" }; test?: string; train?: string[] },
): CrossvalOptions["split"] {
  if (drawn) return { kind: "drawn", ...drawn };
  const names = [...new Set(samples.flatMap(({ fold }) => fold ?? []))];
  if (test !== undefined) return { kind: "held-out", test, train: train ?? names.filter((name) => name !== test) };
  if (names.length === 0) return { kind: "drawn", k: 5 };
  return officialSplit(samples) ?? { kind: "published" };
}

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
    `Balanced accuracy ${percent(result.balancedAccuracy)}, macro F1 ${result.macroF1.toFixed(3)}, kappa ${result.kappa.toFixed(3)}, calibration error ${result.calibrationError.toFixed(3)}${result.folds.length > 1 ? `, ${result.calibrated.calibrationError.toFixed(3)} with a temperature chosen on the other folds` : ""}`,
    ...(result.rocArea === undefined
      ? []
      : [
          `MCC ${result.matthews.toFixed(3)}, area under ROC ${result.rocArea.toFixed(3)}, F0.5 ${result.perClass.map(({ name, fHalf }) => `${fHalf.toFixed(3)} with ${name} as the positive class`).join(", ")}`,
        ]),
    ...(result.labels
      ? [
          `Labels refined: of ${result.labels.doubted} of ${result.labels.count} training images another label is likelier, see labels.csv and the report.`,
        ]
      : []),
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
