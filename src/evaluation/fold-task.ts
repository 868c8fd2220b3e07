/**
 * One fold of a cross-validation as a task: everything its result depends on in one plain document, so that any process
 * can compute it, at any time, once or twice, with the same result. It writes its own files in the run's folder, and
 * nothing else.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Device, State } from "../autodiff/index.ts";
import {
  type Classified,
  type Config,
  type CurvePoint,
  classify,
  distillAhead,
  distilledFile,
  exportModel,
  initServesStage1,
  isDistilled,
  type LabelOpinion,
  type MaskQuality,
  type PreparedSet,
  type TrainingTask,
  train,
} from "../learning/index.ts";
import {
  hashOf,
  makeFolder,
  type Progress,
  readArrays,
  readBytes,
  readJson,
  type Spell,
  spellSince,
  workSeconds,
  writeArrays,
  writeFileAtomic,
  writeJson,
} from "../runs/index.ts";
import { argmax } from "./metrics.ts";

export interface FoldTask {
  readonly command: "fold";
  readonly version: string;
  readonly dataset: { readonly kind: string; readonly hash: string };
  readonly fold: string;
  /** Samples of the prepared set: to learn from, to learn from without labels, to test. */
  readonly train: readonly number[];
  readonly unlabelled: readonly number[];
  readonly test: readonly number[];
  /** Training samples with the labels they are learnt with instead of their own, in studies of label noise. */
  readonly relabelled?: readonly (readonly [number, number])[];
  readonly config: Config;
  /** Hash of the weights from elsewhere that encoders start from, where there are any; they lie in the run's folder. */
  readonly init?: string;
  readonly seed: number;
  readonly threads: number;
  readonly device: Device;
  /** Also look at the test fold on the way, as the literature does. */
  readonly literature: boolean;
  readonly licence: string;
}

/** Where a task is done, on which nothing in its result depends. */
export interface FoldPlace {
  /** The run's folder. */
  folder: string;
  set: PreparedSet;
  /** The weights of the task's `init`. */
  init?: State;
  progress: Progress;
}

export interface FoldResult {
  name: string;
  train: number;
  test: number;
  correct: number;
  accuracy: number;
  /** Of work; folds may be worked on at the same time. */
  seconds: number;
  /** Of the processes that worked on it, the largest. */
  peakRssBytes: number;
}

/** Everything of a fold that the report and a resumed run need. */
export interface FoldRecord extends FoldResult {
  /** {@link hashOf} the task. */
  task: string;
  spells: Spell[];
  predictions: { index: number; probabilities: number[]; length: number; width: number; agreement: number }[];
  curves: { distill: CurvePoint[]; tune: CurvePoint[] };
  masks: MaskQuality[];
  labels?: LabelOpinion[];
  looks: { step: number; accuracy: number }[];
}

/** The names of folds come from a table that may be anybody's: in the name of a file they must not lead elsewhere. */
const keyOf = ({ fold }: Pick<FoldTask, "fold">) => `fold-${encodeURIComponent(fold)}`;
const checkpointOf = (folder: string) => join(folder, "checkpoint");
const recordFile = (folder: string, task: FoldTask) => join(checkpointOf(folder), `${keyOf(task)}.json`);
const maskFile = (folder: string, task: FoldTask) => join(checkpointOf(folder), `${keyOf(task)}.masks`);

/** The model of a fold in the folder of a run. */
export const foldModelFile = (folder: string, fold: string) => join(folder, "models", `${keyOf({ fold })}.onnx`);

/** What a finished fold left in the folder; undefined where it is not finished, or was another task's. */
export async function readFold(folder: string, task: FoldTask): Promise<FoldRecord | undefined> {
  const file = recordFile(folder, task);
  if (!existsSync(file) || !existsSync(maskFile(folder, task))) return undefined;
  const record = await readJson<FoldRecord>(file);
  return record.task === hashOf(task) ? record : undefined;
}

/** The masks of a finished fold's test samples, by sample. */
export async function readFoldMasks(folder: string, task: FoldTask): Promise<[number, Float32Array][]> {
  const { arrays } = await readArrays(maskFile(folder, task));
  const packed = arrays.masks as Float32Array;
  const size = packed.length / Math.max(1, task.test.length);
  return task.test.map((index, i) => [index, packed.slice(i * size, (i + 1) * size)]);
}

/** A fold's first half, stage 1, ahead of {@link runFold}, which then finds it done. */
export async function distillFold(task: FoldTask, place: FoldPlace): Promise<void> {
  await distillAhead({ ...trainingOf(task, place), folder: checkpointOf(place.folder) });
}

/** Whether {@link distillFold} has nothing to do. */
export function isFoldDistilled(folder: string, task: FoldTask): boolean {
  return isDistilled(checkpointOf(folder), keyOf(task));
}

/**
 * Where the result of a fold's stage 1 is kept for other runs: it depends neither on the configuration of stage 2 nor on
 * any label, so that it is the same whichever of its images keep theirs.
 * @param shared the folder of such results
 */
