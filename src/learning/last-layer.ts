/**
 * The last layer of a finished model, learned again from heads that somebody reviewed: the encoder, the masks and the poses
 * stay as they are. With few labels from another laboratory that is what can be learned without spoiling what the model
 * knows (Kumar et al. 2022: the last layer alone does better than the whole network away from the data it is tuned on).
 *
 * The objective is the mean cross-entropy of the reviewed heads plus strength / 2 · Σ (change of a weight)², in units of
 * each feature's deviation: the old layer is where it starts and what it is pulled to, so that a class nobody reviewed
 * keeps its weights, and an infinite strength is the old layer. It is convex; every FLOP runs in ONNX Runtime.
 */
import { createHash } from "node:crypto";
import {
  add,
  constant,
  FormatError,
  input,
  type LinearLayer,
  linearLayer,
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
import { goldenAnswer, goldenOf, METADATA_KEY, type ModelMetadata, readMetadata } from "./model.ts";
import { oneCycle } from "./schedule.ts";

/** Heads as the last layer sees them. */
export interface ReviewedFeatures {
  /** `features` of each head's prediction. */
  features: readonly Float32Array[];
  /** Index of each head's class. */
  labels: readonly number[];
}

const STEPS = 600;
const RATE = 0.1;
/** What hardly varies among these heads may vary among others: a feature's unit is at least this share of the mean one. */
const LEAST_UNIT = 0.1;

/** The last layer of a model. @throws `model/*` */
export function lastLayer(bytes: Uint8Array, where: string): { layer: LinearLayer; metadata: ModelMetadata } {
  const metadata = readMetadata(bytes, where);
  if (metadata.probe) {
    throw new AndroscopeError("model/not-adaptable", {
      expected: "a model whose last layer alone decides",
      found: "one with a linear probe beside it (tune.probe, tune.wavelets)",
      where,
      fix: "Train a model without a probe, or adapt another one.",
    });
  }
  try {
    const inputs = readModel(bytes).outputs.find(({ name }) => name === "features")?.shape[1] ?? 0;
    return { layer: linearLayer(bytes, inputs, metadata.classes.length), metadata };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
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
  readonly #layer: LinearLayer;
  readonly #centre: Float32Array;
  readonly #unit: Float32Array;
  readonly #count: number;

  private constructor(session: TrainingSession, layer: LinearLayer, count: number, { centre, unit }: Spread) {
    this.#session = session;
    this.#layer = layer;
    this.#count = count;
    this.#centre = centre;
    this.#unit = unit;
  }

  /** @param temperature of the model's probabilities */
  static async create(
    layer: LinearLayer,
    { features, labels }: ReviewedFeatures,
    { temperature = 1, threads = 1 }: { temperature?: number; threads?: number } = {},
  ): Promise<LastLayerLearner> {
    const [count, classes] = [features.length, layer.bias.length];
    const channels = layer.weight.length / classes;
    const spread = spreadOf(features, channels);
    const { centre, unit } = spread;
    const flat = Float32Array.from(features.flatMap((row) => [...row]));
    const standard = flat.map((value, i) => (value - centre[i % channels]!) / unit[i % channels]!);
    const targets = Float32Array.from({ length: count * classes }, (_, i) =>
      labels[Math.floor(i / classes)] === i % classes ? 1 : 0,
    );

    const scope = Scope.training();
    const weight = scope.parameter("weight", [channels, classes], zeros);
    const bias = scope.parameter("bias", [classes], zeros);
    const before = add(
      matmul(constant(flat, [count, channels]), constant(layer.weight, [channels, classes])),
      constant(layer.bias, [classes]),
    );
    const change = add(matmul(constant(standard, [count, channels]), weight), bias);
    const logits = scale(add(before, change), 1 / temperature);
    const misfit = softTargetCrossEntropy(logits, constant(targets, [count, classes]), input("weights", [count]));
    const moved = add(sum(square(weight)), sum(square(bias)));
    const loss = add(misfit, mul(moved, input("pull", [])));
    const session = await TrainingSession.create(trainingStep({ scope, loss, optimizer: { weightDecay: 0 } }), {
      threads,
    });
    return new LastLayerLearner(session, layer, count, spread);
  }

  /** @param chosen the heads it may see @param strength of the pull to the old layer */
  async learn(chosen: readonly number[], strength: number): Promise<LinearLayer> {
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
    const classes = bias.length;
    const learned = { weight: this.#layer.weight.slice(), bias: this.#layer.bias.map((b, k) => b + bias[k]!) };
    for (const [i, change] of weight.entries()) {
      const channel = Math.floor(i / classes);
      const moved = change / this.#unit[channel]!;
      learned.weight[i]! += moved;
      learned.bias[i % classes]! -= moved * this.#centre[channel]!;
    }
    return learned;
  }

  dispose(): void {
    this.#session.dispose();
  }
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
  layer: LinearLayer,
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
