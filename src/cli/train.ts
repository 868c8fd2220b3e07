import { join, resolve } from "node:path";
import { type Dataset, licenceOf, openDataset } from "../datasets/index.ts";
import type { CrossvalResult } from "../evaluation/index.ts";
import { type Acceptance, type Config, type EncoderInit, trainFinal } from "../learning/index.ts";
import { AndroscopeError, formatDuration, hashOf, readJson, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { configAndInit } from "./initial.ts";
import {
  atLeast,
  DATASET_OPTIONS,
  datasetOptions,
  deviceChoice,
  INIT_OPTION,
  onlyPositional,
  TRAINING_OPTIONS,
} from "./options.ts";

export const command: Command = {
  name: "train",
  summary: "Trains one model on a whole dataset and writes it as a single model.onnx that takes raw crops.",
  usage: "<dataset> --out RUN",
  example: "androscope train data/hushem --out runs/hushem-all",
  options: {
    out: { type: "string", value: "RUN", help: "run folder to create", required: true },
    resume: { type: "boolean", help: "continue an interrupted run in --out" },
    calibration: {
      type: "string",
      value: "RUN",
      help: "a finished crossval of the same data and configuration: from its out-of-fold predictions the model learns how sure to be, and it refuses what is unlike the heads that it learned from",
    },
    compact: {
      type: "boolean",
      help: "weights in half precision: half the size, probabilities differ in the third digit",
    },
    ...DATASET_OPTIONS,
    ...TRAINING_OPTIONS,
    ...INIT_OPTION,
  },
  async run({ positionals, options, progress }) {
    const path = onlyPositional("train", "dataset", positionals);
    const { config, init } = await configAndInit(options.config, options.set, options.init);
    const dataset = await openDataset(path, datasetOptions(options));
    const result = await trainFinal({
      dataset,
      config,
      init,
      seed: atLeast("seed", options.seed, 0),
      out: options.out,
      resume: options.resume,
      threads: atLeast("threads", options.threads, 1),
      device: deviceChoice(options.device),
      ...(options.calibration ? await calibrationOf(options.calibration, dataset, config, init) : {}),
      compact: options.compact,
      version: version(),
      licence: licenceOf(dataset.kind),
      progress,
    });
    return {
      json: result,
      text: [
        `Model: ${resolve(result.model)}`,
        `Trained on ${result.images} images of ${result.classes.length} classes in ${formatDuration(result.seconds)}; ${result.skipped} skipped.`,
        result.temperature === 1
          ? "Its probabilities are not calibrated: --calibration RUN takes a temperature from a crossval."
          : `Its probabilities are calibrated with a temperature of ${result.temperature.toFixed(3)}.`,
        ...(result.acceptance ? [`It refuses crops that show no head it knows: ${inWords(result.acceptance)}.`] : []),
        ...(result.labels
          ? [
              `Labels refined: of ${result.labels.doubted} of ${result.labels.count} images another label is likelier, see labels.csv.`,
            ]
          : []),
        "How well it does is for androscope crossval to say: a model is not tested on what it learned from.",
        "Research use only; not for diagnosis.",
      ].join("\n"),
      next: [`androscope predict --model ${result.model} <images…> --out predictions.csv`],
    };
  },
};

function inWords({ agreement, length, width }: Acceptance): string {
  const range = ([low, high]: readonly [number, number]) => `${low.toFixed(0)} to ${high.toFixed(0)} px`;
  return `masks must agree to ${agreement.toFixed(2)}, length ${range(length)}, width ${range(width)}`;
}

/** Of a cross-validation of the same. @throws `run/not-a-run`, `run/different` */
async function calibrationOf(
  run: string,
  { hash }: Dataset,
  config: Config,
  init: EncoderInit | undefined,
): Promise<{ temperature: number; refuses: true }> {
  const file = join(run, "metrics.json");
  const found = await readJson<Partial<CrossvalResult>>(file);
  const { temperature } = found;
  if (typeof temperature !== "number" || !found.config || !found.dataset) {
    throw new AndroscopeError("run/not-a-run", {
      expected: "a finished run of this version's androscope crossval",
      found: "none with a temperature",
      where: file,
      fix: "Run androscope crossval with the same data and configuration first.",
    });
  }
  const same = {
    data: (found.dataset.hashWithoutFolds ?? found.dataset.hash) === hash,
    config: hashOf(found.config) === hashOf(config),
  };
  const other = !same.data
    ? "other data"
    : !same.config
      ? "another configuration"
      : found.init !== init?.hash
        ? "other weights to start from"
        : "";
  if (other !== "" || found.change) {
    throw new AndroscopeError("run/different", {
      expected: "a cross-validation of the same data and configuration",
      found: other || "a study's, whose training images were changed",
      where: run,
      fix: "Name the crossval that belongs to this model, or leave --calibration out.",
    });
  }
  return { temperature, refuses: true };
}
