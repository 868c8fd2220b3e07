/**
 * Honest cross-validation: a fixed number of steps, the averaged last weights, nothing chosen on a test fold. What the
 * literature does instead (looking at the test fold at every epoch and keeping the best) can be computed beside it, and
 * is marked optimistic.
 */
import { existsSync } from "node:fs";
import { type Dataset, requireStillTrainable, requireTrainable } from "../datasets/index.ts";
import {
  type Classified,
  type Config,
  type CurvePoint,
  classify,
  exportModel,
  type MaskQuality,
  type PreparedSet,
  preparedFor,
  train,
} from "../learning/index.ts";
import {
  AndroscopeError,
  formatCsv,
  openRun,
  type Progress,
  type RunFolder,
  readArrays,
  readJson,
  writeArrays,
  writeFileAtomic,
  writeJson,
} from "../runs/index.ts";
import { type Environment, environment } from "./environment.ts";
import { type Grouping, groupings } from "./grouping.ts";
import { argmax, computeMetrics, type Metrics, type PredictionRow } from "./metrics.ts";
import { drawFolds, publishedFolds } from "./splits.ts";

export interface CrossvalOptions {
  dataset: Dataset;
  config: Config;
  seed: number;
  /** Use the dataset's own folds; else draw `k`, keeping groups together where asked. */
  split: { kind: "published" } | { kind: "drawn"; k: number; group?: "group" | "patient" };
  out: string;
  resume?: boolean;
  threads: number;
  /** Also compute the literature's selection rule. */
  literature?: boolean;
  version: string;
  licence: string;
  progress: Progress;
}

export interface FoldResult {
  name: string;
  train: number;
  test: number;
  correct: number;
  accuracy: number;
  seconds: number;
  peakRssBytes: number;
}

/** Everything of a fold that the report and a resumed run need. */
interface FoldRecord extends FoldResult {
  predictions: { index: number; probabilities: number[]; length: number; width: number; agreement: number }[];
  curves: { distill: CurvePoint[]; tune: CurvePoint[] };
  masks: MaskQuality[];
  looks: { step: number; accuracy: number }[];
}

export interface CrossvalResult extends Metrics {
  protocol: string;
  split: CrossvalOptions["split"];
  /** How images of one patient or group lie in the folds; empty where the data do not say. */
  grouping: Grouping[];
  folds: FoldResult[];
  /** Mean of the five best test epochs per fold, as published code of this field does. Optimistic: chosen on test data. */
  optimisticAccuracy?: number;
  config: Config;
  seed: number;
  threads: number;
  dataset: { kind: string; hash: string; images: number; skipped: number };
  seconds: number;
  peakRssBytes: number;
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

const PROTOCOL =
  "Fixed number of steps, averaged last weights, every image predicted once by a network that never saw it; nothing was chosen on test folds.";
const TRANSDUCTIVE_PROTOCOL =
  "Fixed number of steps, averaged last weights, every image predicted once by a network whose stage 1 saw it without its label and whose stage 2 never did; nothing was chosen on test folds.";

/** Runs or resumes a cross-validation into a run folder. */
export async function crossValidate(options: CrossvalOptions): Promise<CrossvalRun> {
  const { dataset, config, seed, split, progress } = options;
  const labelled = dataset.samples.filter((s) => s.label !== undefined);
  const least = split.kind === "drawn" ? split.k : 2;
  requireTrainable(dataset, least);
  const identity = {
    command: "crossval",
    version: options.version,
    dataset: { kind: dataset.kind, hash: dataset.hash, classes: dataset.classes },
    split,
    seed,
    threads: options.threads,
    literature: options.literature ?? false,
    config,
  };
  const folds = split.kind === "published" ? publishedFolds(labelled) : drawFolds(labelled, { ...split, seed });
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
    const preparing = (performance.now() - begun) / 1000;

    const masks = new Map<number, Float32Array>();
    const records: FoldRecord[] = [];
    for (const [f, name] of folds.names.entries()) {
      const record = await runFold(run, options, set, foldOf, f, name, masks);
      records.push(record);
      progress.log(`fold ${name}: ${record.correct} of ${record.test} right (${(100 * record.accuracy).toFixed(1)} %)`);
    }
    return await conclude(run, options, set, records, masks, preparing);
  } finally {
    await run.close();
  }
}

function requireFilledFolds({ names, fold }: ReturnType<typeof publishedFolds>, where: string): void {
  const empty = names.find((_, f) => !fold.includes(f));
  if (names.length > 1 && empty === undefined) return;
  throw new AndroscopeError("data/empty-fold", {
    expected: "two folds or more, with images in each",
    found: empty === undefined ? `${names.length}` : `no usable image in fold ${empty}`,
    where,
    fix: "Correct the folds, or draw others with --k.",
  });
}

