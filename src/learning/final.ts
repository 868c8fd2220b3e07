/** One model from a whole dataset, in a run folder. */
import type { Device } from "../autodiff/index.ts";
import { type Dataset, requireStillTrainable, requireTrainable } from "../datasets/index.ts";
import { openRun, type Progress, peakRss, writeFileAtomic, writeJson } from "../runs/index.ts";
import type { Acceptance } from "./acceptance.ts";
import type { Config } from "./config.ts";
import { type DeviceChoice, usableDevice } from "./device.ts";
import { train } from "./fold.ts";
import { type EncoderInit, requireInit } from "./imagenet.ts";
import { doubted, labelsCsv } from "./label-opinions.ts";
import { exportModel, Model, writeModel } from "./model.ts";
import { preparedFor } from "./prepare.ts";
import type { CurvePoint } from "./training.ts";

export interface TrainFinalOptions {
  dataset: Dataset;
  config: Config;
  /** What stage 1's encoder starts from, and stage 2's where the configuration says so; random weights by default. */
  init?: EncoderInit;
  seed: number;
  out: string;
  resume?: boolean;
  threads: number;
  device?: DeviceChoice;
  /** Of the probabilities, from a cross-validation of the same; 1 by default. */
  temperature?: number;
  /** Whether the model refuses what is unlike the heads that it learned from. It takes everything by default. */
  refuses?: boolean;
  /** Weights in half precision. */
  compact?: boolean;
  version: string;
  licence: string;
  progress: Progress;
}

export interface TrainFinalResult {
  model: string;
  /** Where it was trained. */
  device: Device;
  images: number;
  skipped: number;
  classes: readonly string[];
  temperature: number;
  acceptance?: Acceptance;
  seconds: number;
  peakRssBytes: number;
  /** Where labels were refined: training images, and those of which another label is likelier. */
  labels?: { count: number; doubted: number };
  curves: { distill: CurvePoint[]; tune: CurvePoint[] };
}

/** Trains on every labelled image; images without a label serve stage 1. Writes model.onnx and metrics.json. */
export async function trainFinal(options: TrainFinalOptions): Promise<TrainFinalResult> {
  const {
    dataset,
    config,
    init,
    seed,
    threads,
    temperature = 1,
    refuses = false,
    compact = false,
    version,
    progress,
  } = options;
  requireInit(config, init);
  requireTrainable(dataset);
  const device = await usableDevice(options.device, { say: (text) => progress.log(text) });
  const identity = {
    command: "train",
    version,
    dataset: { kind: dataset.kind, hash: dataset.hash, classes: dataset.classes },
    seed,
    threads,
    device,
    ...(temperature === 1 ? {} : { temperature }),
    ...(refuses ? { refuses } : {}),
    ...(compact ? { compact } : {}),
    ...(init ? { init: init.hash } : {}),
    config,
  };
  const run = await openRun(options.out, identity, { resume: options.resume });
  try {
    await run.event(options.resume ? "resumed" : "started", { version });
    const begun = performance.now();
    const set = await preparedFor(run, dataset, progress, ({ ids }) => requireStillTrainable(dataset, new Set(ids)));
    const all = [...set.ids.keys()];
    const labelled = all.filter((i) => set.labels[i]! >= 0);
    const trained = await train({
      set,
      train: labelled,
      unlabelled: all.filter((i) => set.labels[i]! < 0),
      config,
      init: init?.weights,
      seed,
      name: "all",
      threads,
      device,
      folder: run.file("checkpoint"),
      progress,
    });
    const acceptance = refuses ? trained.acceptance : undefined;
    const bytes = await exportModel(
      { ...trained.parts, temperature },
      {
        program: `androscope ${version}`,
        classes: set.classes,
        acceptance,
        compact,
        training: {
          dataset: dataset.kind,
          hash: dataset.hash,
          images: labelled.length,
          seed,
          licence: options.licence,
          ...(init ? { init: init.hash } : {}),
          transductive: false,
          device,
        },
      },
    );
    // Loaded once before it is written: a model that fails its own golden check must not leave this house.
    (await Model.from(bytes, "the new model", { threads, device })).dispose();
    const model = run.file("model.onnx");
    await writeModel(model, bytes);
    const result: TrainFinalResult = {
      model,
      device,
      images: labelled.length,
      skipped: set.problems.length,
      classes: set.classes,
      seconds: (performance.now() - begun) / 1000,
      peakRssBytes: peakRss(),
      temperature,
      ...(acceptance ? { acceptance } : {}),
      ...(trained.labels ? { labels: { count: trained.labels.length, doubted: doubted(trained.labels).length } } : {}),
      curves: trained.curves,
    };
    if (trained.labels) {
      await writeFileAtomic(run.file("labels.csv"), labelsCsv(trained.labels, set.ids, set.classes));
    }
    await writeJson(run.file("metrics.json"), { ...result, problems: set.problems });
    await run.event("finished", {});
    return result;
  } finally {
    await run.close();
  }
}
