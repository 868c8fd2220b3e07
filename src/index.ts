/**
 * The public API of Androscope: what the commands do, for programs. Research use only; not for diagnosis.
 *
 * The whole way, from a folder per class to the class of a new crop:
 *
 * ```ts
 * import { crossValidate, Model, openDataset, readImage, train } from "androscope";
 *
 * const dataset = await openDataset("crops");
 * const config = { distill: { steps: 300 }, tune: { steps: 320 } }; // the defaults
 *
 * const { result } = await crossValidate({ dataset, config, out: "runs/crossval", split: { kind: "drawn", k: 2 } });
 * console.log(result.accuracy, result.accuracyInterval, result.protocol);
 *
 * const { model: path } = await train({ dataset, config, out: "runs/model" });
 * const model = await Model.load(path);
 * const [prediction] = await model.predict([await readImage("new.png")]);
 * console.log(model.metadata.classes[prediction!.label], prediction!.probabilities);
 * model.dispose();
 * ```
 *
 * Everything that fails in a way a person can act on throws an {@link AndroscopeError} with a stable code. Nothing is
 * printed unless a {@link Progress} is given. `androscope/autodiff`, the training of networks on ONNX Runtime, is an
 * entry point of its own.
 */
import type { z } from "zod";
import { type Dataset, licenceOf } from "./datasets/index.ts";
import {
  type CrossvalOptions,
  type CrossvalResult,
  crossValidate as crossValidateWith,
  officialSplit,
  writeCrossvalReport,
} from "./evaluation/index.ts";
import { foldsInWorkers, type Workers } from "./jobs/index.ts";
import {
  type configSchema,
  type DeviceChoice,
  networkForInit,
  networkOfInit,
  readInit,
  resolveConfig,
  type TrainFinalResult,
  trainFinal,
  withNetwork,
} from "./learning/index.ts";
import { type Progress, silent, version } from "./runs/index.ts";

/**
 * Datasets: a folder per class, a CSV manifest, or one of the public sets. docs/data.md says what is read.
 *
 * ```ts
 * import { openDataset } from "androscope";
 *
 * const dataset = await openDataset("crops");
 * for (const { id, label } of dataset.samples) console.log(id, label === undefined ? "" : dataset.classes[label]);
 * for (const { id, code, message } of dataset.problems) console.log(id, code, message);
 * ```
 *
 * Phantoms are drawn heads with exact masks, parts and poses; the same seed gives the same bytes.
 *
 * ```ts
 * import { encodePng, generatePhantoms } from "androscope";
 *
 * for (const { kind, image, mask, pose } of generatePhantoms({ count: 5, seed: 1 })) {
 *   console.log(kind, mask.data.filter(Boolean).length, "pixels", pose.angle, (await encodePng(image)).length, "bytes");
 * }
 * ```
 */
export {
  type Dataset,
  type Description,
  describeDataset,
  generatePhantom,
  generatePhantoms,
  type ImportResult,
  importPublicSet,
  licenceOf,
  type OpenOptions,
  openDataset,
  PHANTOM_CLASSES,
  type Phantom,
  type PhantomField,
  type Problem,
  PUBLIC_SETS,
  phantomDataset,
  phantomField,
  type Sample,
  writePhantomDataset,
} from "./datasets/index.ts";
/** Figures of merit from out-of-fold predictions, and folds. `computeMetrics` and `wilson` are pure functions. */
/**
 * Teaching a finished model what a laboratory calls its heads: the last layer learned again from reviewed heads, old and new
 * compared on others (docs/method.md).
 *
 * ```ts
 * import { readFile, writeFile } from "node:fs/promises";
 * import { adaptLastLayer, BUNDLED_MODEL, generatePhantoms, lastLayer, Model, withLastLayer } from "androscope";
 *
 * const bytes = await readFile(BUNDLED_MODEL);
 * const { layer, metadata } = lastLayer(bytes, BUNDLED_MODEL);
 * const model = await Model.from(bytes, BUNDLED_MODEL);
 * const crops = [...generatePhantoms({ count: 24, seed: 1 })]; // or crops of your own, and your classes
 * const seen = await model.predict(crops.map(({ image }) => image));
 * const heads = seen.map(({ features, label }, i) => ({ id: `${i}`, label, group: `photograph ${i % 6}`, features }));
 * const { layer: learned, strength } = await adaptLastLayer(layer, heads, { temperature: metadata.temperature, seed: 1 });
 * if (Number.isFinite(strength)) {
 *   const described = { program: "my laboratory", heads: heads.length, strength };
 *   await writeFile("adapted.onnx", await withLastLayer(bytes, BUNDLED_MODEL, learned, described));
 * }
 * model.dispose();
 * ```
 */
