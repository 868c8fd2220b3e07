/**
 * Honest cross-validation: a fixed number of steps, the averaged last weights, nothing chosen on a test fold. What the
 * literature does instead (looking at the test fold at every epoch and keeping the best) can be computed beside it, and
 * is marked optimistic.
 */
import type { Device } from "../autodiff/index.ts";
import { type Dataset, requireStillTrainable, requireTrainable } from "../datasets/index.ts";
import {
  type Config,
  type DeviceChoice,
  doubted,
  type EncoderInit,
  keepInit,
  type LabelOpinion,
  labelsCsv,
  meanOpinions,
  type PreparedSet,
  preparedFor,
  requireInit,
  usableDevice,
} from "../learning/index.ts";
import {
  AndroscopeError,
  elapsedSeconds,
  mostAtOnce,
  openRun,
  type Progress,
  peakRss,
  Random,
  type RunFolder,
  workSeconds,
  writeFileAtomic,
  writeJson,
} from "../runs/index.ts";
import { calibrateFolds, fitTemperature } from "./calibration.ts";
import { type Environment, environment } from "./environment.ts";
import {
  type FoldRecord,
  type FoldResult,
  type FoldsRun,
  type FoldTask,
  foldsInTurn,
  keepStage1,
  readFold,
  readFoldMasks,
  recallStage1,
} from "./fold-task.ts";
import { type Grouping, groupings } from "./grouping.ts";
import { computeMetrics, type Metrics, type PredictionRow } from "./metrics.ts";
import { predictionsCsv } from "./predictions-csv.ts";
import { protocolOf } from "./protocol.ts";
import { concernedBy, foldsOf, type HeldOutSplit, pairsOf, type Split } from "./splits.ts";
import { changedTraining, describeChange, type TrainingChange } from "./training-change.ts";

export interface CrossvalOptions {
  dataset: Dataset;
  config: Config;
  /** What stage 1's encoder starts from, and stage 2's where the configuration says so; random weights by default. */
  init?: EncoderInit;
  seed: number;
  /**
   * Use the dataset's own folds, one at a time or, for choices inside training folds (nested.ts), every two of them
   * together, or a single one that others are trained for; or draw `k`, keeping groups together where asked; or leave one
   * group or patient out at a time.
   */
  split: Split;
  out: string;
  resume?: boolean;
  threads: number;
  device?: DeviceChoice;
  /** Also compute the literature's selection rule. */
  literature?: boolean;
  /** What is taken from the training images beforehand, in studies. */
  change?: TrainingChange;
  /** A folder where stage 1 of each fold is kept for other runs, and taken from where one that is the same is there. */
  stage1?: string;
  version: string;
  licence: string;
  progress: Progress;
  /**
   * What does the folds that are not done yet; without it they run one after the other in this process. The result does
   * not depend on it.
   */
  runFolds?: (tasks: readonly FoldTask[], run: FoldsRun) => Promise<void>;
}

export interface CrossvalResult extends Metrics {
  protocol: string;
  split: Split;
  /** How images of one patient or group lie in the folds; empty where the data do not say. */
  grouping: Grouping[];
  folds: FoldResult[];
  /** The same figures, each fold with the temperature that suits the others: calibration.ts. */
  calibrated: Pick<Metrics, "logLoss" | "brier" | "calibrationError" | "calibration"> & {
    temperatures: { fold: string; temperature: number }[];
  };
  /** That suits all out-of-fold predictions: for a model that is trained on everything. */
  temperature: number;
  /** Mean of the five best test epochs per fold, as published code of this field does. Optimistic: chosen on test data. */
  optimisticAccuracy?: number;
  /** Where labels were refined: training images, and those of which another label is likelier. */
  labels?: { count: number; doubted: number };
  config: Config;
  change?: TrainingChange;
  /** Hash of the weights from elsewhere that encoders started from. */
  init?: string;
  seed: number;
  threads: number;
  /** Where the networks were computed. */
  device: Device;
  dataset: { kind: string; hash: string; hashWithoutFolds?: string; images: number; skipped: number };
  /** That passed while somebody worked on it, and those of work: more, where several processes worked at one time. */
  seconds: number;
  workSeconds: number;
  /** Folds that were worked on at one time, at most. */
  workers: number;
  /** Of one process, the largest; and of all that ran at one time together, at most. */
  peakRssBytes: number;
  totalPeakRssBytes: number;
}

