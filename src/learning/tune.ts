/**
 * Stage 2, tuning: a classifier on the distilled encoder, regularised by the masks that stage 1 predicts (Zhang et al.
 * 2022; which terms and how are our reconstruction, see docs/method.md). Every term is a switch of the configuration.
 */
import {
  add,
  argMax,
  bceWithLogits,
  cast,
  channelBlock,
  concat,
  constant,
  type Device,
  diceLoss,
  equal,
  exp,
  gather,
  input,
  logSoftmax,
  mean,
  mul,
  reshape,
  Scope,
  type State,
  scale,
  sigmoid,
  slice,
  softmax,
  softTargetCrossEntropy,
  stopGradient,
  sub,
  sum,
  type Tensor,
  TrainingSession,
  trainingStep,
} from "../autodiff/index.ts";
import type { Random } from "../runs/index.ts";
import { colourGains, drawColourMix, recolouring } from "./colours.ts";
import { type Config, tunedNetwork } from "./config.ts";
import { classify, decode, encode, pooledChannels } from "./network.ts";
import { channelsLast, cropPlanes, keptRegions, readCropPlanes, readFramePlanes } from "./planes.ts";
import { type PosedSet, viewOf } from "./posed.ts";
import { batchSampler } from "./schedule.ts";
import { viewColours } from "./segment.ts";
import { shapeStem } from "./shape-maps.ts";
import { averaged, type CurvePoint, trainLoop } from "./training.ts";

export interface TuneResult {
  /** The averaged parameters of the classifier: "encoder/…", "classifier/…". */
  weights: State;
  curve: CurvePoint[];
}

export interface TuneOptions {
  posed: PosedSet;
  members: readonly number[];
  /** Stage 1's parameters, and what they started from: to start from the one or the other. */
  distilled: State;
  init?: State;
  config: Config;
  random: Random;
  threads: number;
  device?: Device;
  checkpoint?: string;
  onStep?(step: number, values: Record<string, number>): void;
  /** Called with the average now and then, for those who select on the test fold as the literature does. */
  look?: { every: number; at(done: number, weights: State): Promise<void> };
}

/** Generalised cross-entropy (Zhang and Sabuncu 2018): between cross-entropy and mean absolute error. */
function generalisedCrossEntropy(logits: Tensor, targets: Tensor, weights: Tensor): Tensor {
  const q = 0.7;
  const chosen = exp(scale(sum(mul(logSoftmax(logits, 1), targets), [1]), q));
  return mean(mul(scale(sub(1, chosen), 1 / q), weights));
}

