/**
 * One training, whole: stage 1 on the members, their masks and poses, stage 2 on those with labels. A pure function of
 * (data, members, configuration, seed, threads, device): run again, elsewhere or after a crash it gives the same bytes.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Device,
  InferenceRunner,
  input,
  type LinearLayer,
  parseState,
  type SessionOptions,
  type State,
  serializeState,
} from "../autodiff/index.ts";
import { type Progress, Random, readArrays, type Spell, spellSince, writeArrays } from "../runs/index.ts";
import { type Acceptance, fitAcceptance } from "./acceptance.ts";
import { type ClassifierParts, classification } from "./classifier.ts";
import { type Config, initServesStage1, probeSettings } from "./config.ts";
import { type DistillResult, distill, overlap } from "./distill.ts";
import { type FeatureSource, headFeatures } from "./head-features.ts";
import type { LabelOpinion } from "./label-opinions.ts";
import { refineLabels } from "./label-refinement.ts";
import { type PosedSet, viewExtentOf } from "./posed.ts";
import { type PreparedSet, pseudoMaskOf } from "./prepare.ts";
import { fitLayer, probeSource } from "./probe.ts";
import type { Geometry } from "./segment.ts";
import { type SegmentedHead, Segmenter } from "./segmenter.ts";
import { type CurvePoint, removeCheckpoint } from "./training.ts";
import { givenTarget, tune } from "./tune.ts";

export interface TrainingTask {
  set: PreparedSet;
  /** Samples to learn from, with their labels. */
  train: readonly number[];
  /** Samples that stage 1 sees beside them, never their labels. */
  unlabelled?: readonly number[];
  config: Config;
  /** What stage 1's encoder starts from, and stage 2's where the configuration says so, or what a probe keeps; random weights by default. */
  init?: State;
  seed: number;
  /** Distinguishes the random streams of folds. */
  name: string;
  threads: number;
  /** Results depend on it in the last bits; the processor by default. */
  device?: Device;
  /** Folder for checkpoints and finished stages; absent, nothing is kept. */
  folder?: string;
  progress: Progress;
  /** Evaluate these on the way, as the literature does. Never used to choose anything by default. */
  look?: { samples: readonly number[]; every: number };
}

export interface MaskQuality {
  id: string;
  reliability: number;
  /** IoU of stage 1's mask with the pseudo-mask. */
  overlap: number;
  agreement: number;
  replaced: boolean;
}

export interface Trained {
  parts: ClassifierParts;
  curves: { distill: CurvePoint[]; tune: CurvePoint[] };
  masks: MaskQuality[];
  /** What the networks take for a head, by those that they learned from. */
  acceptance: Acceptance;
  /** What the labels are likely to be, where they were refined. */
  labels?: LabelOpinion[];
  /** Accuracy on the looked-at samples at epochs, with the probabilities. */
  looks: { step: number; probabilities: number[][] }[];
  /** Stage 1's work, where it was found done. */
  earlier?: Spell;
}

/** Mean and common deviation of the colours of some crops, in [0, 1]. */
export function colourStatistics(
  set: PreparedSet,
  members: readonly number[],
): Pick<Geometry, "colourMean" | "colourDeviation"> {
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  let count = 0;
  for (const index of members) {
    const [width, height] = [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!];
    for (let y = 0; y < height; y += 2) {
      let at = (index * set.side + y) * set.side * 3;
      for (let x = 0; x < width; x += 2, at += 6, count++) {
        for (let c = 0; c < 3; c++) {
          const value = set.pixels[at + c]! / 255;
          sums[c]! += value;
          squares[c]! += value * value;
        }
      }
    }
  }
  const mean = sums.map((sum) => sum / count) as [number, number, number];
  const variance = squares.reduce((sum, square, c) => sum + square / count - mean[c]! ** 2, 0) / 3;
  // Of crops of one colour, rounding may leave a variance just below zero, whose root is no number.
  return { colourMean: mean, colourDeviation: Math.max(0.02, Math.sqrt(Math.max(0, variance))) };
}

