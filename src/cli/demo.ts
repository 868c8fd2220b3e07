import { phantomDataset } from "../datasets/index.ts";
import { crossValidate } from "../evaluation/index.ts";
import { foldsInWorkers } from "../jobs/index.ts";
import { resolveConfig } from "../learning/index.ts";
import { version } from "../runs/index.ts";
import type { Command } from "./command.ts";
import { finishCrossval } from "./crossval.ts";
import { atLeast, deviceChoice, TRAINING_OPTIONS, WORKER_OPTIONS, workersOf } from "./options.ts";

/** Small enough for a minute or two on two cores, large enough to learn something. */
const DEMO_CONFIG = {
  network: { widths: [12, 24, 48, 96], blocks: [1, 1, 1, 1], viewSize: 48 },
  distill: { steps: 200 },
  tune: { steps: 240 },
};

export const command: Command = {
  name: "demo",
  summary:
    "Cross-validates a small network on generated phantoms of five classes: the whole method in about two minutes.",
  usage: "[--out RUN]",
  example: "androscope demo",
  options: {
    out: { type: "string", value: "RUN", help: "run folder (default: runs/demo-<time>)" },
    count: { type: "integer", value: "N", help: "number of phantoms", default: 200 },
    seed: TRAINING_OPTIONS.seed,
    ...WORKER_OPTIONS,
    device: TRAINING_OPTIONS.device,
  },
  async run({ options, progress }) {
    const out = options.out ?? `runs/demo-${new Date().toISOString().replace(/[:.]/g, "-").slice(0, 19)}`;
    // Two folds of five classes.
    const count = atLeast("count", options.count, 10);
    const seed = atLeast("seed", options.seed, 0);
    const threads = atLeast("threads", options.threads, 1);
    const workers = workersOf(options.workers);
    const device = deviceChoice(options.device);
    progress.log(
      "Training on generated phantoms, not on real cells: the figures show that the program works, nothing more.",
    );
    const run = await crossValidate({
      dataset: phantomDataset({ count, seed }),
      config: resolveConfig(DEMO_CONFIG),
      seed,
      split: { kind: "drawn", k: 2 },
      out,
      threads,
      device,
      version: version(),
      licence: "generated phantoms, Apache-2.0",
      progress,
      runFolds: foldsInWorkers(workers),
    });
    const result = await finishCrossval(
      run,
      out,
      `androscope demo --seed ${seed} --count ${count} --device ${run.result.device} --out ${out}`,
    );
    return {
      ...result,
      text: `Generated phantoms, not real cells.\n${result.text}`,
      next: [
        `open ${out}/report.html in a browser`,
        "bin/androscope crossval <folder with a folder of crops per class> --out runs/mine   cross-validates on your own images",
        "bin/androscope train <folder> --out runs/model   then   bin/androscope predict --model runs/model/model.onnx <images>",
      ],
    };
  },
};