function sharedStage1(shared: string, task: FoldTask): string {
  const { version, dataset, fold, train, unlabelled, config, init, seed, threads, device } = task;
  const { network, distill } = config;
  const members = [...train, ...unlabelled].sort((a, b) => a - b);
  const start = initServesStage1(config) ? init : undefined;
  return join(
    shared,
    hashOf({ version, dataset, fold, members, network, distill, init: start, seed, threads, device }),
  );
}

/** Takes over stage 1 of a fold from {@link keepStage1} of an earlier run, if there was one. */
export async function recallStage1(task: FoldTask, folder: string, shared: string): Promise<void> {
  const kept = sharedStage1(shared, task);
  if (!existsSync(kept) || isFoldDistilled(folder, task)) return;
  await makeFolder(checkpointOf(folder));
  await copyWhole(kept, distilledFile(checkpointOf(folder), keyOf(task)));
}

/** Keeps stage 1 of a finished fold for runs that differ in stage 2. */
export async function keepStage1(task: FoldTask, folder: string, shared: string): Promise<void> {
  const kept = sharedStage1(shared, task);
  if (existsSync(kept)) return;
  await makeFolder(shared);
  await copyWhole(distilledFile(checkpointOf(folder), keyOf(task)), kept);
}

async function copyWhole(from: string, to: string): Promise<void> {
  await writeFileAtomic(to, await readBytes(from));
}

function trainingOf(task: FoldTask, { folder, set, init, progress }: FoldPlace): TrainingTask {
  const { train: members, test, config, seed, threads, device } = task;
  const epoch = Math.max(1, Math.round(members.length / config.tune.batch));
  return {
    set: relabelled(set, task),
    train: members,
    unlabelled: task.unlabelled,
    config,
    init,
    seed,
    name: keyOf(task),
    threads,
    device,
    folder: checkpointOf(folder),
    progress,
    look: task.literature ? { samples: test, every: epoch } : undefined,
  };
}

/** The set as training sees it; votes of a relabelled sample go, since they would tell. */
function relabelled(set: PreparedSet, task: FoldTask): PreparedSet {
  if (!task.relabelled?.length) return set;
  const [labels, votes] = [set.labels.slice(), set.votes.slice()];
  const classes = set.classes.length;
  for (const [index, label] of task.relabelled) {
    labels[index] = label;
    votes.fill(0, index * classes, (index + 1) * classes);
  }
  return { ...set, labels, votes };
}

/** Trains and tests one fold, from where an earlier attempt left it. {@link readFold} then gives its result. */
export async function runFold(task: FoldTask, place: FoldPlace): Promise<void> {
  const { folder, set } = place;
  const { test, config, threads, device } = task;
  const from = Date.now();
  const trained = await train(trainingOf(task, place));
  const classified = await classify(set, test, trained.parts, { threads, device });
  const right = (rows: readonly { index: number; probabilities: readonly number[] }[]) =>
    rows.filter(({ index, probabilities }) => argmax(probabilities) === set.labels[index]).length;
  const model = await exportModel(trained.parts, {
    program: `androscope ${task.version}`,
    classes: set.classes,
    training: {
      dataset: task.dataset.kind,
      hash: task.dataset.hash,
      images: task.train.length,
      seed: task.seed,
      licence: task.licence,
      ...(task.init ? { init: task.init } : {}),
      transductive: config.distill.transductive,
      device,
    },
  });
  await writeFileAtomic(foldModelFile(folder, task.fold), model);
  const packed = Float32Array.from(classified.flatMap((c) => [...c.mask]));
  await writeArrays(maskFile(folder, task), { arrays: { masks: packed }, meta: {} });
  const spells = [...(trained.earlier ? [trained.earlier] : []), spellSince(from)];
  const record: FoldRecord = {
    task: hashOf(task),
    name: task.fold,
    train: task.train.length,
    test: test.length,
    correct: right(classified),
    accuracy: right(classified) / test.length,
    seconds: workSeconds(spells),
    peakRssBytes: Math.max(...spells.map((spell) => spell.peakRssBytes)),
    spells,
    predictions: classified.map(({ mask: _, ...rest }: Classified) => rest),
    curves: trained.curves,
    masks: trained.masks,
    ...(trained.labels ? { labels: trained.labels } : {}),
    looks: trained.looks.map(({ step, probabilities }) => ({
      step,
      accuracy: right(probabilities.map((p, i) => ({ index: test[i]!, probabilities: p }))) / test.length,
    })),
  };
  await writeJson(recordFile(folder, task), record);
}

/** How folds are run where nothing else is asked for: one after the other, in this process. */
export async function foldsInTurn(tasks: readonly FoldTask[], { place, started, finished }: FoldsRun): Promise<void> {
  for (const task of tasks) {
    await started(task);
    await runFold(task, place);
    await finished(task);
  }
}

export interface FoldsRun {
  place: FoldPlace;
  /** To be called as a task begins, and when it has left its result in the folder; one call at a time. */
  started(task: FoldTask): Promise<void>;
  /** To be called where a task ended in the middle and is begun again. */
  restarted(task: FoldTask, why: string): Promise<void>;
  finished(task: FoldTask): Promise<void>;
}
