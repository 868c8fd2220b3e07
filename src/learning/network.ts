/**
 * The networks. One encoder serves both stages; stage 1 adds a light U-Net decoder (Ronneberger et al. 2015) for the
 * spatial tasks, stage 2 a pooled classifier. The paper's abstract names no backbone: the residual one (He et al. 2016)
 * is our reconstruction, shaped by what the engine does fastest (space-to-depth input, large matrix products). The other
 * is there for the weights that exist of it: mobilenet.ts.
 *
 * All tensors are NHWC. A view is [N, S, S, 3], S = `viewSize`.
 */
import {
  add,
  avgPool2d,
  concat,
  constant,
  conv,
  convNorm,
  depthToSpace,
  div,
  dropout,
  globalAveragePool,
  linear,
  matmul,
  mul,
  reshape,
  type Scope,
  slice,
  sub,
  sum,
  type Tensor,
  upsample2x,
} from "../autodiff/index.ts";
import type { Config } from "./config.ts";
import { type Colours, kerasColours, mobilenet } from "./mobilenet.ts";

/** Feature maps from half to a sixteenth of the view's resolution, fine to coarse. */
export type Features = readonly [Tensor, Tensor, Tensor, Tensor];

/** What stage 1 predicts for every pixel of a view, each [N, S, S, 1]. */
export interface SpatialPrediction {
  /** Logit of the foreground. */
  mask: Tensor;
  /** Signed distance to the boundary over the head's equivalent radius, positive inside. */
  distance: Tensor;
  /** Logit of the acrosome, given that the pixel belongs to the head. */
  acrosome: Tensor;
}

function residualBlock(scope: Scope, x: Tensor, channels: number, stride: number): Tensor {
  const inner = convNorm(scope.sub("first"), x, channels, { stride, activation: "relu" });
  const same = stride === 1 && x.shape[3] === channels;
  const shortcut = same ? x : convNorm(scope.sub("shortcut"), x, channels, { kernel: 1, stride, activation: "none" });
  return convNorm(scope.sub("second"), inner, channels, { shortcut });
}

/**
 * view → features at S/2, S/4, S/8, S/16.
 * @param colours by which the view's were normalised
 * @param beside [N, S/2, S/2, widths[0]], added to the first map; of the residual network alone
 */
export function encode(
  scope: Scope,
  view: Tensor,
  network: Config["network"],
  colours: Colours,
  beside?: Tensor,
): Features {
  const stages =
    network.backbone === "mobilenet"
      ? mobilenet(scope, kerasColours(view, colours), network)
      : residual(scope, view, network, beside);
  return stages as unknown as Features;
}

function residual(scope: Scope, view: Tensor, { widths, blocks }: Config["network"], beside?: Tensor): Tensor[] {
  let x = convNorm(scope.sub("stem"), view, widths[0], { block: 2, activation: "relu", shortcut: beside });
  return blocks.map((count, stage) => {
    for (let block = 0; block < count; block++) {
      x = residualBlock(
        scope.sub(`stage${stage}`).sub(`block${block}`),
        x,
        widths[stage]!,
        stage > 0 && block === 0 ? 2 : 1,
      );
    }
    return x;
  });
}

/** features → the spatial predictions at the view's resolution. */
export function decode(scope: Scope, features: Features, { widths }: Config["network"]): SpatialPrediction {
  let x = features[3];
  for (const stage of [2, 1, 0] as const) {
    const at = scope.sub(`up${stage}`);
    const above = upsample2x(convNorm(at.sub("reduce"), x, widths[stage]!, { kernel: 1, activation: "relu" }));
    x = convNorm(at.sub("merge"), concat([above, features[stage]], 3), widths[Math.max(0, stage - 1)]!, {
      activation: "relu",
    });
  }
  // Four sub-pixels for each of three maps: full resolution without a convolution at full resolution.
  const maps = depthToSpace(conv(scope.sub("maps"), x, 12, { kernel: 1, bias: true }), 2);
  // In training a map is read by a product, whose gradient is one, too: that of a slice pads, pixel by pixel.
  const map = (index: number) =>
    scope.mode === "train"
      ? matmul(
          maps,
          constant(
            [0, 1, 2].map((k) => (k === index ? 1 : 0)),
            [3, 1],
          ),
        )
      : slice(maps, [index], [index + 1], [3]);
  // The first guess is a background pixel: heads cover about an eighth of a crop, and steps are few.
  return { mask: sub(map(0), 2), distance: sub(map(1), 0.8), acrosome: map(2) };
}

