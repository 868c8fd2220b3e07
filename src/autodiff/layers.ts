/** Layers: functions of a scope and an input. NHWC. */
import { normalizeBlocks } from "./blocked-norm.ts";
import { type ConvOptions, conv2d, usesBlocks } from "./convolution.ts";
import { add, clip, div, gelu, greaterOrEqual, mul, neg, relu, scale, silu, sqrt, sub, where } from "./elementwise.ts";
import { matmul, mean } from "./reductions.ts";
import { blocked, blockedSource, unblocked } from "./reorder.ts";
import { heNormal, ones, type Scope, uniform, zeros } from "./scope.ts";
import { reshape, spaceToDepth } from "./shape.ts";
import { constant, differentiable, emit, sizeOf, type Tensor, untracked } from "./tensor.ts";

export interface LayerOptions extends Omit<ConvOptions, "lowering" | "groups" | "channelBlock" | "offset"> {
  kernel?: number;
  depthwise?: boolean;
  bias?: boolean;
  /** Blocks of this many pixels a side become channels first (space to depth). */
  block?: number;
}

export type Activation = "relu" | "relu6" | "silu" | "gelu" | "none";

function activate(x: Tensor, activation: Activation): Tensor {
  switch (activation) {
    case "relu":
      return relu(x);
    case "relu6":
      return clip(x, 0, 6);
    case "silu":
      return silu(x);
    case "gelu":
      return gelu(x);
    default:
      return x;
  }
}

/** Convolution to `out` channels. Parameters: weight, and bias where asked for. */
export function conv(scope: Scope, x: Tensor, out: number, options: LayerOptions = {}): Tensor {
  return convWithOffset(scope, x, out, options).y;
}

/** @param offset [out], added where that costs nothing: where `blocks` is true */
function convWithOffset(
  scope: Scope,
  x: Tensor,
  out: number,
  options: LayerOptions,
  offset?: Tensor,
): { y: Tensor; blocks: boolean } {
  const { kernel = 3, depthwise = false, bias = false, block = 1, ...rest } = options;
  if (block > 1) return convWithOffset(scope, spaceToDepth(x, block), out, { ...options, block: 1 }, offset);
  const { shape, settings } = convShape(scope, x.shape[3]!, out, kernel, depthwise, rest);
  const weight = scope.parameter("weight", shape, heNormal(shape[0]! * shape[1]! * shape[2]!));
  const blocks = usesBlocks(x, weight, settings);
  const y = conv2d(x, weight, blocks ? { ...settings, offset } : settings);
  return { y: bias ? add(y, scope.parameter("bias", [out], zeros, { decay: false })) : y, blocks };
}

