/**
 * The last layer of a finished model, learned again from heads that somebody reviewed: the encoder, the masks and the poses
 * stay as they are. With few labels from another laboratory that is what can be learned without spoiling what the model
 * knows (Kumar et al. 2022: the last layer alone does better than the whole network away from the data it is tuned on).
 *
 * The objective is the mean cross-entropy of the reviewed heads plus strength / 2 · Σ (change of a weight)², in units of
 * each feature's deviation: the old layer is where it starts and what it is pulled to, so that a class nobody reviewed
 * keeps its weights, and an infinite strength is the old layer. It is convex, but for a model with a probe, whose
 * probabilities are a mean of two opinions: then it goes downhill from the old layer. Every FLOP runs in ONNX Runtime.
 */
import { createHash } from "node:crypto";
import {
  add,
  constant,
  FormatError,
  input,
  type LinearLayer,
  linearLayer,
  log,
  matmul,
  mul,
  readModel,
  Scope,
  scale,
  softTargetCrossEntropy,
  square,
  sum,
  TrainingSession,
  trainingStep,
  withLinearLayer,
  zeros,
} from "../autodiff/index.ts";
import { AndroscopeError, Random } from "../runs/index.ts";
import { weighed } from "./classifier.ts";
import { goldenAnswer, goldenOf, METADATA_KEY, type ModelMetadata, readMetadata } from "./model.ts";
import { oneCycle } from "./schedule.ts";

/** Heads as the last layer sees them. */
export interface ReviewedFeatures {
  /** `features` of each head's prediction. */
  features: readonly Float32Array[];
  /** Index of each head's class. */
  labels: readonly number[];
}

/** From what a model saw of a head to logits: those of its classes, or of stage 2 and of a probe beside each other. */
export interface LastLayer extends LinearLayer {
  /** The probe's part in the probabilities, where there is one. */
  readonly share?: number;
}

const STEPS = 600;
const RATE = 0.1;
/** What hardly varies among these heads may vary among others: a feature's unit is at least this share of the mean one. */
const LEAST_UNIT = 0.1;
/** What both opinions take for impossible has a logarithm all the same. */
const LEAST_PROBABILITY = 1e-12;

/** The last layer of a model. @throws `model/*` */
export function lastLayer(bytes: Uint8Array, where: string): { layer: LastLayer; metadata: ModelMetadata } {
  const metadata = readMetadata(bytes, where);
  const { probe, classes } = metadata;
  try {
    const inputs = readModel(bytes).outputs.find(({ name }) => name === "features")?.shape[1] ?? 0;
    const layer = linearLayer(bytes, inputs, (probe ? 2 : 1) * classes.length);
    return { layer: probe ? { ...layer, share: probe.share } : layer, metadata };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    if (probe) {
      throw new AndroscopeError("model/not-adaptable", {
        expected: "a model with one last layer",
        found: "one of an earlier program with a linear probe beside it (tune.probe, tune.wavelets)",
        where,
        fix: "Train the model anew, or adapt another one.",
        cause,
      });
    }
    throw new AndroscopeError("model/not-a-model", {
      expected: "a model with one last layer",
      found: cause.message,
      where,
      fix: "Give a model.onnx from a run folder of androscope train.",
      cause,
    });
  }
}

/** Learns last layers from the same heads, some or all of them, more or less strongly pulled to the old one. */
export class LastLayerLearner {
  readonly #session: TrainingSession;
  readonly #layer: LastLayer;
  readonly #centre: Float32Array;
  readonly #unit: Float32Array;
  readonly #count: number;

  private constructor(session: TrainingSession, layer: LastLayer, count: number, { centre, unit }: Spread) {
    this.#session = session;
    this.#layer = layer;
    this.#count = count;
    this.#centre = centre;
    this.#unit = unit;
  }

  /** @param temperature of the model's probabilities */
  static async create(
    layer: LastLayer,
    { features, labels }: ReviewedFeatures,
    { temperature = 1, threads = 1 }: { temperature?: number; threads?: number } = {},
  ): Promise<LastLayerLearner> {
    const [count, width] = [features.length, layer.bias.length];
    const channels = layer.weight.length / width;
    const classes = classesOf(layer);
    const spread = spreadOf(features, channels);
    const { centre, unit } = spread;
    const flat = Float32Array.from(features.flatMap((row) => [...row]));
    const standard = flat.map((value, i) => (value - centre[i % channels]!) / unit[i % channels]!);
    const targets = Float32Array.from({ length: count * classes }, (_, i) =>
      labels[Math.floor(i / classes)] === i % classes ? 1 : 0,
    );

    const scope = Scope.training();
    const weight = scope.parameter("weight", [channels, width], zeros);
    const bias = scope.parameter("bias", [width], zeros);
    const before = add(
      matmul(constant(flat, [count, channels]), constant(layer.weight, [channels, width])),
      constant(layer.bias, [width]),
    );
    const change = add(matmul(constant(standard, [count, channels]), weight), bias);
    const both = add(before, change);
    const logits = layer.share === undefined ? both : log(add(weighed(both, classes, layer.share), LEAST_PROBABILITY));
    const tempered = scale(logits, 1 / temperature);
    const misfit = softTargetCrossEntropy(tempered, constant(targets, [count, classes]), input("weights", [count]));
    const moved = add(sum(square(weight)), sum(square(bias)));
    const loss = add(misfit, mul(moved, input("pull", [])));
    const session = await TrainingSession.create(trainingStep({ scope, loss, optimizer: { weightDecay: 0 } }), {
      threads,
    });
    return new LastLayerLearner(session, layer, count, spread);
  }