/** Trains both stages. */
export async function train(task: TrainingTask): Promise<Trained> {
  const { set, config, name, threads, device, progress } = task;
  const random = streamOf(task);
  const file = fileOf(task);
  // Refined labels are a matter of all heads: those without a label get one of their own.
  const members = config.tune.refineLabels ? [...task.train, ...(task.unlabelled ?? [])] : task.train;
  let geometry = frameOf(task);
  const { earlier, ...stage1 } = await distilled(task, geometry);

  const heads = new Map<number, SegmentedHead>();
  const masks: MaskQuality[] = [];
  const segmenter = await Segmenter.create(stage1.weights, geometry, config.network, set.side, { threads, device });
  for await (const { index, head } of segmenter.each(set, members)) {
    heads.set(index, head);
    masks.push({
      id: set.ids[index]!,
      reliability: set.reliability[index]!,
      overlap: overlap(pseudoMaskOf(set, index).data, head.cropMask("mask").data),
      agreement: head.agreement,
      replaced: stage1.replaced.includes(index),
    });
  }
  segmenter.dispose();
  geometry = { ...geometry, viewExtent: viewExtentOf(heads.values(), config.tune.margin) };

  const labelled = new Set(task.train);
  const posed = { set, heads, geometry };
  const source = probeSource(config, task.init);
  const seen = source && (await headFeatures(posed, members, source, config, { threads, device }));
  const wavelets = config.tune.wavelets ? seen : undefined;
  const targets = config.tune.refineLabels ? await refinedTargets(posed, task, stage1.weights, wavelets) : undefined;

  const probe = source && { source, layer: await probeLayer(source, seen!, { ...posed, targets }, members, task) };

  const partsOf = (tuned: State): ClassifierParts => ({
    distilled: stage1.weights,
    tuned,
    geometry,
    config,
    classes: set.classes.length,
    ...(probe ? { probe } : {}),
    temperature: 1,
  });
  const looks: Trained["looks"] = [];
  progress.start(`${name}: stage 2, tuning`, config.tune.steps);
  // Looks at the test fold are not in the checkpoint: where they are wanted, an interrupted stage 2 starts again.
  const checkpoint = task.look ? undefined : file("tune.checkpoint");
  const stage2 = await tune({
    posed: { ...posed, targets },
    members,
    distilled: stage1.weights,
    init: task.init,
    config,
    random: random.stream("tune"),
    threads,
    device,
    checkpoint,
    onStep: (step, { loss, accuracy }) =>
      progress.update(step, `loss ${loss!.toFixed(3)}, training accuracy ${(100 * accuracy!).toFixed(0)} %`),
    look: task.look && {
      every: task.look.every,
      at: async (step, weights) => {
        const seen = await classify(set, task.look!.samples, partsOf(weights), { threads, device });
        looks.push({ step, probabilities: seen.map((s) => s.probabilities) });
      },
    },
  });
  progress.finish();
  await removeCheckpoint(checkpoint);
  return {
    parts: partsOf(stage2.weights),
    curves: { distill: stage1.curve, tune: stage2.curve },
    masks,
    acceptance: fitAcceptance([...heads.values()]),
    ...(targets
      ? {
          labels: [...targets].map(([index, likely]) => ({
            index,
            given: labelled.has(index) ? set.labels[index]! : -1,
            likely: [...likely],
          })),
        }
      : {}),
    looks,
    ...(earlier ? { earlier } : {}),
  };
}

/** What each head is likely to be, by sample: its label weighed against the heads that look alike to stage 1. */
async function refinedTargets(
  posed: PosedSet,
  task: TrainingTask,
  distilled: State,
  wavelets: Float32Array | undefined,
): Promise<Map<number, Float32Array>> {
  const { set, config, train: labelled, unlabelled = [], threads, device } = task;
  const members = [...labelled, ...unlabelled];
  const classes = set.classes.length;
  const encoder = { weights: distilled, network: config.network };
  const session = { threads, device };
  const features = await headFeatures(posed, members, encoder, config, session);
  const given = Float32Array.from(labelled.flatMap((index) => givenTarget(set, index, config.tune)));
  const { targets } = await refineLabels(
    { heads: members.length, features, wavelets, targets: given, classes },
    session,
  );
  return new Map(members.map((index, i) => [index, targets.subarray(i * classes, (i + 1) * classes)]));
}

/** The linear probe's layer, with the same targets as stage 2, of heads in focus and, where it is to, out of it. */
async function probeLayer(
  source: FeatureSource,
  inFocus: Float32Array,
  posed: PosedSet,
  members: readonly number[],
  { set, config, threads, device }: TrainingTask,
): Promise<LinearLayer> {
  const session = { threads, device };
  const seen = [inFocus];
  for (const deviation of config.tune.wavelets?.blur ?? []) {
    seen.push(await headFeatures(posed, members, { ...source, deviation }, config, session));
  }
  const shares = members.flatMap((index) =>
    Array.from(posed.targets?.get(index) ?? givenTarget(set, index, config.tune)),
  );
  const examples = {
    heads: members.length * seen.length,
    features: joined(seen),
    targets: joined(seen.map(() => Float32Array.from(shares))),
  };
  const { ridge, sharpness } = probeSettings(config)!;
  // A head counts as much against the ridge however often it is seen.
  return fitLayer(examples, { ridge: ridge * seen.length, sharpness }, session);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  for (let i = 0, at = 0; i < parts.length; at += parts[i++]!.length) all.set(parts[i]!, at);
  return all;
}

