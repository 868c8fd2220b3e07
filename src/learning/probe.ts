/**
 * A linear probe (Alain and Bengio 2016): the head as wavelets see it, or as a network trained on ImageNet does, which is never
 * trained here, and a ridge regression from that to the labels in closed form. It errs in other heads than a network trained on
 * a few hundred crops does, so that the mean of both may be better than either. No part of the paper's method.
 */
import {
  add,
  concat,
  constant,
  div,
  InferenceRunner,
  input,
  type LinearLayer,
  matmul,
  maximum,
  mean,
  mul,
  product,
  type SessionOptions,
  type State,
  scale,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from "../autodiff/index.ts";
import { type Config, probeNetwork } from "./config.ts";
import { type FeatureSource, featureCount, type PosedCrops, posedFeatures } from "./head-features.ts";
import { ridgeSlopes } from "./ridge.ts";
import type { Geometry } from "./segment.ts";

export interface Probe {
  source: FeatureSource;
  /** From {@link posedFeatures} to logits. */
  layer: LinearLayer;
}

/** What hardly varies among these heads may vary among others: a feature's unit is at least this share of the mean one. */
const LEAST_UNIT = 0.1;

/** What a probe looks with, where there is one. @param weights "encoder/…" of {@link probeNetwork}, where it is on such */
export function probeSource(config: Config, weights: State | undefined): FeatureSource | undefined {
  const network = probeNetwork(config);
  const { wavelets } = config.tune;
  if (network) return { weights: weights!, network };
  return wavelets ? { viewSize: wavelets.viewSize } : undefined;
}

/** How many numbers a probe learns from, where there is one: those of every head, seen as often as it is to be. */
export function probeNumbers(config: Config, heads: number): number {
  const source = probeSource(config, undefined);
  const views = 1 + (config.tune.wavelets?.blur.length ?? 0);
  return source ? heads * views * featureCount(source) : 0;
}

/** The logits [N, classes] of posed crops: their softmax is the probe's opinion. */
export function probed(crops: PosedCrops, geometry: Geometry, { source, layer }: Probe, config: Config): Tensor {
  const features = posedFeatures(crops, geometry, source, config);
  const classes = layer.bias.length;
  const weight = constant(layer.weight, [featureCount(source), classes]);
  return add(matmul(features, weight), constant(layer.bias, [classes]));
}

/**
 * A ridge regression to the targets, as a linear layer whose softmax is the opinion: its values times the sharpness.
 * @param examples features [heads × width], targets [heads × classes]
 */
export async function fitLayer(
  { heads, features, targets }: { heads: number; features: Float32Array; targets: Float32Array },
  { ridge, sharpness }: { ridge: number; sharpness: number },
  session: SessionOptions,
): Promise<LinearLayer> {
  const [width, classes] = [features.length / heads, targets.length / heads];
  const asked = await standardised({ heads, width, classes }, { features, targets }, session);
  const slopes = await ridgeSlopes(asked, { count: heads, ridge }, session);
  const runner = await InferenceRunner.create({ layer: layerOf(width, classes, sharpness) }, session);
  try {
    const { centre, unit, frequency } = asked;
    const { layer } = await runner.run({ slopes, centre, unit, frequency });
    const data = layer!.data as Float32Array;
    return { weight: data.slice(0, width * classes), bias: data.slice(width * classes) };
  } finally {
    runner.dispose();
  }
}

type Asked = Record<"rows" | "products" | "centre" | "unit" | "frequency", Float32Array>;

/** Features about their centre and in their units, with a mean square of one, and what they have in common with the targets. */
async function standardised(
  { heads, width, classes }: Record<"heads" | "width" | "classes", number>,
  examples: { features: Float32Array; targets: Float32Array },
  session: SessionOptions,
): Promise<Asked> {
  const given = input("features", [heads, width]);
  const targets = input("targets", [heads, classes]);
  const centre = mean(given, [0], { keepDims: true });
  const centred = sub(given, centre);
  const deviation = sqrt(mean(square(centred), [0], { keepDims: true }));
  const unit = add(maximum(deviation, scale(mean(deviation), LEAST_UNIT)), 1e-6);
  const rows = scale(div(centred, unit), 1 / Math.sqrt(width));
  const frequency = mean(targets, [0], { keepDims: true });
  const products = product(rows, sub(targets, frequency), true, false);
  const runner = await InferenceRunner.create({ rows, products, centre, unit, frequency }, session);
  try {
    const out = await runner.run(examples);
    // What ONNX Runtime gives is its own, and goes with the session.
    const numbers = Object.entries(out).map(([name, { data }]) => [name, (data as Float32Array).slice()]);
    return Object.fromEntries(numbers) as Asked;
  } finally {
    runner.dispose();
  }
}

/** From slopes of standardised rows to a layer on the features as they are: its weight, and below it its bias. */
function layerOf(width: number, classes: number, sharpness: number): Tensor {
  const [centre, unit] = [input("centre", [width, 1]), input("unit", [width, 1])];
  const weight = div(scale(input("slopes", [width, classes]), sharpness / Math.sqrt(width)), unit);
  const bias = sub(
    scale(input("frequency", [1, classes]), sharpness),
    sum(mul(centre, weight), [0], { keepDims: true }),
  );
  return concat([weight, bias], 0);
}