/** The whole step as one graph. @param processor its blocks, where it will run there */
export function tuneStep({ set, geometry }: PosedSet, config: Config, processor: { channelBlock?: number } = {}) {
  const { tune, colour } = config;
  const network = tunedNetwork(config);
  const { batch } = tune;
  const classes = set.classes.length;
  const { side } = set;
  const frameSide = config.network.viewSize;
  const view = network.viewSize;
  const scope = Scope.training(processor);
  const pixels = input("pixels", [batch, side, side, 3], "uint8");
  const { shapeMaps = [] } = tune;
  const frames = input("frames", [batch, 1 + shapeMaps.length, frameSide, frameSide], "uint8");
  const sizes = input("sizes", [batch, 2]);
  const theta = input("theta", [batch, 2, 3]);
  const recolour = recolouring(batch, tune.augmentation);
  const background = input("background", [batch, 3]);
  const margins = input("margins", [batch, tune.suppress.margin[1] + 1]);
  const labels = input("labels", [batch, classes]);
  const weights = input("weights", [batch]);
  const partner = input("partner", [batch], "int64");
  const mix = input("mix", [batch]);
  const random = input("random", [batch, pooledChannels(network, tune)]);

  const crops = { planes: cropPlanes(pixels), canvasSize: constant([side, side]), sizes };
  const maps = reshape(theta, [batch, 1, 2, 3]);
  const seen = recolour.planes(readCropPlanes(crops, maps, view));
  let colours = viewColours(seen, recolour.single(background), geometry, colour);
  const frame = scale(cast(frames, "float32"), 1 / 255);
  // [batch, 1 + shape maps, view, view], the mask first.
  let shapes = readFramePlanes(frame, geometry.frameExtent, sizes, maps, view);
  let targets = labels;
  if (tune.mixup > 0) {
    const share = reshape(mix, [batch, 1, 1, 1]);
    const blend = (x: Tensor, part: Tensor) => add(mul(x, part), mul(gather(x, partner, 0), sub(1, part)));
    colours = blend(colours, share);
    shapes = blend(shapes, share);
    targets = blend(labels, reshape(mix, [batch, 1]));
  }
  const mask = shapeMaps.length > 0 ? slice(shapes, [0], [1], [1]) : shapes;
  // The colours are centred on zero, which is what the background becomes.
  const focused = tune.suppress.enabled ? mul(colours, keptRegions(mask, margins)) : colours;
  // With consistency the plain view goes through the same network in the same pass, as the batch's second half.
  const tied = tune.consistency > 0 && tune.suppress.enabled;
  const views = channelsLast(tied ? concat([focused, colours], 0) : focused);
  const forBoth = (planes: Tensor) => channelsLast(tied ? concat([planes, planes], 0) : planes);
  const foreground = forBoth(mask);
  const drop = { rate: tune.dropout, random: tied ? concat([random, random], 0) : random };

  // Random layers must move; learned ones may be kept closer to where they came from.
  const encoder = scope.sub("encoder");
  const rated = tune.initialise === "scratch" ? encoder : encoder.withRate(tune.encoderRate);
  const further = () => forBoth(slice(shapes, [1], [1 + shapeMaps.length], [1]));
  const beside = shapeMaps.length > 0 ? shapeStem(encoder, further(), network) : undefined;
  const features = encode(rated, views, network, geometry, beside);
  const { logits } = classify(scope.sub("classifier"), features, foreground, classes, tune, drop);
  const first = tied ? slice(logits, [0], [batch], [0]) : logits;

  const smoothed = add(scale(targets, 1 - tune.labelSmoothing), tune.labelSmoothing / classes);
  const metrics: Record<string, Tensor> = {};
  metrics.classes =
    tune.loss === "generalised"
      ? generalisedCrossEntropy(first, smoothed, weights)
      : softTargetCrossEntropy(first, smoothed, weights);
  metrics.accuracy = mean(cast(equal(argMax(first, 1), argMax(labels, 1)), "float32"));
  let loss = metrics.classes;
  if (tied) {
    const second = slice(logits, [batch], [2 * batch], [0]);
    metrics.consistency = softTargetCrossEntropy(second, stopGradient(softmax(first, 1)), weights);
    loss = add(loss, scale(metrics.consistency, tune.consistency));
  }
  if (tune.auxiliaryMask > 0) {
    const logit = decode(scope.sub("decoder"), features, network).mask;
    metrics.mask = add(bceWithLogits(logit, foreground), diceLoss(sigmoid(logit), foreground));
    loss = add(loss, scale(metrics.mask, tune.auxiliaryMask));
  }
  const { weightDecay, clipNorm } = tune;
  return trainingStep({ scope, loss, metrics, optimizer: { weightDecay, clipNorm } });
}

/** The label or the votes of a sample, as shares of the classes. */
export function givenTarget(
  { classes, votes, labels }: PosedSet["set"],
  index: number,
  tune: Config["tune"],
): number[] {
  const shares = [...votes.subarray(index * classes.length, (index + 1) * classes.length)];
  const voted = tune.votes && shares.some((share) => share > 0);
  return voted ? shares : shares.map((_, c) => (c === labels[index] ? 1 : 0));
}

const indexOfMost = (shares: ArrayLike<number>) => Array.from(shares).indexOf(Math.max(...Array.from(shares)));

/** How much a sample counts: with its experts' agreement, where that is asked for. */
function weightOf({ classes, votes }: PosedSet["set"], index: number, tune: Config["tune"]): number {
  const most = Math.max(...votes.subarray(index * classes.length, (index + 1) * classes.length));
  return tune.agreementWeighting && most > 0 ? most : 1;
}