/** Stage 1 alone, kept in the task's folder: {@link train} then finds it there and goes on, in whatever process. */
export async function distillAhead(task: TrainingTask & { folder: string }): Promise<void> {
  await distilled(task, frameOf(task));
}

/** Whether stage 1 of a training of this name is done and kept. */
export function isDistilled(folder: string, name: string): boolean {
  return existsSync(distilledFile(folder, name));
}

/** Where {@link train} and {@link distillAhead} keep the result of stage 1. */
export function distilledFile(folder: string, name: string): string {
  return join(folder, `${name}.distilled`);
}

const streamOf = ({ seed, name }: TrainingTask) => Random.seeded(seed).stream("training", name);
const fileOf =
  ({ folder, name }: TrainingTask) =>
  (kind: string) =>
    folder && join(folder, `${name}.${kind}`);

/** What stage 1 sees: it needs no labels, and neither do the statistics of colours. */
const seenBy = ({ train, unlabelled = [] }: TrainingTask) => [...train, ...unlabelled].sort((a, b) => a - b);

/** How stage 1 looks at crops. */
function frameOf(task: TrainingTask): Geometry {
  const { set } = task;
  return { frameExtent: set.frameExtent, viewExtent: set.frameExtent, ...colourStatistics(set, seenBy(task)) };
}

function distilled(task: TrainingTask, geometry: Geometry): Promise<Kept> {
  const { set, config, name, threads, device, progress } = task;
  const checkpoint = fileOf(task)("distill.checkpoint");
  return keep(fileOf(task)("distilled"), checkpoint, async () => {
    progress.start(`${name}: stage 1, distillation`, config.distill.steps);
    const result = await distill({
      set,
      members: seenBy(task),
      geometry,
      config,
      init: initServesStage1(config) ? task.init : undefined,
      random: streamOf(task).stream("distill"),
      threads,
      device,
      checkpoint,
      onStep: (step, { loss }) => progress.update(step, `loss ${loss!.toFixed(3)}`),
    });
    progress.finish();
    return result;
  });
}

type Kept = DistillResult & Pick<Trained, "earlier">;

/** A finished stage 1 is kept, so that a resumed run does not repeat it. */
async function keep(
  path: string | undefined,
  checkpoint: string | undefined,
  make: () => Promise<DistillResult>,
): Promise<Kept> {
  if (path && existsSync(path)) {
    const { arrays, meta } = await readArrays(path);
    // A kill may have come between the two.
    await removeCheckpoint(checkpoint);
    return { weights: parseState(arrays.weights as Uint8Array), ...(meta as Omit<Kept, "weights">) };
  }
  const from = Date.now();
  const result = await make();
  const { weights, ...meta } = result;
  const earlier = spellSince(from);
  if (path) await writeArrays(path, { arrays: { weights: serializeState(weights) }, meta: { ...meta, earlier } });
  await removeCheckpoint(checkpoint);
  return result;
}

export interface Classified {
  index: number;
  probabilities: number[];
  length: number;
  width: number;
  agreement: number;
  /** [S, S] probabilities in the frame. */
  mask: Float32Array;
}

/** Classifies samples of a prepared set with the same graph that the exported model holds. */
export async function classify(
  set: PreparedSet,
  samples: readonly number[],
  parts: ClassifierParts,
  session: SessionOptions,
): Promise<Classified[]> {
  const pixels = input("pixels", [-1, set.side, set.side, 3], "uint8");
  const sizes = input("sizes", [-1, 2]);
  const { probabilities, extents, agreement, mask } = classification(pixels, sizes, parts);
  const runner = await InferenceRunner.create({ probabilities, extents, agreement, mask }, session);
  const area = set.side * set.side * 3;
  const frame = parts.config.network.viewSize ** 2;
  const out: Classified[] = [];
  const batch = 8;
  for (let from = 0; from < samples.length; from += batch) {
    const chosen = samples.slice(from, from + batch);
    const feed = new Uint8Array(chosen.length * area);
    for (const [i, index] of chosen.entries())
      feed.set(set.pixels.subarray(index * area, (index + 1) * area), i * area);
    const result = await runner.run({
      pixels: feed,
      sizes: Float32Array.from(chosen.flatMap((i) => [set.sizes[i * 2]!, set.sizes[i * 2 + 1]!])),
    });
    const row = (name: string, i: number, size: number) =>
      (result[name]!.data as Float32Array).slice(i * size, (i + 1) * size);
    for (const [i, index] of chosen.entries()) {
      const [length, width] = row("extents", i, 2);
      out.push({
        index,
        probabilities: [...row("probabilities", i, parts.classes)],
        length: length!,
        width: width!,
        agreement: row("agreement", i, 1)[0]!,
        mask: row("mask", i, frame),
      });
    }
  }
  runner.dispose();
  return out;
}
