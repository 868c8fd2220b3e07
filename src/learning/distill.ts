/**
 * Stage 1, distillation of anatomy: the encoder and a light decoder learn spatial tasks from pseudo-masks, without any
 * label (Zhang et al. 2022; the tasks and losses are our reconstruction, see docs/method.md).
 */
import {
  add,
  bceWithLogits,
  channelBlock,
  concat,
  constant,
  type Device,
  diceLoss,
  input,
  mul,
  reshape,
  Scope,
  type SessionOptions,
  type State,
  scale,
  sigmoid,
  slice,
  smoothL1,
  sub,
  type Tensor,
  TrainingSession,
  trainingStep,
  transpose,
} from "../autodiff/index.ts";
import { contrast, parts } from "../heads/index.ts";
import type { Random } from "../runs/index.ts";
import { colourGains, drawColourMix, recolouring } from "./colours.ts";
import type { Config } from "./config.ts";
import { decode, encode, relativeRotation } from "./network.ts";
import { channelsLast, cropPlanes, readCropPlanes } from "./planes.ts";
import { acrosomeOf, cropOf, type PreparedSet, pseudoMaskOf, setTargets } from "./prepare.ts";
import { batchSampler } from "./schedule.ts";
import { type Geometry, normaliseColour } from "./segment.ts";
import { Segmenter } from "./segmenter.ts";
import { averaged, type CurvePoint, trainLoop } from "./training.ts";
import { crop, viewMap } from "./views.ts";

export interface DistillResult {
  /** The averaged parameters: "encoder/…", "decoder/…", "rotation/…". */
  weights: State;
  curve: CurvePoint[];
  /** Samples whose pseudo-mask the teacher replaced. */
  replaced: number[];
}

export interface DistillOptions {
  set: PreparedSet;
  /** The samples it may see. */
  members: readonly number[];
  geometry: Geometry;
  config: Config;
  /** What the encoder starts from; random weights by default. */
  init?: State;
  random: Random;
  threads: number;
  device?: Device;
  checkpoint?: string;
  onStep?(step: number, values: Record<string, number>): void;
}

/** The whole step as one graph: two views of each of batch/2 heads. @param processor its blocks, where it will run there */
export function distillStep(
  set: PreparedSet,
  geometry: Geometry,
  { network, distill }: Config,
  processor: { channelBlock?: number } = {},
) {
  const { batch, tasks } = distill;
  const heads = batch >> 1;
  const { side } = set;
  const scope = Scope.training(processor);
  const pixels = input("pixels", [heads, side, side, 3], "uint8");
  const targets = input("targets", [heads, side, side, 3], "uint8");
  const sizes = input("sizes", [heads, 2]);
  const theta = input("theta", [2 * heads, 2, 3]);
  const trust = input("trust", [heads]);
  const turn = input("turn", [heads, 2]);

  // Both views of a crop are read in one go; then all first views come before all second ones.
  const crops = {
    planes: concat([cropPlanes(pixels), cropPlanes(targets)], 1),
    canvasSize: constant([side, side]),
    sizes,
  };
  const S = network.viewSize;
  const maps = transpose(reshape(theta, [2, heads, 2, 3]), [1, 0, 2, 3]);
  const read = readCropPlanes(crops, maps, S);
  const seen = reshape(transpose(reshape(read, [heads, 2, 6 * S * S]), [1, 0, 2]), [2 * heads, 6, S, S]);
  const colours = recolouring(2 * heads, distill.augmentation).planes(slice(seen, [0], [3], [1]));
  const target = (channel: number) => channelsLast(scale(slice(seen, [3 + channel], [4 + channel], [1]), 1 / 255));
  const mask = target(0);
  const distance = sub(scale(target(1), 2), 1);
  const acrosome = target(2);
  const twice = (x: Tensor) => concat([x, x], 0);
  const weights = twice(trust);

  const views = channelsLast(normaliseColour(colours, geometry));
  const features = encode(scope.sub("encoder"), views, network, geometry);
  const predicted = decode(scope.sub("decoder"), features, network);
  const metrics: Record<string, Tensor> = {};
  metrics.mask = add(bceWithLogits(predicted.mask, mask, weights), diceLoss(sigmoid(predicted.mask), mask, weights));
  let loss = scale(metrics.mask, tasks.mask);
  const addTask = (name: string, weight: number, value: () => Tensor) => {
    if (weight === 0) return;
    metrics[name] = value();
    loss = add(loss, scale(metrics[name], weight));
  };
  addTask("distance", tasks.distance, () => smoothL1(predicted.distance, distance, 0.1, weights));
  // Acrosome against nucleus is a question inside the head only; over the whole view it would drown in background.
  const inside = mul(mask, reshape(weights, [2 * heads, 1, 1, 1]));
  addTask("parts", tasks.parts, () => bceWithLogits(predicted.acrosome, acrosome, inside));
  addTask("rotation", tasks.rotation, () => smoothL1(relativeRotation(scope.sub("rotation"), features[3]), turn, 0.5));
  const { weightDecay, clipNorm } = distill;
  return trainingStep({ scope, loss, metrics, optimizer: { weightDecay, clipNorm } });
}