export function tuneFeeds(posed: PosedSet, members: readonly number[], config: Config, random: Random) {
  const { tune, network } = config;
  const { set } = posed;
  const { batch, augmentation, suppress } = tune;
  const classes = set.classes.length;
  const area = set.side * set.side * 3;
  const frame = network.viewSize ** 2;
  const { shapeMaps = [] } = tune;
  const maps = 1 + shapeMaps.length;
  const marginCount = suppress.margin[1] + 1;
  const channels = pooledChannels(tunedNetwork(config), tune);
  const sample = batchSampler(random.stream("order"), members.length, batch);
  const { jitter } = augmentation;
  const feeds = {
    pixels: new Uint8Array(batch * area),
    frames: new Uint8Array(batch * maps * frame),
    sizes: new Float32Array(batch * 2),
    theta: new Float32Array(batch * 6),
    gains: new Float32Array(batch * 3),
    ...(jitter ? { mixes: new Float32Array(batch * 9), lifts: new Float32Array(batch * 3) } : {}),
    background: new Float32Array(batch * 3),
    margins: new Float32Array(batch * marginCount),
    labels: new Float32Array(batch * classes),
    weights: new Float32Array(batch),
    partner: new BigInt64Array(batch),
    mix: new Float32Array(batch).fill(1),
    random: new Float32Array(batch * channels),
  };
  // A turned crop has no upright: without pose every direction is as good.
  const turn = tune.pose ? (augmentation.rotation * Math.PI) / 180 : Math.PI;
  const targetOf = (index: number) => posed.targets?.get(index) ?? givenTarget(set, index, tune);
  const classOf = (index: number) => (posed.targets ? indexOfMost(targetOf(index)) : set.labels[index]);
  return (step: number) => {
    const draw = random.stream("views", step);
    const chosen = sample(step).map((position) => members[position]!);
    feeds.margins.fill(0);
    for (const [i, index] of chosen.entries()) {
      const head = posed.heads.get(index)!;
      feeds.pixels.set(set.pixels.subarray(index * area, (index + 1) * area), i * area);
      for (const [k, map] of [head.frameMask, ...shapeMaps.map((name) => head.shapeMaps[name])].entries())
        feeds.frames.set(map, (i * maps + k) * frame);
      feeds.sizes.set(set.sizes.subarray(index * 2, index * 2 + 2), i * 2);
      feeds.background.set(head.background, i * 3);
      const map = viewOf(posed, index, tune, {
        rotation: draw.uniform(-turn, turn),
        zoom: draw.uniform(...augmentation.zoom),
        shiftU: draw.uniform(-augmentation.shift, augmentation.shift),
        shiftV: draw.uniform(-augmentation.shift, augmentation.shift),
        mirror: augmentation.mirror && draw.uniform() < 0.5,
      });
      feeds.theta.set(map, i * 6);
      feeds.gains.set(colourGains(draw, augmentation), i * 3);
      if (jitter && feeds.mixes && feeds.lifts) {
        const { mix, lift } = drawColourMix(draw, jitter, posed.geometry.colourMean);
        feeds.mixes.set(mix, i * 9);
        feeds.lifts.set(lift, i * 3);
      }
      feeds.margins[i * marginCount + suppress.margin[0] + draw.integer(marginCount - suppress.margin[0])] = 1;
      feeds.labels.set(targetOf(index), i * classes);
      feeds.weights[i] = weightOf(set, index, tune);
      if (tune.mixup > 0) {
        const alike = chosen.flatMap((other, j) => (classOf(other) === classOf(index) ? [j] : []));
        feeds.partner[i] = BigInt(draw.pick(alike));
        feeds.mix[i] = draw.beta(tune.mixup, tune.mixup);
      }
    }
    if (tune.dropout > 0) for (let i = 0; i < feeds.random.length; i++) feeds.random[i] = draw.uniform();
    return feeds;
  };
}

/** Runs stage 2. */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const { posed, members, distilled, init, config, random, threads, device, checkpoint, onStep, look } = options;
  const session = await TrainingSession.create(tuneStep(posed, config, { channelBlock: await channelBlock(device) }), {
    threads,
    device,
  });
  try {
    session.initialize(random.stream("weights"));
    if (config.tune.initialise === "distilled") session.start(distilled);
    if (config.tune.initialise === "imagenet") session.start(init!);
    const curve = await trainLoop({
      session,
      optimisation: config.tune,
      feeds: tuneFeeds(posed, members, config, random),
      checkpoint,
      onStep,
      pause: look && {
        due: (done) => done % look.every === 0 || done === config.tune.steps,
        at: (done) => look.at(done, averaged(session.state())),
      },
    });
    return { weights: averaged(session.state()), curve };
  } finally {
    session.dispose();
  }
}