export {
  type Adaptation,
  adaptLastLayer,
  type ClassMetrics,
  type CrossvalResult,
  compareModels,
  computeMetrics,
  drawFolds,
  type Interval,
  type JudgedHead,
  type Metrics,
  type ModelComparison,
  mcnemar,
  type PredictionRow,
  publishedFolds,
  type ReviewedHead,
  type SplitOptions,
  wilson,
} from "./evaluation/index.ts";
/**
 * Whole photographs of smears: every head found, outlined, measured and classified (docs/fields.md). `Analyser` does one
 * photograph at a time, `countSample` a sample into a folder of exports, as `androscope field` does; `learnFields` learns a
 * detector from photographs that nobody has labelled.
 *
 * ```ts
 * import { Analyser, estimateFrom, phantomField } from "androscope";
 *
 * const { image } = phantomField({ seed: 1, heads: 6 }); // or await readImage("smear.jpg")
 * const analyser = await Analyser.open({ threads: 2 });
 * const { heads } = await analyser.field(image, await estimateFrom([async () => image]));
 * for (const { number, state, measures } of heads) console.log(number, state, measures.lengthPx, "pixels long");
 * analyser.dispose();
 * ```
 */
export {
  Analyser,
  type AnalyserDescription,
  type Analysis,
  BUNDLED_DETECTOR,
  countSample,
  estimateFrom,
  type FoundHead,
  type LearnFieldsOptions,
  learnFields,
  type SampleCount,
  type SampleCountOptions,
  writeDetector,
} from "./fields/index.ts";
/**
 * Stage 0, without a network: the mask of the head nearest the centre, its parts, pose and measures. Lengths are in
 * pixels; multiply by µm per pixel only where it is known.
 *
 * ```ts
 * import { morphometry, parts, pseudoMask, readImage } from "androscope";
 *
 * const { mask, reliability, accepted, contrast } = pseudoMask(await readImage("new.png"));
 * const measures = morphometry(mask, parts(mask, contrast.plane), contrast.plane);
 * if (accepted) console.log(reliability, measures?.lengthPx, measures?.widthPx, measures?.acrosomeShare);
 * ```
 */
export {
  ACCEPTED_RELIABILITY,
  type Contrast,
  contrast,
  type HeadMask,
  intersectionOverUnion,
  type Morphometry,
  morphometry,
  PARTS,
  type Pose,
  type PseudoMaskOptions,
  parts,
  pose,
  pseudoMask,
  type Vacuoles,
  vacuoles,
} from "./heads/index.ts";
/** Pixels: decoding decides by content, never by the file's name, and always gives 8-bit RGB. */
export {
  type DecodedImage,
  decodeImage,
  encodeMaskPng,
  encodePng,
  type Image,
  type Mask,
  outlines,
  type Plane,
  readImage,
} from "./imaging/index.ts";
/**
 * The configuration of the method, and the model: one .onnx file that takes raw crops. `Model.load` checks that the
 * file is one of Androscope's and reproduces its own golden output here. `predictFiles` reads, predicts and measures many
 * image files on several cores: `androscope predict`. `BUNDLED_MODEL` is the path of the model that comes with the
 * program (models/hushem.md). Where a prediction has `refused`, its crop shows no head that the model knows.
 *
 * ```ts
 * import { defaultConfig, isAndroscopeError, Model, resolveConfig } from "androscope";
 *
 * const config = resolveConfig({ tune: { steps: 200 } }); // everything else by default; unknown keys throw
 * console.log(config.tune.steps, defaultConfig.tune.steps);
 * try {
 *   await Model.load("new.png");
 * } catch (error) {
 *   if (isAndroscopeError(error, "model/not-a-model")) console.log(error.fix);
 * }
 * ```
 */