/** What a report is drawn from. */
export interface CrossvalRun {
  result: CrossvalResult;
  records: readonly FoldRecord[];
  rows: readonly PredictionRow[];
  set: PreparedSet;
  environment: Environment;
  /** Masks of the samples in their frame, by sample. */
  masks: ReadonlyMap<number, Float32Array>;
}

/** Runs or resumes a cross-validation into a run folder. */
export async function crossValidate(options: CrossvalOptions): Promise<CrossvalRun> {
  const { config, init, seed, split, progress } = options;
  const dataset = split.kind === "held-out" ? partsOf(options.dataset, split) : options.dataset;
  requireInit(config, init);
  const labelled = dataset.samples.filter((s) => s.label !== undefined);
  const least = split.kind === "drawn" ? split.k : split.kind === "held-out" ? 1 : 2;
  requireTrainable(dataset, least);
  const device = await usableDevice(options.device, { say: (text) => progress.log(text) });
  const identity = {
    command: "crossval",
    version: options.version,
    dataset: { kind: dataset.kind, hash: dataset.hash, classes: dataset.classes },
    split,
    seed,
    threads: options.threads,
    device,
    literature: options.literature ?? false,
    ...(options.change ? { change: options.change } : {}),
    ...(init ? { init: init.hash } : {}),
    config,
  };
  const folds = foldsOf(split, labelled, seed);
  requireFilledFolds(folds, dataset.root);
  const run = await openRun(options.out, identity, { resume: options.resume });
  try {
    await run.event(options.resume ? "resumed" : "started", { version: options.version });
    await writeJson(run.file("environment.json"), environment());
    const foldOf = new Map(labelled.map((s, i) => [s.id, folds.fold[i]!]));
    await writeJson(run.file("splits.json"), {
      folds: folds.names,
      images: Object.fromEntries([...foldOf].map(([id, f]) => [id, folds.names[f]])),
    });
    const begun = performance.now();
    const set = await preparedFor(run, dataset, progress, ({ ids }) => {
      const read = new Set(ids);
      requireStillTrainable(dataset, read, least);
      const usable = folds.fold.filter((_, i) => read.has(labelled[i]!.id));
      requireFilledFolds({ names: folds.names, fold: usable }, dataset.root);
    });
    if (init) await keepInit(run.path, init);
    const preparing = (performance.now() - begun) / 1000;

    const single = folds.names.map((name, f) => ({ name, folds: [f] }));
    const parts =
      split.kind === "pairs"
        ? pairsOf(folds.names)
        : single.filter(({ name }) => split.kind !== "held-out" || name === split.test);
    const tasks = parts.map((part) => foldTask({ ...options, dataset, device }, set, foldOf, part));
    const todo: FoldTask[] = [];
    for (const task of tasks) if (!(await readFold(run.path, task))) todo.push(task);
    const shared = options.stage1;
    if (shared !== undefined) for (const task of todo) await recallStage1(task, run.path, shared);
    if (todo.length > 0) await (options.runFolds ?? foldsInTurn)(todo, foldsRun(run, set, init, progress));
    if (shared !== undefined) for (const task of todo) await keepStage1(task, run.path, shared);

    const records: FoldRecord[] = [];
    const masks = new Map<number, Float32Array>();
    for (const task of tasks) {
      records.push(await requireFold(run, task));
      for (const [index, mask] of await readFoldMasks(run.path, task)) masks.set(index, mask);
    }
    return await conclude(run, { ...options, dataset, device }, set, records, masks, preparing);
  } finally {
    await run.close();
  }
}

