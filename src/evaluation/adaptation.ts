/**
 * Learning a model's last layer from reviewed heads, honestly: how strongly it is pulled to the old one is chosen inside
 * the heads that it may see, and old and new are compared on others, of other photographs.
 */
import { type LastLayer, LastLayerLearner, logProbabilities } from "../learning/index.ts";
import { bootstrap, bootstrapGroups } from "./bootstrap.ts";
import { argmax, type Interval } from "./metrics.ts";
import { drawFolds } from "./splits.ts";

/** A head that somebody reviewed. */
export interface ReviewedHead {
  id: string;
  /** Index of the class that it was given. */
  label: number;
  /** Heads of one photograph are alike: they stay together. */
  group: string;
  /** What the last layer saw of it. */
  features: Float32Array;
}

/** Less would learn nothing that could be told from chance. */
export const LEAST_TO_ADAPT = { learned: 20, held: 10, classes: 2, groups: 2 } as const;

/** Pulls to the old layer that are tried, from hardly any change to nearly none of the pull. */
export const STRENGTHS = [3, 1, 0.3, 0.1, 0.03, 0.01] as const;
/** Photographs are dealt into so many parts at most to choose between them. */
const FOLDS = 5;

export interface Adaptation {
  layer: LastLayer;
  /** Infinite: nothing was better than the old layer by more than its error, and {@link layer} is the old one. */
  strength: number;
  /** Mean log loss of heads whose photographs were left out, by strength. */
  tried: { strength: number; logLoss: number }[];
}

/**
 * @param heads of at least two groups
 * @param options `temperature` of the model's probabilities; `seed` of how groups are dealt; `onDone` after each of the
 * trainings, with how many there are
 */
export async function adaptLastLayer(
  old: LastLayer,
  heads: readonly ReviewedHead[],
  options: { temperature: number; seed: number; threads?: number; onDone?: (done: number, of: number) => void },
): Promise<Adaptation> {
  const { temperature, seed, threads = 1, onDone } = options;
  const groups = new Set(heads.map(({ group }) => group)).size;
  const { names, fold } = drawFolds(
    heads.map(({ id, label, group }) => ({ id, label, group, load: nothing })),
    { k: Math.min(FOLDS, groups), seed, group: "group" },
  );
  const trainings = names.length * STRENGTHS.length + 1;
  let done = 0;
  const learner = await LastLayerLearner.create(
    old,
    { features: heads.map(({ features }) => features), labels: heads.map(({ label }) => label) },
    { temperature, threads },
  );
  try {
    /** Of the class that the head was given. */
    const lossOf = (layer: LastLayer, i: number) => {
      const { features, label } = heads[i]!;
      return -logProbabilities(layer, features, temperature)[label]!;
    };
    const everyone = [...heads.keys()];
    /** Of each head, by a layer that saw none of its photograph. */
    const losses = new Map([[Number.POSITIVE_INFINITY, everyone.map((i) => lossOf(old, i))]]);
    for (const strength of STRENGTHS) {
      const loss = new Array<number>(heads.length);
      for (const f of names.keys()) {
        const layer = await learner.learn(
          everyone.filter((i) => fold[i] !== f),
          strength,
        );
        for (const i of everyone) if (fold[i] === f) loss[i] = lossOf(layer, i);
        onDone?.(++done, trainings);
      }
      losses.set(strength, loss);
    }
    const tried = [...losses].map(([strength, loss]) => ({ strength, logLoss: sumOf(loss) / heads.length }));
    const best = tried.reduce((least, one) => (one.logLoss < least.logLoss ? one : least));
    const gains = losses.get(best.strength)!.map((loss, i) => losses.get(Number.POSITIVE_INFINITY)![i]! - loss);
    const strength = isBeyondError(gains, heads) ? best.strength : Number.POSITIVE_INFINITY;
    const layer = Number.isFinite(strength) ? await learner.learn(everyone, strength) : old;
    onDone?.(trainings, trainings);
    return { layer, strength, tried };
  } finally {
    learner.dispose();
  }
}

/** Whether a mean gain is more than its standard error, groups counting as one each: less is no reason to change a model. */
function isBeyondError(gains: readonly number[], heads: readonly ReviewedHead[]): boolean {
  const mean = sumOf(gains) / gains.length;
  const byGroup = Map.groupBy(gains.keys(), (i) => heads[i]!.group);
  const deviations = [...byGroup.values()].map((members) => sumOf(members.map((i) => gains[i]! - mean)));
  const groups = deviations.length;
  const variance = (sumOf(deviations.map((value) => value ** 2)) * groups) / (groups - 1);
  return mean > Math.sqrt(variance) / gains.length;
}

const nothing = () => Promise.reject(new Error("no image is needed"));
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** A head that was kept from learning, as two models judge it. */
export interface JudgedHead {
  label: number;
  group: string;
  before: readonly number[];
  after: readonly number[];
}

export interface ModelComparison {
  heads: number;
  groups: number;
  /** Heads that each model gives the class of its readers. */
  correct: { before: number; after: number };
  /** Wrong before and right after; the other way round. */
  mended: number;
  spoilt: number;
  /** Of the difference of the accuracies, 95 %: bootstrap over heads or over groups, whichever is wider. */
  interval: Interval;
  /** By class: heads, and how many of them each model finds. */
  classes: { heads: number; before: number; after: number }[];
}

/** @param classes how many there are */
export function compareModels(heads: readonly JudgedHead[], classes: number): ModelComparison {
  const hits = heads.map(({ label, before, after }) => ({
    before: Number(argmax(before) === label),
    after: Number(argmax(after) === label),
  }));
  const gains = hits.map(({ before, after }) => after - before);
  const total = (of: (i: number) => number, chosen = [...heads.keys()]) => sumOf(chosen.map(of));
  const byGroup = Map.groupBy(heads.keys(), (i) => heads[i]!.group);
  const grouped = [...byGroup.values()].map((members) => members.map((i) => gains[i]!));
  const [byHead, byPhotograph] = [bootstrap([gains]), bootstrapGroups(grouped)];
  const width = ({ low, high }: Interval) => high - low;
  return {
    heads: heads.length,
    groups: byGroup.size,
    correct: { before: total((i) => hits[i]!.before), after: total((i) => hits[i]!.after) },
    mended: gains.filter((gain) => gain > 0).length,
    spoilt: gains.filter((gain) => gain < 0).length,
    interval: width(byHead) > width(byPhotograph) ? byHead : byPhotograph,
    classes: Array.from({ length: classes }, (_, c) => {
      const members = [...heads.keys()].filter((i) => heads[i]!.label === c);
      return {
        heads: members.length,
        before: total((i) => hits[i]!.before, members),
        after: total((i) => hits[i]!.after, members),
      };
    }),
  };
}