export {
  type Acceptance,
  BUNDLED_MODEL,
  type Config,
  configSchema,
  type DeviceChoice,
  defaultConfig,
  type FilePrediction,
  frameToCrop,
  type LastLayer,
  lastLayer,
  loadConfig,
  MODEL_FORMAT,
  MODEL_OUTPUTS,
  Model,
  type ModelMetadata,
  type PredictedFiles,
  type PredictFilesOptions,
  type Prediction,
  predictFiles,
  type Refusal,
  resolveConfig,
  type TrainFinalResult,
  withLastLayer,
} from "./learning/index.ts";
/** Errors with codes, progress, and the one source of randomness. */
export {
  AndroscopeError,
  ERROR_CODES,
  type ErrorCode,
  isAndroscopeError,
  type Progress,
  Random,
  silent,
  terminalProgress,
  version,
} from "./runs/index.ts";

/** What {@link train} and {@link crossValidate} have in common. */
export interface RunOptions {
  dataset: Dataset;
  /** The run folder to create; docs say what it holds. */
  out: string;
  /** Any part of the configuration; the rest is the default. */
  config?: z.input<typeof configSchema>;
  /**
   * Optional folder with MobileNet v1 weights in TensorFlow.js's layers format, from which stage 1 starts instead of from
   * random ones, or stage 2 where that has a network of its own; it decides the network where `config` does not. docs/data.md says where to get it.
   */
  init?: string;
  /** Seed of everything random: a whole number from 0. Default 1. */
  seed?: number;
  /** Threads per operator. Results depend on it in the last bits. Default 2. */
  threads?: number;
  /** Where the networks are computed; `auto` takes the fastest that works. Default: the processor. */
  device?: DeviceChoice;
  /** Continue an interrupted run in `out`. */
  resume?: boolean;
  /** Licence of the training images, for the model's metadata. Known for public sets and phantoms. */
  licence?: string;
  /** Default: silent. */
  progress?: Progress;
}

async function resolved({
  dataset,
  config = {},
  init: folder,
  seed = 1,
  threads = 2,
  licence,
  progress = silent,
  ...rest
}: RunOptions) {
  const asked: Record<string, unknown> = structuredClone(config);
  if (folder !== undefined) withNetwork(asked, await networkOfInit(folder));
  const whole = resolveConfig(asked);
  return {
    ...rest,
    dataset,
    config: whole,
    ...(folder === undefined ? {} : { init: await readInit(folder, networkForInit(whole)) }),
    seed,
    threads,
    version: version(),
    licence: licence ?? licenceOf(dataset.kind),
    progress,
  };
}

/**
 * Trains one model on a whole dataset: `androscope train`. Images without a label serve stage 1.
 * @returns the path of model.onnx among others. How well it does is for {@link crossValidate} to say.
 * @throws `config/*`, `data/*`, `weights/*`, `run/*`, `file/*`, `device/*`
 */
export async function train(options: RunOptions): Promise<TrainFinalResult> {
  return trainFinal(await resolved(options));
}

export interface CrossValidateOptions extends RunOptions {
  /**
   * Default: the dataset's own folds where it has any, tested in turn, or test after training on train where these are
   * their names; else five drawn ones, stratified by class.
   */
  split?: CrossvalOptions["split"];
  /** Also compute the literature's selection rule, which is chosen on test data and marked optimistic. */
  literature?: boolean;
  /**
   * Folds at a time, each in a Node process of its own; the result does not depend on it. "auto": as many as cores and
   * memory allow. Default 1: all in this process.
   */
  workers?: Workers;
}

/**
 * Cross-validates both stages: `androscope crossval`. A fixed number of steps, the averaged last weights, nothing
 * chosen on a test fold.
 * @returns the figures, also in metrics.json, and the path of the report
 * @throws `config/*`, `data/*`, `weights/*`, `run/*`, `file/*`, `device/*`
 */
export async function crossValidate({
  split,
  literature,
  workers = 1,
  ...options
}: CrossValidateOptions): Promise<{ result: CrossvalResult; report: string }> {
  const own = options.dataset.samples.some(({ fold }) => fold !== undefined);
  const run = await crossValidateWith({
    ...(await resolved(options)),
    split: split ?? (own ? (officialSplit(options.dataset.samples) ?? { kind: "published" }) : { kind: "drawn", k: 5 }),
    literature,
    runFolds: foldsInWorkers(workers),
  });
  const report = await writeCrossvalReport(run, options.out, {
    version: version(),
    command: `crossValidate from a program, seed ${options.seed ?? 1}`,
  });
  return { result: run.result, report };
}
