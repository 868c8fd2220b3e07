/**
 * Batch normalisation on blocks of channels, together with what usually surrounds it: the sum with a shortcut before the
 * rectifier, and the rectifier. Scale and shift per channel are a depthwise 1×1 convolution, which ONNX Runtime runs in
 * one pass with the sum and the rectifier in it; the means over an image are its global average pooling.
 */
import { convolve } from "./blocked.ts";
import { add, div, isPositive, maximum, mul, neg, scale, sqrt, sub } from "./elementwise.ts";
import { emitBlocked } from "./reorder.ts";
import { reshape } from "./shape.ts";
import { constant, differentiable, emit, type Tensor, untracked } from "./tensor.ts";

export interface BlockedNorm {
  /** Blocked, of z's shape. */
  y: Tensor;
  /** [C], of z and biased. */
  batchMean: Tensor;
  batchVariance: Tensor;
}

/**
 * @param z blocked [N, C, H, W]. The variance is the mean square less the square of the mean, so the means should not be
 * large against the deviations: convolutions subtract the running mean beforehand, see layers.ts.
 * @param shortcut blocked, added before the rectifier
 */
export function normalizeBlocks(
  z: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { epsilon, rectify, shortcut }: { epsilon: number; rectify: boolean; shortcut?: Tensor },
): BlockedNorm {
  const [n, , h, w] = z.shape as [number, number, number, number];
  const count = n * h * w;
  const x = untracked(z);
  // A few dozen numbers cost an operator's fixed price: what can be written with fewer operators is.
  const [g, b] = [untracked(gamma), untracked(beta)];
  const batchMean = channelMeans(x);
  const batchVariance = maximum(sub(channelMeans(mul(x, x)), mul(batchMean, batchMean)), 0);
  const deviation = sqrt(add(batchVariance, epsilon));
  const factor = div(g, deviation);
  const y = perChannel(x, factor, sub(b, mul(batchMean, factor)), shortcut && untracked(shortcut), rectify);
  const inputs = shortcut ? [z, gamma, beta, shortcut] : [z, gamma, beta];
  const tracked = differentiable(y, inputs, (dy) => {
    const d = rectify ? mul(dy, isPositive(y)) : dy;
    const average = channelMeans(d);
    // The mean of d · (x - batchMean) / deviation.
    const along = div(sub(channelMeans(mul(d, x)), mul(batchMean, average)), deviation);
    const dGamma = scale(along, count);
    const dBeta = scale(average, count);
    if (!z.tracked) return [undefined, dGamma, dBeta, d];
    // factor · (d - average - (x - batchMean) · along / deviation), in two passes.
    const back = neg(factor);
    const pull = div(mul(back, along), deviation);
    const offset = sub(mul(back, average), mul(pull, batchMean));
    return [perChannel(d, factor, offset, perChannel(x, pull)), dGamma, dBeta, d];
  });
  return { y: tracked, batchMean, batchVariance };
}

/** factor · z + offset + added, channel by channel, perhaps rectified: one pass. @param factor [C], as is offset */
function perChannel(z: Tensor, factor: Tensor, offset?: Tensor, added?: Tensor, rectify = false): Tensor {
  const c = z.shape[1]!;
  const filter = reshape(factor, [c, 1, 1, 1]);
  return convolve([z, filter, ...(offset ? [offset] : []), ...(added ? [added] : [])], z.shape, {
    kernel: [1, 1],
    group: c,
    ...(rectify ? { activation: "Relu" as const } : {}),
  });
}

/** Blocked [N, C, H, W] → [C]: the mean over images and pixels. */
function channelMeans(z: Tensor): Tensor {
  const [n, c] = z.shape as [number, number];
  const perImage = reshape(emitBlocked("GlobalAveragePool", [z], [n, c, 1, 1], {}), [n, c]);
  return emit("MatMul", [constant(1 / n, [n]), perImage], [c]);
}