function convShape(scope: Scope, channels: number, out: number, kernel: number, depthwise: boolean, rest: ConvOptions) {
  const settings: ConvOptions = {
    ...rest,
    groups: depthwise ? channels : 1,
    lowering: scope.mode === "train" ? "product" : "conv",
    channelBlock: scope.channelBlock,
  };
  return { shape: [kernel, kernel, depthwise ? 1 : channels, out] as const, settings };
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

export interface NormOptions {
  activation?: Activation;
  /** Added before the activation: the shortcut of a residual block. */
  shortcut?: Tensor;
  /** Added to variances. PyTorch's 1e-5 by default; Keras's MobileNets have 1e-3. */
  epsilon?: number;
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) over all but the last axis, and what follows it.
 * Parameters: scale, shift; buffers: mean, variance.
 */
export function batchNorm(scope: Scope, x: Tensor, options: NormOptions = {}): Tensor {
  return normalized(scope, x, options);
}

/** @param centred whether the running mean was subtracted from x beforehand */
function normalized(
  scope: Scope,
  x: Tensor,
  { activation = "none", shortcut, epsilon = EPSILON }: NormOptions,
  centred = false,
): Tensor {
  const channels = x.shape.at(-1)!;
  const gamma = scope.parameter("scale", [channels], ones, { decay: false });
  const beta = scope.parameter("shift", [channels], zeros, { decay: false });
  const runningMean = scope.buffer("mean", [channels], 0);
  const runningVariance = scope.buffer("variance", [channels], 1);
  const finish = (y: Tensor) => activate(shortcut ? add(y, shortcut) : y, activation);
  if (!scope.learning) {
    const factor = div(gamma, sqrt(add(runningVariance, epsilon)));
    return finish(add(mul(x, factor), sub(beta, mul(runningMean, factor))));
  }
  const blocks = blockedSource(x);
  const rectify = activation === "relu";
  const { y, batchMean, batchVariance } = blocks
    ? normalizeBlocks(blocks, gamma, beta, {
        epsilon,
        rectify,
        shortcut: rectify && shortcut ? blocked(shortcut) : undefined,
      })
    : normalizeBatch(x, gamma, beta, epsilon);
  const rows = sizeOf(x.shape) / channels;
  // Of what the running mean was taken from, the batch's mean is how far it has to move.
  scope.update("mean", { now: batchMean, keep: centred ? 1 : 1 - MOMENTUM, take: MOMENTUM });
  // The running variance is the unbiased one, as in PyTorch.
  const unbiased = rows / Math.max(1, rows - 1);
  scope.update("variance", { now: batchVariance, keep: 1 - MOMENTUM, take: MOMENTUM * unbiased });
  if (!blocks) return finish(y);
  return rectify ? unblocked(y) : finish(unblocked(y));
}

/** Normalises by the batch's own statistics; the gradient is written out, in as few passes over the rows as it takes. */
function normalizeBatch(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: number) {
  const channels = x.shape.at(-1)!;
  const rows = sizeOf(x.shape) / channels;
  const flat = reshape(untracked(x), [rows, channels]);
  const [g, b] = [untracked(gamma), untracked(beta)];
  // Column sums as a product with a row of ones: several times faster than ONNX Runtime's reduction over the first axis.
  const ones = constant(1, [1, rows]);
  const columnSums = (t: Tensor) => reshape(emit("MatMul", [ones, t], [1, channels]), [channels]);
  const batchMean = scale(columnSums(flat), 1 / rows);
  const centred = sub(flat, batchMean);
  const batchVariance = scale(columnSums(mul(centred, centred)), 1 / rows);
  const inverse = div(1, sqrt(add(batchVariance, epsilon)));
  const factor = mul(g, inverse);
  const value = reshape(add(mul(centred, factor), b), x.shape);
  const y = differentiable(value, [x, gamma, beta], (dy) => {
    const dFlat = reshape(dy, [rows, channels]);
    const dBeta = columnSums(dFlat);
    const along = columnSums(mul(dFlat, centred));
    const dGamma = mul(along, inverse);
    if (!x.tracked) return [undefined, dGamma, dBeta];
    const pull = scale(mul(along, mul(inverse, inverse)), 1 / rows);
    const dx = mul(sub(sub(dFlat, scale(dBeta, 1 / rows)), mul(centred, pull)), factor);
    return [reshape(dx, x.shape), dGamma, dBeta];
  });
  return { y, batchMean, batchVariance };
}

/** Layer normalisation (Ba et al. 2016) over the last axis. */
export function layerNorm(scope: Scope, x: Tensor): Tensor {
  const channels = x.shape.at(-1)!;
  const axis = [x.shape.length - 1];
  const centred = sub(x, mean(x, axis, { keepDims: true }));
  const variance = mean(mul(centred, centred), axis, { keepDims: true });
  const normal = div(centred, sqrt(add(variance, EPSILON)));
  const gamma = scope.parameter("scale", [channels], ones, { decay: false });
  const beta = scope.parameter("shift", [channels], zeros, { decay: false });
  return add(mul(normal, gamma), beta);
}

/** [N, C] → [N, out]. Parameters: weight [C, out], bias. */
export function linear(scope: Scope, x: Tensor, out: number): Tensor {
  const channels = x.shape[1]!;
  const bound = 1 / Math.sqrt(channels);
  const weight = scope.parameter("weight", [channels, out], uniform(bound));
  return add(matmul(x, weight), scope.parameter("bias", [out], zeros, { decay: false }));
}

/** Convolution, batch normalisation, shortcut, activation; frozen, the normalisation is folded into the convolution. */
export function convNorm(scope: Scope, x: Tensor, out: number, options: LayerOptions & NormOptions = {}): Tensor {
  const { activation = "relu", shortcut, epsilon = EPSILON, ...rest } = options;
  const after = { activation, shortcut, epsilon };
  const at = scope.sub("norm");
  if (scope.mode === "frozen") {
    const y = foldedConv(scope, x, out, rest, epsilon);
    return activate(shortcut ? add(y, shortcut) : y, activation);
  }
  if (!scope.learning) return batchNorm(at, conv(scope.sub("conv"), x, out, rest), after);
  // Normalising takes any constant away again, so the convolution may subtract the running mean: what is left has its
  // mean near zero, and its variance can be had in one pass without loss.
  const offset = neg(at.buffer("mean", [out], 0));
  const { y, blocks } = convWithOffset(scope.sub("conv"), x, out, rest, offset);
  return normalized(at, y, after, blocks);
}

function foldedConv(
  scope: Scope,
  x: Tensor,
  out: number,
  { kernel = 3, depthwise = false, block = 1, ...rest }: LayerOptions,
  epsilon: number,
): Tensor {
  // Over blocks it is a larger kernel with a stride, for which no pixel has to move.
  const { padding = "same", stride = 1, dilation = 1 } = rest;
  const direct = block > 1 && stride === 1 && dilation === 1 && padding !== "same-upper" && !depthwise;
  const source = block === 1 || direct ? x : spaceToDepth(x, block);
  const channels = direct ? block * block * x.shape[3]! : source.shape[3]!;
  const { shape, settings } = convShape(scope, channels, out, kernel, depthwise, rest);
  const norm = (name: string) => scope.sub("norm").frozenValues(name, [out]);
  const [gamma, beta, average, variance] = [norm("scale"), norm("shift"), norm("mean"), norm("variance")];
  const factor = gamma.map((value, k) => value / Math.sqrt(variance[k]! + epsilon));
  const weight = scope
    .sub("conv")
    .frozenValues("weight", shape)
    .map((value, i) => value * factor[i % out]!);
  const shift = beta.map((value, k) => value - average[k]! * factor[k]!);
  const y = direct
    ? conv2d(x, overPixels(weight, kernel, block, x.shape[3]!, out), {
        ...settings,
        stride: block,
        padding: block * (padding === "same" ? (kernel - 1) >> 1 : padding),
      })
    : conv2d(source, constant(weight, shape), settings);
  return add(y, constant(shift, [out]));
}

/** A kernel over blocks, [k, k, b·b·C, K], as one over their pixels, [k·b, k·b, C, K]. */
function overPixels(weight: Float32Array, kernel: number, block: number, channels: number, out: number): Tensor {
  const side = kernel * block;
  const run = channels * out;
  const data = new Float32Array(weight.length);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [a, b] = [Math.floor(row / block), Math.floor(column / block)];
      const within = (row % block) * block + (column % block);
      const from = ((a * kernel + b) * block * block + within) * run;
      data.set(weight.subarray(from, from + run), (row * side + column) * run);
    }
  }
  return constant(data, [side, side, channels, out]);
}

/** Zeroes a share `rate` of the elements and scales up the rest. @param random uniform numbers in [0, 1) of x's shape */
export function dropout(x: Tensor, rate: number, random: Tensor): Tensor {
  // Numbers below 1 may have been rounded up to 1: where everything goes, none is kept and scaled up without bound.
  return mul(x, where(greaterOrEqual(random, rate), rate < 1 ? 1 / (1 - rate) : 0, 0));
}
