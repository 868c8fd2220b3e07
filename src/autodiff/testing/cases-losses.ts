/** Losses, differentiated by predictions, targets and weights: random batches, classes and kinds of weights. */
import fc from "fast-check";
import { bceWithLogits, diceLoss, klDivergence, smoothL1, softTargetCrossEntropy } from "../losses.ts";
import { input, type Tensor, variable } from "../tensor.ts";
import type { Example } from "./differences.ts";
import { type OpCase, opCase, size } from "./properties.ts";

const few = fc.integer({ min: 1, max: 4 });

interface LossParameters {
  shape: number[];
  weights: "none" | "perSample" | "perElement";
  tracked: boolean[];
}

const flags = fc.array(fc.boolean(), { minLength: 2, maxLength: 2 });
/** [N, classes] */
const classes = fc.record<LossParameters>({
  shape: fc.tuple(few, few),
  weights: fc.constantFrom("none", "perSample"),
  tracked: flags,
});
/** [N], [N, C] or [N, H, W, 1] */
const pixels = fc.record<LossParameters>({
  shape: fc.oneof(fc.tuple(few), fc.tuple(few, few), fc.tuple(few, few, few, fc.constant(1))),
  weights: fc.constantFrom("none", "perSample", "perElement"),
  tracked: flags,
});

/** The mean of what each element costs, as losses.ts defines it for its kinds of weights. */
function weightedMean(
  values: Float64Array,
  weights: Float64Array | undefined,
  { shape, weights: kind }: LossParameters,
) {
  const total = (of: ArrayLike<number>) => Array.from(of).reduce((a, b) => a + b, 0);
  if (kind === "none") return total(values) / values.length;
  // For values [N] both kinds are weights of samples.
  if (kind === "perElement" && shape.length > 1)
    return total(values.map((v, k) => v * weights![k]!)) / (total(weights!) + 1e-3);
  const each = values.length / shape[0]!;
  return total(values.map((v, k) => v * weights![Math.floor(k / each)]!)) / values.length;
}

function lossCase(
  op: string,
  parameters: fc.Arbitrary<LossParameters>,
  loss: (x: Tensor, targets: Tensor, weights?: Tensor) => Tensor,
  values: { low: number; high: number; targets?: { low: number; high: number } },
  /** What each element, or each sample, costs. */
  cost: (x: Float64Array, targets: Float64Array, each: number) => Float64Array,
): OpCase {
  return opCase(op, parameters, (drawn): Example => {
    const { shape, weights: kind, tracked } = drawn;
    const x = variable("x", shape);
    const targets = (tracked[0] ? variable : input)("targets", shape);
    const weights = (tracked[1] ? variable : input)("weights", kind === "perElement" ? shape : [shape[0]!]);
    const given = [
      { tensor: x, low: values.low, high: values.high },
      { tensor: targets, ...(values.targets ?? { low: 0.05, high: 1 }) },
      ...(kind === "none" ? [] : [{ tensor: weights, low: 0.5, high: 1.5 }]),
    ];
    return {
      given,
      y: loss(x, targets, kind === "none" ? undefined : weights),
      reference: (v, t, w) => [weightedMean(cost(v!, t!, size(shape) / shape[0]!), w, drawn)],
    };
  });
}

/** Sums over the elements of each sample. */
function perSample(each: number, count: number, f: (k: number) => number): Float64Array {
  const out = new Float64Array(count / each);
  for (let k = 0; k < count; k++) out[Math.floor(k / each)]! += f(k);
  return out;
}

function logSoftmaxOf(x: Float64Array, each: number): Float64Array {
  const totals = perSample(each, x.length, (k) => Math.exp(x[k]!));
  return x.map((value, k) => value - Math.log(totals[Math.floor(k / each)]!));
}

const BETA = 0.45;

export const lossCases: readonly OpCase[] = [
  lossCase("softTargetCrossEntropy", classes, softTargetCrossEntropy, { low: -3, high: 3 }, (x, t, each) => {
    const logs = logSoftmaxOf(x, each);
    return perSample(each, x.length, (k) => -t[k]! * logs[k]!);
  }),
  lossCase(
    "klDivergence",
    classes,
    klDivergence,
    { low: -3, high: 3, targets: { low: 0.2, high: 1 } },
    (x, t, each) => {
      const logs = logSoftmaxOf(x, each);
      return perSample(each, x.length, (k) => t[k]! * (Math.log(t[k]!) - logs[k]!));
    },
  ),
  lossCase("bceWithLogits", pixels, bceWithLogits, { low: -4, high: 4 }, (x, t) =>
    x.map((value, k) => t[k]! * Math.log1p(Math.exp(-value)) + (1 - t[k]!) * Math.log1p(Math.exp(value))),
  ),
  lossCase(
    "diceLoss",
    pixels.map((p): LossParameters => ({ ...p, weights: p.weights === "perElement" ? "perSample" : p.weights })),
    diceLoss,
    { low: 0, high: 1 },
    (x, t, each) => {
      const both = perSample(each, x.length, (k) => 2 * x[k]! * t[k]!);
      const all = perSample(each, x.length, (k) => x[k]! + t[k]!);
      return both.map((value, i) => 1 - (value + 1) / (all[i]! + 1));
    },
  ),
  // Its slope has corners where the difference is ±beta; with targets below 0.3 differences stay either side of them.
  ...[
    { low: -0.1, high: 0.3 },
    { low: 1, high: 2 },
    { low: -2, high: -0.7 },
  ].map((range) =>
    lossCase(
      "smoothL1",
      pixels,
      (x, targets, weights) => smoothL1(x, targets, BETA, weights),
      { ...range, targets: { low: 0, high: 0.25 } },
      (x, t) =>
        x.map((value, k) => {
          const difference = Math.abs(value - t[k]!);
          return difference < BETA ? difference ** 2 / (2 * BETA) : difference - BETA / 2;
        }),
    ),
  ),
];