async function runFold(
  run: RunFolder,
  options: CrossvalOptions,
  set: PreparedSet,
  foldOf: ReadonlyMap<string, number>,
  f: number,
  name: string,
  masks: Map<number, Float32Array>,
): Promise<FoldRecord> {
  // The names of folds come from a table that may be anybody's: in the name of a file they must not lead elsewhere.
  const key = `fold-${encodeURIComponent(name)}`;
  const file = run.file(`checkpoint/${key}.json`);
  const maskFile = run.file(`checkpoint/${key}.masks`);
  const all = [...set.ids.keys()];
  const test = all.filter((i) => foldOf.get(set.ids[i]!) === f);
  if (existsSync(file) && existsSync(maskFile)) {
    const { arrays } = await readArrays(maskFile);
    remember(masks, test, arrays.masks as Float32Array);
    return readJson<FoldRecord>(file);
  }
  const { config, threads, progress } = options;
  const members = all.filter((i) => foldOf.has(set.ids[i]!) && foldOf.get(set.ids[i]!) !== f);
  const unlabelled = all.filter((i) => !foldOf.has(set.ids[i]!));
  const begun = performance.now();
  await run.event("fold started", { fold: name, train: members.length, test: test.length });
  const epoch = Math.max(1, Math.round(members.length / config.tune.batch));
  const trained = await train({
    set,
    train: members,
    unlabelled: config.distill.transductive ? [...unlabelled, ...test] : unlabelled,
    config,
    seed: options.seed,
    name: key,
    threads,
    folder: run.file("checkpoint"),
    progress,
    look: options.literature ? { samples: test, every: epoch } : undefined,
  });
  const classified = await classify(set, test, trained.parts, threads);
  const right = (rows: readonly { index: number; probabilities: readonly number[] }[]) =>
    rows.filter(({ index, probabilities }) => argmax(probabilities) === set.labels[index]).length;
  const model = await exportModel(trained.parts, {
    program: `androscope ${options.version}`,
    classes: set.classes,
    training: {
      dataset: options.dataset.kind,
      hash: options.dataset.hash,
      images: members.length,
      seed: options.seed,
      licence: options.licence,
      transductive: config.distill.transductive,
    },
  });
  await writeFileAtomic(run.file(`models/${key}.onnx`), model);
  const packed = Float32Array.from(classified.flatMap((c) => [...c.mask]));
  await writeArrays(maskFile, { arrays: { masks: packed }, meta: {} });
  remember(masks, test, packed);
  const record: FoldRecord = {
    name,
    train: members.length,
    test: test.length,
    correct: right(classified),
    accuracy: right(classified) / test.length,
    seconds: (performance.now() - begun) / 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    predictions: classified.map(({ mask: _, ...rest }: Classified) => rest),
    curves: trained.curves,
    masks: trained.masks,
    looks: trained.looks.map(({ step, probabilities }) => ({
      step,
      accuracy: right(probabilities.map((p, i) => ({ index: test[i]!, probabilities: p }))) / test.length,
    })),
  };
  await writeJson(file, record);
  await run.event("fold done", { fold: name, correct: record.correct, test: record.test, seconds: record.seconds });
  return record;
}

function remember(masks: Map<number, Float32Array>, samples: readonly number[], packed: Float32Array): void {
  const size = packed.length / Math.max(1, samples.length);
  for (const [i, index] of samples.entries()) masks.set(index, packed.slice(i * size, (i + 1) * size));
}

async function conclude(
  run: RunFolder,
  options: CrossvalOptions,
  set: PreparedSet,
  records: readonly FoldRecord[],
  masks: ReadonlyMap<number, Float32Array>,
  preparing: number,
): Promise<CrossvalRun> {
  const { dataset, config, seed } = options;
  const foldOf = new Map(records.flatMap((r, f) => r.predictions.map((p) => [set.ids[p.index]!, f] as const)));
  const tested = dataset.samples.filter((s) => foldOf.has(s.id));
  const grouping = groupings(
    tested,
    tested.map((s) => foldOf.get(s.id)!),
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
  const result: CrossvalResult = {
    protocol: config.distill.transductive ? TRANSDUCTIVE_PROTOCOL : PROTOCOL,
    split: options.split,
    grouping,
    ...metrics,
    folds: records.map(({ name, train: trained, test, correct, accuracy, seconds, peakRssBytes }) => ({
      name,
      train: trained,
      test,
      correct,
      accuracy,
      seconds,
      peakRssBytes,
    })),
    ...(options.literature ? { optimisticAccuracy: literatureRule(records) } : {}),
    config,
    seed,
    threads: options.threads,
    dataset: { kind: dataset.kind, hash: dataset.hash, images: set.ids.length, skipped: set.problems.length },
    seconds: preparing + records.reduce((sum, r) => sum + r.seconds, 0),
    peakRssBytes: Math.max(...records.map((r) => r.peakRssBytes)),
  };
  await writeFileAtomic(
    run.file("predictions.csv"),
    formatCsv(
      [
        "path",
        "label",
        "predicted",
        "fold",
        ...set.classes.map((c) => `prob_${c}`),
        "mask_agreement",
        "length_px",
        "width_px",
      ],
      rows.map((row) => ({
        path: row.id,
        label: set.classes[row.label],
        predicted: set.classes[argmax(row.probabilities)],
        fold: row.fold,
        ...Object.fromEntries(set.classes.map((c, i) => [`prob_${c}`, row.probabilities[i]!.toFixed(6)])),
        mask_agreement: row.extra.agreement.toFixed(4),
        length_px: row.extra.length.toFixed(2),
        width_px: row.extra.width.toFixed(2),
      })),
    ),
  );
  await writeJson(run.file("metrics.json"), result);
  await run.event("finished", { accuracy: result.accuracy });
  return { result, records, rows, set, environment: environment(), masks };
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