/**
 * The relative rotation between two views of each head. Each view gives a direction; only the turn from one to the
 * other is known, so what the directions mean is the network's own choice, and the head's axis is the obvious one.
 * @param coarse the last feature map of 2M views: the first M are one view of M heads, the last M another
 * @returns [M, 2], cosine and sine, not normalised
 */
export function relativeRotation(scope: Scope, coarse: Tensor): Tensor {
  const [views, h, w] = coarse.shape as [number, number, number, number];
  const heads = views / 2;
  // Where a feature lies tells the direction, so position is kept: a 1×1 reduction, then everything flattened.
  const reduced = convNorm(scope.sub("reduce"), coarse, 16, { kernel: 1, activation: "relu" });
  const directions = linear(scope.sub("direction"), reshape(reduced, [views, h * w * 16]), 2);
  const part = (view: 0 | 1, axis: 0 | 1) =>
    slice(directions, [view * heads, axis], [(view + 1) * heads, axis + 1], [0, 1]);
  // The quotient of two complex numbers of unit size: first times the conjugate of the second.
  const cosine = add(mul(part(0, 0), part(1, 0)), mul(part(0, 1), part(1, 1)));
  const sine = sub(mul(part(0, 1), part(1, 0)), mul(part(0, 0), part(1, 1)));
  return concat([cosine, sine], 1);
}

/** How a classifier sums up feature maps. */
export type Pooling = Pick<Config["tune"], "pooling" | "pooledScales">;

/**
 * A feature map [N, H, W, C] averaged: over where the head is, over everything, or both side by side.
 * @param foreground [N, S, S, 1] in [0, 1]: where the head is @returns each [N, C]
 */
export function pooledMap(map: Tensor, foreground: Tensor, pooling: Pooling["pooling"]): Tensor[] {
  const [, height, , channels] = map.shape as [number, number, number, number];
  const parts: Tensor[] = [];
  if (pooling !== "average") {
    const cover = avgPool2d(foreground, { size: foreground.shape[1]! / height });
    // An empty mask has no inside: its features are zero.
    const total = add(sum(cover, [1, 2], { keepDims: true }), 1e-3);
    parts.push(reshape(sum(mul(map, div(cover, total)), [1, 2]), [-1, channels]));
  }
  if (pooling !== "mask") parts.push(globalAveragePool(map));
  return parts;
}

/**
 * features → class logits [N, classes] and the pooled features they come from.
 * @param features from {@link encode}
 * @param foreground [N, S, S, 1] in [0, 1]: where the head is, for the weighted pooling
 * @param random uniform numbers [N, pooled channels] for dropout; absent outside training
 */
export function classify(
  scope: Scope,
  features: Features,
  foreground: Tensor,
  classes: number,
  { pooling, pooledScales }: Pooling,
  drop?: { rate: number; random: Tensor },
): { logits: Tensor; pooled: Tensor } {
  const maps = pooledScales === "all" ? features : [features[3]];
  const parts = maps.flatMap((map) => pooledMap(map, foreground, pooling));
  const pooled = parts.length === 1 ? parts[0]! : concat(parts, 1);
  const kept = drop && drop.rate > 0 ? dropout(pooled, drop.rate, drop.random) : pooled;
  return { logits: linear(scope.sub("logits"), kept, classes), pooled };
}

/** Channels of the pooled features. */
export function pooledChannels({ widths }: Config["network"], { pooling, pooledScales }: Pooling): number {
  const channels = pooledScales === "all" ? widths.reduce((all, width) => all + width, 0) : widths[3];
  return channels * (pooling === "both" ? 2 : 1);
}
