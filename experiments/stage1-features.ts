/** What the networks of a cross-validation's stage 1 see in heads, and the labels that look likely by it. */
import { join } from "node:path";
import { parseState, type State } from "../src/autodiff/index.ts";
import { changedTraining, type TrainingChange } from "../src/evaluation/index.ts";
import {
  type Config,
  colourStatistics,
  headFeatures,
  type PreparedSet,
  type RefinementSettings,
  refineLabels,
  type SegmentedHead,
  Segmenter,
  viewExtentOf,
} from "../src/learning/index.ts";
import { Random, readArrays } from "../src/runs/index.ts";

const SESSION = { threads: 1 };

/** A row of numbers for each sample. */
export type Seen = ReadonlyMap<number, Float32Array>;

export interface Stage1 {
  weights: State;
  /** Heads of the samples as its network sees them. */
  headsOf(set: PreparedSet, samples: readonly number[]): Promise<Map<number, SegmentedHead>>;
}

/** @param run a cross-validation's folder @param train the fold's training samples: their colours are part of what it learned */
export async function stage1Of(
  run: string,
  fold: string,
  { set, train, config }: { set: PreparedSet; train: readonly number[]; config: Config },
): Promise<Stage1> {
  const { arrays } = await readArrays(join(run, "checkpoint", `fold-${fold}.distilled`));
  const weights = parseState(arrays.weights as Uint8Array);
  const frame = frameOf(set, train);
  return {
    weights,
    async headsOf(of, samples) {
      const segmenter = await Segmenter.create(weights, frame, config.network, of.side, SESSION);
      const heads = new Map<number, SegmentedHead>();
      for await (const { index, head } of segmenter.each(of, samples)) heads.set(index, head);
      segmenter.dispose();
      return heads;
    },
  };
}

const frameOf = (set: PreparedSet, train: readonly number[]) => ({
  frameExtent: set.frameExtent,
  viewExtent: set.frameExtent,
  ...colourStatistics(set, train),
});

/** What an encoder, or wavelets, see in a fold's training images. */
export async function featuresOf(
  set: PreparedSet,
  heads: ReadonlyMap<number, SegmentedHead>,
  source: Parameters<typeof headFeatures>[2],
  config: Config,
): Promise<Seen> {
  const train = [...heads.keys()];
  const geometry = { ...frameOf(set, train), viewExtent: viewExtentOf(heads.values(), config.tune.margin) };
  const features = await headFeatures({ set, heads, geometry }, train, source, config, SESSION);
  const width = features.length / train.length;
  return new Map(train.map((index, i) => [index, features.subarray(i * width, (i + 1) * width)]));
}

/**
 * The likeliest class of each member by those that look alike.
 * @param given labels of the first members; those that come after have none
 */
export async function likeliestLabels(
  members: readonly number[],
  given: readonly number[],
  classes: number,
  seen: { stage1?: Seen; wavelets?: Seen },
  settings?: RefinementSettings,
): Promise<number[]> {
  const of = (rows?: Seen) => rows && flat(members.map((index) => rows.get(index)!));
  const targets = Float32Array.from(
    given.flatMap((label) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0))),
  );
  const heads = { heads: members.length, features: of(seen.stage1), wavelets: of(seen.wavelets), targets, classes };
  const found = await refineLabels(heads, SESSION, settings);
  return members.map((_, i) => {
    const shares = [...found.targets.subarray(i * classes, (i + 1) * classes)];
    return shares.indexOf(Math.max(...shares));
  });
}

/** Members of a fold's training part with some labels flipped or hidden, drawn anew for each repeat. */
export function drawnLabels(task: {
  set: PreparedSet;
  fold: string;
  members: readonly number[];
  change: TrainingChange;
  repeat: number;
}) {
  const { set, fold, members, change, repeat } = task;
  const random = Random.seeded(100 + repeat).stream("training change", fold);
  const changed = changedTraining(members, (i) => set.labels[i]!, set.classes, change, random);
  const flipped = new Map(changed.relabelled);
  return { ...changed, given: changed.train.map((index) => flipped.get(index) ?? set.labels[index]!) };
}

function flat(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]!.length;
  const all = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}
