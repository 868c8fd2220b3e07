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
  reshape,
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
import { ridgeInverse } from "./ridge.ts";
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
  return network ? { weights: weights!, network } : wavelets && { viewSize: wavelets.viewSize };
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
  const rows = input("features", [heads, width]);
  const given = input("targets", [heads, classes]);
  const centre = mean(rows, [0], { keepDims: true });
  const deviation = sqrt(mean(square(sub(rows, centre)), [0], { keepDims: true }));
  const unit = add(maximum(deviation, scale(mean(deviation), LEAST_UNIT)), 1e-6);
  const standard = scale(div(sub(rows, centre), unit), 1 / Math.sqrt(width));
  const { ofRows, inverse } = ridgeInverse(standard, ridge, heads);
  const frequency = mean(given, [0], { keepDims: true });
  const above = sub(given, frequency);
  const found = ofRows
    ? product(standard, matmul(inverse, above), true, false)
    : matmul(inverse, product(standard, above, true, false));
  const slopes = scale(found, sharpness / Math.sqrt(width));
  const weight = div(slopes, reshape(unit, [width, 1]));
  const bias = sub(scale(frequency, sharpness), sum(mul(reshape(centre, [width, 1]), weight), [0], { keepDims: true }));
  const runner = await InferenceRunner.create({ layer: concat([weight, bias], 0) }, session);
  try {
    const { layer } = await runner.run({ features, targets });
    const data = layer!.data as Float32Array;
    return { weight: data.slice(0, width * classes), bias: data.slice(width * classes) };
  } finally {
    runner.dispose();
  }
}