  /** @param chosen the heads it may see @param strength of the pull to the old layer */
  async learn(chosen: readonly number[], strength: number): Promise<LastLayer> {
    const session = this.#session;
    session.initialize(Random.seeded(1));
    const weights = new Float32Array(this.#count);
    for (const i of chosen) weights[i] = this.#count / chosen.length;
    const feeds = { weights, pull: Float32Array.of(strength / 2) };
    const learningRate = (step: number) => oneCycle(step, STEPS, RATE, 0.1);
    await session.runMany(STEPS, (step) => ({ feeds, learningRate: learningRate(step) }));
    const state = session.state();
    const [weight, bias] = ["weight", "bias"].map((name) => state.get(`param/${name}`)!.data) as [
      Float32Array,
      Float32Array,
    ];
    // Back from standard units: W + D W', b + b' − centre · D W'.
    const { weight: old, bias: oldBias } = this.#layer;
    const width = bias.length;
    const learned = { ...this.#layer, weight: old.slice(), bias: oldBias.map((b, k) => b + bias[k]!) };
    for (const [i, change] of weight.entries()) {
      const channel = Math.floor(i / width);
      const moved = change / this.#unit[channel]!;
      learned.weight[i]! += moved;
      learned.bias[i % width]! -= moved * this.#centre[channel]!;
    }
    return learned;
  }

  dispose(): void {
    this.#session.dispose();
  }
}

const classesOf = ({ bias, share }: LastLayer) => bias.length / (share === undefined ? 1 : 2);

/**
 * The logarithms of a head's class probabilities, as a layer sees its averaged view.
 * @param features [channels]
 */
export function logProbabilities(layer: LastLayer, features: Float32Array, temperature: number): number[] {
  const { weight, bias, share } = layer;
  const width = bias.length;
  const logits = [...bias].map((b, k) => {
    let logit = b;
    for (const [c, value] of features.entries()) logit += value * weight[c * width + k]!;
    return logit;
  });
  const classes = classesOf(layer);
  const [tuned, probe] = [logSoftmax(logits.slice(0, classes)), logSoftmax(logits.slice(classes))];
  const mean =
    share === undefined
      ? tuned
      : tuned.map((own, k) => Math.log((1 - share) * Math.exp(own) + share * Math.exp(probe[k]!) + LEAST_PROBABILITY));
  return logSoftmax(mean.map((value) => value / temperature));
}

function logSoftmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  return logits.map((logit) => logit - most - Math.log(total));
}

interface Spread {
  centre: Float32Array;
  unit: Float32Array;
}

/** Mean and deviation of each feature. */
function spreadOf(features: readonly Float32Array[], channels: number): Spread {
  const mean = (of: (row: Float32Array, channel: number) => number) =>
    Float32Array.from(
      { length: channels },
      (_, channel) => features.reduce((total, row) => total + of(row, channel), 0) / features.length,
    );
  const centre = mean((row, channel) => row[channel]!);
  const deviation = mean((row, channel) => (row[channel]! - centre[channel]!) ** 2).map(Math.sqrt);
  const usual = deviation.reduce((total, value) => total + value, 0) / channels;
  return { centre, unit: deviation.map((value) => Math.max(value, LEAST_UNIT * usual, 1e-6)) };
}

/**
 * The model with another last layer. Its masks, poses and what it refuses stay the same, to the last bit.
 * @throws `model/*`
 */
export async function withLastLayer(
  bytes: Uint8Array,
  where: string,
  layer: LastLayer,
  { program, heads, strength }: { program: string; heads: number; strength: number },
): Promise<Uint8Array> {
  const { metadata } = lastLayer(bytes, where);
  const base = createHash("sha256").update(bytes).digest("hex");
  const described = (probabilities: number[]): Record<string, string> => ({
    [METADATA_KEY]: JSON.stringify({
      ...metadata,
      program,
      adaptation: { base, heads, strength },
      golden: { ...metadata.golden, probabilities },
    } satisfies ModelMetadata),
  });
  const probabilities = await goldenAnswer(withLinearLayer(bytes, layer, {}), goldenOf(metadata));
  return withLinearLayer(bytes, layer, described(probabilities));
}
