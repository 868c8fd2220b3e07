/**
 * A finished model taught by a dataset of another laboratory: its last layer learned again from two thirds of the labelled
 * crops, and the new file compared with the old one on the third that is left. Groups, where the dataset names them, are
 * never divided.
 */
import type { Dataset, Problem, Sample } from "../datasets/index.ts";
import type { Image } from "../imaging/index.ts";
import { lastLayer, Model, type Prediction, withLastLayer } from "../learning/index.ts";
import { AndroscopeError, isAndroscopeError, type Progress } from "../runs/index.ts";
import {
  type Adaptation,
  adaptLastLayer,
  compareModels,
  LEAST_TO_ADAPT,
  type ModelComparison,
  type ReviewedHead,
} from "./adaptation.ts";
import { drawFolds } from "./splits.ts";

export interface AdaptModelOptions {
  /** The old model's bytes, and where they came from. */
  model: Uint8Array;
  where: string;
  dataset: Dataset;
  /** Of which crops are held out, and how the others are dealt. */
  seed: number;
  threads: number;
  /** What the new model says it was made by. */
  program: string;
  progress: Progress;
}

export interface AdaptedModel {
  /** The new model; undefined where nothing better than the old layer was found. */
  model?: Uint8Array;
  /** Infinite where there is none. */
  strength: number;
  tried: Adaptation["tried"];
  classes: readonly string[];
  learned: { heads: number; groups: number };
  /** On the crops that were held out. */
  comparison: ModelComparison;
  /** Crops that could not be read. */
  problems: Problem[];
}

const HELD = 3;
const BATCH = 16;

/** @throws `model/*`, `data/other-classes`, `learning/too-few` */
export async function adaptModel(options: AdaptModelOptions): Promise<AdaptedModel> {
  const { model: bytes, where, dataset, seed, threads, program, progress } = options;
  const { layer, metadata } = lastLayer(bytes, where);
  const { classes, temperature } = metadata;
  const labelOf = labelsBy(dataset, classes, where);
  const problems: Problem[] = [];
  const labelled = dataset.samples.filter(({ label }) => label !== undefined);
  const seen = await judged(bytes, where, labelled, { threads, progress, problems });
  const heads = labelled.flatMap((sample): (ReviewedHead & { sample: Sample; before: number[] })[] => {
    const prediction = seen.get(sample.id);
    if (!prediction) return [];
    const { features, probabilities } = prediction;
    return [
      {
        id: sample.id,
        label: labelOf(sample),
        group: sample.group ?? sample.id,
        features,
        sample,
        before: probabilities,
      },
    ];
  });
  const { held, rest } = partsOf(heads, seed);
  requireEnough(rest, held, dataset.root);

  progress.start("Learning the last layer", 1);
  const adapted = await adaptLastLayer(layer, rest, {
    ...{ temperature, seed, threads },
    onDone: (done, of) => progress.update(done / of),
  });
  progress.finish();
  const { strength, tried } = adapted;
  let model: Uint8Array | undefined;
  let after = seen;
  if (Number.isFinite(strength)) {
    model = await withLastLayer(bytes, where, adapted.layer, { program, heads: rest.length, strength });
    // The very file judges what it is compared on.
    const samples = held.map(({ sample }) => sample);
    after = await judged(model, "the new model", samples, { threads, progress, problems: [] });
  }
  const comparison = compareModels(
    held.map(({ id, label, group, before }) => ({ label, group, before, after: after.get(id)!.probabilities })),
    classes.length,
  );
  const learned = { heads: rest.length, groups: new Set(rest.map(({ group }) => group)).size };
  return { ...(model ? { model } : {}), strength, tried, classes, learned, comparison, problems };
}

/** A third, whole groups of it, classes spread evenly. */
function partsOf<H extends ReviewedHead>(heads: readonly H[], seed: number): { held: H[]; rest: H[] } {
  const groups = new Set(heads.map(({ group }) => group)).size;
  if (groups < HELD) return { held: [], rest: [...heads] };
  const load = () => Promise.reject(new Error("no image is needed"));
  const { fold } = drawFolds(
    heads.map(({ id, label, group }) => ({ id, label, group, load })),
    { k: HELD, seed, group: "group" },
  );
  return { held: heads.filter((_, i) => fold[i] === 0), rest: heads.filter((_, i) => fold[i] !== 0) };
}

/** Predictions by sample; what cannot be read is told of and left out. */
async function judged(
  bytes: Uint8Array,
  where: string,
  samples: readonly Sample[],
  { threads, progress, problems }: { threads: number; progress: Progress; problems: Problem[] },
): Promise<Map<string, Prediction>> {
  const model = await Model.from(bytes, where, { threads });
  const found = new Map<string, Prediction>();
  progress.start(where === "the new model" ? "Comparing" : "Looking at crops", samples.length);
  try {
    for (let from = 0; from < samples.length; from += BATCH) {
      const batch: { id: string; image: Image }[] = [];
      for (const { id, load } of samples.slice(from, from + BATCH)) {
        try {
          batch.push({ id, image: await load() });
        } catch (error) {
          if (!isAndroscopeError(error)) throw error;
          problems.push({ id, code: error.code, message: error.message });
        }
      }
      const predictions = await model.predict(batch.map(({ image }) => image));
      for (const [i, { id }] of batch.entries()) found.set(id, predictions[i]!);
      progress.update(Math.min(samples.length, from + BATCH));
    }
  } finally {
    model.dispose();
  }
  progress.finish();
  return found;
}

/** A sample's class as the model counts them: classes are the same where their names are. */
function labelsBy(dataset: Dataset, classes: readonly string[], where: string): (sample: Sample) => number {
  const at = dataset.classes.map((name) => classes.findIndex((one) => one.toLowerCase() === name.toLowerCase()));
  const unknown = dataset.classes.filter((_, c) => at[c] === -1);
  if (unknown.length > 0) {
    throw new AndroscopeError("data/other-classes", {
      expected: `classes of the model: ${classes.join(", ")}`,
      found: unknown.join(", "),
      where: `${dataset.root}, for ${where}`,
      fix: "Name the classes as the model does, or train a model of your own with androscope train.",
    });
  }
  return ({ label }) => at[label!]!;
}

function requireEnough(rest: readonly ReviewedHead[], held: readonly ReviewedHead[], where: string): void {
  const count = (of: (head: ReviewedHead) => unknown) => new Set(rest.map(of)).size;
  const [classes, groups] = [count(({ label }) => label), count(({ group }) => group)];
  const least = LEAST_TO_ADAPT;
  if (rest.length >= least.learned && held.length >= least.held && classes >= least.classes && groups >= least.groups)
    return;
  throw new AndroscopeError("learning/too-few", {
    expected: `at least ${least.learned} crops of ${least.classes} classes in ${least.groups} groups to learn from, and ${least.held} of other groups to compare on`,
    found: `${rest.length} of ${classes} in ${groups}, and ${held.length}`,
    where,
    fix: "Label more crops, of several photographs.",
  });
}