/** What a held-out split concerns of a dataset. @throws `data/one-class` where the training parts are of one class */
function partsOf(dataset: Dataset, split: HeldOutSplit): Dataset {
  const samples = concernedBy(dataset.samples, split);
  requireTrainable({ ...dataset, samples: samples.filter(({ fold }) => fold !== split.test) });
  return { ...dataset, samples };
}

function requireFilledFolds({ names, fold }: ReturnType<typeof foldsOf>, where: string): void {
  const empty = names.find((_, f) => !fold.includes(f));
  if (names.length > 1 && empty === undefined) return;
  throw new AndroscopeError("data/empty-fold", {
    expected: "two folds or more, with images in each",
    found: empty === undefined ? `${names.length}` : `no usable image in fold ${empty}`,
    where,
    fix: "Correct the folds, or draw others with --k.",
  });
}

function foldTask(
  {
    dataset,
    config,
    init,
    seed,
    threads,
    device,
    literature = false,
    change = {},
    version,
    licence,
  }: CrossvalOptions & { device: Device },
  set: PreparedSet,
  foldOf: ReadonlyMap<string, number>,
  { name: fold, folds }: { name: string; folds: readonly number[] },
): FoldTask {
  const all = [...set.ids.keys()];
  const isHeldOut = (i: number) => folds.includes(foldOf.get(set.ids[i]!) ?? -1);
  const test = all.filter(isHeldOut);
  const unlabelled = all.filter((i) => !foldOf.has(set.ids[i]!));
  const changed = changedTraining(
    all.filter((i) => foldOf.has(set.ids[i]!) && !isHeldOut(i)),
    (i) => set.labels[i]!,
    set.classes,
    change,
    Random.seeded(seed).stream("training change", fold),
  );
  return {
    command: "fold",
    version,
    dataset: { kind: dataset.kind, hash: dataset.hash },
    fold,
    train: changed.train,
    unlabelled: [...unlabelled, ...changed.unlabelled, ...(config.distill.transductive ? test : [])],
    test,
    ...(changed.relabelled.length > 0 ? { relabelled: changed.relabelled } : {}),
    config,
    ...(init ? { init: init.hash } : {}),
    seed,
    threads,
    device,
    literature,
    licence,
  };
}

/** What is told and written down as folds begin and end. */
function foldsRun(run: RunFolder, set: PreparedSet, init: EncoderInit | undefined, progress: Progress): FoldsRun {
  return {
    place: { folder: run.path, set, init: init?.weights, progress },
    started: ({ fold, train, test }) => run.event("fold started", { fold, train: train.length, test: test.length }),
    restarted: async ({ fold }, why) => {
      await run.event("fold restarted", { fold, why });
      progress.log(`${why}; begun again from its checkpoint`);
    },
    finished: async (task) => {
      const { name, correct, test, accuracy, seconds } = await requireFold(run, task);
      await run.event("fold done", { fold: name, correct, test, seconds });
      progress.log(`fold ${name}: ${correct} of ${test} right (${(100 * accuracy).toFixed(1)} %)`);
    },
  };
}

async function requireFold(run: RunFolder, task: FoldTask): Promise<FoldRecord> {
  const record = await readFold(run.path, task);
  if (!record) throw new Error(`fold ${task.fold} was said to be done and left no result`);
  return record;
}

