import { join, resolve } from "node:path";
import { type Dataset, licenceOf, openDataset } from "../datasets/index.ts";
import type { CrossvalResult } from "../evaluation/index.ts";
import { type Config, loadConfig, trainFinal } from "../learning/index.ts";
import { AndroscopeError, formatDuration, hashOf, readJson, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { atLeast, DATASET_OPTIONS, datasetOptions, deviceChoice, onlyPositional, TRAINING_OPTIONS } from "./options.ts";

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
      help: "a finished crossval of the same data and configuration: its temperature makes the probabilities as sure as they are right",
    },
    ...DATASET_OPTIONS,
    ...TRAINING_OPTIONS,
  },
  async run({ positionals, options, progress }) {
    const path = onlyPositional("train", "dataset", positionals);
    const config = await loadConfig(options.config, options.set);
    const dataset = await openDataset(path, datasetOptions(options));
    const result = await trainFinal({
      dataset,
      config,
      seed: atLeast("seed", options.seed, 0),
      out: options.out,
      resume: options.resume,
      threads: atLeast("threads", options.threads, 1),
      device: deviceChoice(options.device),
      ...(options.calibration ? { temperature: await temperatureOf(options.calibration, dataset, config) } : {}),
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
        "How well it does is for androscope crossval to say: a model is not tested on what it learned from.",
        "Research use only; not for diagnosis.",
      ].join("\n"),
      next: [`androscope predict --model ${result.model} <images…> --out predictions.csv`],
    };
  },
};

/** Of a cross-validation of the same. @throws `run/not-a-run`, `run/different` */
async function temperatureOf(run: string, { hash }: Dataset, config: Config): Promise<number> {
  const file = join(run, "metrics.json");
  const found = await readJson<Partial<CrossvalResult>>(file);
  if (typeof found.temperature !== "number" || !found.config || !found.dataset) {
    throw new AndroscopeError("run/not-a-run", {
      expected: "a finished run of this version's androscope crossval",
      found: "none with a temperature",
      where: file,
      fix: "Run androscope crossval with the same data and configuration first.",
    });
  }
  const other =
    found.dataset.hash !== hash ? "other data" : hashOf(found.config) !== hashOf(config) ? "another configuration" : "";
  if (other !== "" || found.change) {
    throw new AndroscopeError("run/different", {
      expected: "a cross-validation of the same data and configuration",
      found: other || "a study's, whose training images were changed",
      where: run,
      fix: "Name the crossval that belongs to this model, or leave --calibration out.",
    });
  }
  return found.temperature;
}
