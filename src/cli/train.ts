import { resolve } from "node:path";
import { licenceOf, openDataset } from "../datasets/index.ts";
import { loadConfig, trainFinal } from "../learning/index.ts";
import { formatDuration, version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { atLeast, DATASET_OPTIONS, deviceChoice, oneOf, onlyPositional, TRAINING_OPTIONS } from "./options.ts";

export const command: Command = {
  name: "train",
  summary: "Trains one model on a whole dataset and writes it as a single model.onnx that takes raw crops.",
  usage: "<dataset> --out RUN",
  example: "androscope train data/hushem --out runs/hushem-all",
  options: {
    out: { type: "string", value: "RUN", help: "run folder to create", required: true },
    resume: { type: "boolean", help: "continue an interrupted run in --out" },
    ...DATASET_OPTIONS,
    ...TRAINING_OPTIONS,
  },
  async run({ positionals, options, progress }) {
    const path = onlyPositional("train", "dataset", positionals);
    const config = await loadConfig(options.config, options.set);
    const dataset = await openDataset(path, {
      agreement: oneOf("agreement", options.agreement, ["partial", "total"]),
      attribute: oneOf("attribute", options.attribute, ["head", "acrosome", "vacuole", "tail"]),
    });
    const result = await trainFinal({
      dataset,
      config,
      seed: atLeast("seed", options.seed, 0),
      out: options.out,
      resume: options.resume,
      threads: atLeast("threads", options.threads, 1),
      device: deviceChoice(options.device),
      version: version(),
      licence: licenceOf(dataset.kind),
      progress,
    });
    return {
      json: result,
      text: [
        `Model: ${resolve(result.model)}`,
        `Trained on ${result.images} images of ${result.classes.length} classes in ${formatDuration(result.seconds)}; ${result.skipped} skipped.`,
        "How well it does is for androscope crossval to say: a model is not tested on what it learned from.",
        "Research use only; not for diagnosis.",
      ].join("\n"),
      next: [`androscope predict --model ${result.model} <images…> --out predictions.csv`],
    };
  },
};