/** The inputs of one step. */
export function distillFeeds(
  set: PreparedSet,
  members: readonly number[],
  geometry: Geometry,
  config: Config,
  random: Random,
) {
  const { batch, augmentation, reliabilityWeighting } = config.distill;
  const heads = batch >> 1;
  const area = set.side * set.side * 3;
  const sample = batchSampler(random.stream("order"), members.length, heads);
  const { jitter } = augmentation;
  const feeds = {
    pixels: new Uint8Array(heads * area),
    targets: new Uint8Array(heads * area),
    sizes: new Float32Array(heads * 2),
    theta: new Float32Array(2 * heads * 6),
    gains: new Float32Array(2 * heads * 3),
    ...(jitter ? { mixes: new Float32Array(2 * heads * 9), lifts: new Float32Array(2 * heads * 3) } : {}),
    trust: new Float32Array(heads),
    turn: new Float32Array(heads * 2),
  };
  return (step: number) => {
    const draw = random.stream("views", step);
    for (const [i, position] of sample(step).entries()) {
      const index = members[position]!;
      feeds.pixels.set(set.pixels.subarray(index * area, (index + 1) * area), i * area);
      feeds.targets.set(set.targets.subarray(index * area, (index + 1) * area), i * area);
      const [width, height] = [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!];
      feeds.sizes.set([width, height], i * 2);
      const reliability = set.reliability[index]!;
      feeds.trust[i] = reliabilityWeighting ? reliability : reliability > 0 ? 1 : 0;
      const mirror = draw.uniform() < 0.5;
      const angles = [draw.uniform(0, 2 * Math.PI), draw.uniform(0, 2 * Math.PI)] as const;
      for (const view of [0, 1] as const) {
        const at = view * heads + i;
        const map = viewMap(crop(width, height), geometry.frameExtent, {
          rotation: angles[view],
          zoom: Math.exp(draw.uniform(Math.log(augmentation.zoom[0]), Math.log(augmentation.zoom[1]))),
          shiftU: draw.uniform(-augmentation.shift, augmentation.shift),
          shiftV: draw.uniform(-augmentation.shift, augmentation.shift),
          mirror,
        });
        feeds.theta.set(map, at * 6);
        feeds.gains.set(colourGains(draw, augmentation), at * 3);
        if (jitter && feeds.mixes && feeds.lifts) {
          const { mix, lift } = drawColourMix(draw, jitter, geometry.colourMean);
          feeds.mixes.set(mix, at * 9);
          feeds.lifts.set(lift, at * 3);
        }
      }
      // A view that reads with rotation r shows the head turned by -r, and mirroring reverses the sense.
      const relative = (mirror ? -1 : 1) * (angles[0] - angles[1]);
      feeds.turn.set([Math.cos(relative), Math.sin(relative)], i * 2);
    }
    return feeds;
  };
}

/** Runs stage 1. */
export async function distill(options: DistillOptions): Promise<DistillResult> {
  const { members, geometry, config, random, threads, device, checkpoint, onStep } = options;
  const { distill: settings } = config;
  // The teacher changes targets and trust; the caller's set stays as it is.
  const set: PreparedSet = {
    ...options.set,
    targets: options.set.targets.slice(),
    reliability: options.set.reliability.slice(),
  };
  const session = await TrainingSession.create(
    distillStep(set, geometry, config, { channelBlock: await channelBlock(device) }),
    { threads, device },
  );
  try {
    session.initialize(random.stream("weights"));
    if (options.init) session.start(options.init);
    const rounds = new Set(
      settings.teacher.enabled ? settings.teacher.rounds.map((at) => Math.round(at * settings.steps)) : [],
    );
    let replaced: number[] = [];
    const curve = await trainLoop({
      session,
      optimisation: settings,
      feeds: distillFeeds(set, members, geometry, config, random),
      checkpoint,
      extra: {
        save: () => ({ targets: set.targets, reliability: set.reliability, replaced: Int32Array.from(replaced) }),
        restore: (arrays) => {
          set.targets.set(arrays.targets as Uint8Array);
          set.reliability.set(arrays.reliability as Float32Array);
          replaced = [...(arrays.replaced as Int32Array)];
        },
      },
      onStep,
      pause: {
        due: (done) => rounds.has(done) && done < settings.steps,
        at: async () => {
          const changed = await teach(set, members, averaged(session.state()), geometry, config, { threads, device });
          replaced = [...new Set([...replaced, ...changed])].sort((a, b) => a - b);
        },
      },
    });
    return { weights: averaged(session.state()), curve, replaced };
  } finally {
    session.dispose();
  }
}

/** One round of the teacher over the members. @returns the samples it changed */
async function teach(
  set: PreparedSet,
  members: readonly number[],
  weights: State,
  geometry: Geometry,
  config: Config,
  session: SessionOptions,
): Promise<number[]> {
  const { disagreement, consistency } = config.distill.teacher;
  const segmenter = await Segmenter.create(weights, geometry, config.network, set.side, session);
  try {
    const changed: number[] = [];
    for await (const { index, head } of segmenter.each(set, members)) {
      const mine = pseudoMaskOf(set, index);
      const theirs = head.cropMask("mask");
      if (head.agreement < consistency || overlap(mine.data, theirs.data) >= disagreement) continue;
      // Only a mask that looks like one head may replace another.
      if (theirs.data.reduce((sum, value) => sum + value, 0) < 25) continue;
      setTargets(set, index, theirs, acrosomeOf(parts(theirs, contrast(cropOf(set, index)).plane)));
      set.reliability[index] = head.agreement;
      changed.push(index);
    }
    return changed;
  } finally {
    segmenter.dispose();
  }
}

/** Intersection over union of two 0/1 masks; 1 where both are empty. */
export function overlap(a: Uint8Array, b: Uint8Array): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.length; i++) {
    both += a[i]! & b[i]!;
    either += a[i]! | b[i]!;
  }
  return either === 0 ? 1 : both / either;
}