async function conclude(
  run: RunFolder,
  options: CrossvalOptions & { device: Device },
  set: PreparedSet,
  records: readonly FoldRecord[],
  masks: ReadonlyMap<number, Float32Array>,
  preparing: number,
): Promise<CrossvalRun> {
  const { dataset, config, seed } = options;
  const foldOf = new Map(records.flatMap((r, f) => r.predictions.map((p) => [set.ids[p.index]!, f] as const)));
  const { split } = options;
  // What is not tested where one part is held out was trained on; a group in both is divided.
  const placed = dataset.samples.filter((s) => (split.kind === "held-out" ? s.fold !== undefined : foldOf.has(s.id)));
  // With pairs an image is tested in several folds, and the question has no answer.
  const grouping =
    split.kind === "pairs"
      ? []
      : groupings(
          placed,
          placed.map((s) => foldOf.get(s.id) ?? -1),
        );
  const rows = records
    .flatMap((record) =>
      record.predictions.map((p) => ({
        index: p.index,
        id: set.ids[p.index]!,
        label: set.labels[p.index]!,
        fold: record.name,
        probabilities: p.probabilities,
        extra: p,
      })),
    )
    .sort((a, b) => a.index - b.index);
  const metrics = computeMetrics(rows, set.classes);
  const labels = labelOpinions(records);
  const calibrated = calibrateFolds(rows);
  const { logLoss, brier, calibrationError, calibration } = computeMetrics(calibrated.rows, set.classes);
  const spells = records.flatMap((r) => r.spells);
  const elsewhere = spells.filter((spell) => spell.process !== process.pid);
  const result: CrossvalResult = {
    protocol: [
      protocolOf(split, config.distill.transductive),
      ...(options.change ? [describeChange(options.change)] : []),
    ].join(" "),
    split,
    grouping,
    ...metrics,
    calibrated: { logLoss, brier, calibrationError, calibration, temperatures: calibrated.temperatures },
    temperature: fitTemperature(rows),
    folds: records.map(({ name, train: trained, test, correct, accuracy, seconds, peakRssBytes }) => ({
      name,
      train: trained,
      test,
      correct,
      accuracy,
      seconds,
      peakRssBytes,
    })),
    ...(labels.length ? { labels: { count: labels.length, doubted: doubted(labels).length } } : {}),
    ...(options.literature ? { optimisticAccuracy: literatureRule(records) } : {}),
    config,
    ...(options.change ? { change: options.change } : {}),
    ...(options.init ? { init: options.init.hash } : {}),
    seed,
    threads: options.threads,
    device: options.device,
    dataset: {
      kind: dataset.kind,
      hash: dataset.hash,
      ...(dataset.hashWithoutFolds ? { hashWithoutFolds: dataset.hashWithoutFolds } : {}),
      images: set.ids.length,
      skipped: set.problems.length,
    },
    seconds: preparing + elapsedSeconds(spells),
    workSeconds: preparing + workSeconds(spells),
    workers: mostAtOnce(spells, () => 1),
    peakRssBytes: Math.max(peakRss(), ...records.map((r) => r.peakRssBytes)),
    totalPeakRssBytes: peakRss() + mostAtOnce(elsewhere, (spell) => spell.peakRssBytes),
  };
  await writeFileAtomic(run.file("predictions.csv"), predictionsCsv(rows, set.classes));
  if (labels.length) await writeFileAtomic(run.file("labels.csv"), labelsCsv(labels, set.ids, set.classes));
  await writeJson(run.file("metrics.json"), result);
  await run.event("finished", { accuracy: result.accuracy });
  return { result, records, rows, set, environment: environment(), masks };
}

/** What the networks that learned from an image make of its label, on average; none where labels were not refined. */
export function labelOpinions(records: readonly FoldRecord[]): LabelOpinion[] {
  return meanOpinions(records.flatMap(({ labels = [] }) => labels));
}

/** Mean over folds of the mean of the five best test accuracies. */
function literatureRule(records: readonly FoldRecord[]): number {
  const best = records.map(({ looks }) => {
    const top = looks
      .map((l) => l.accuracy)
      .sort((a, b) => b - a)
      .slice(0, 5);
    return top.reduce((a, b) => a + b, 0) / top.length;
  });
  return best.reduce((a, b) => a + b, 0) / best.length;
}
