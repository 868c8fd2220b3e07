/**
 * Losses: scalars, means over the batch. `weights` [N] multiply each sample's share of the mean; weights of the values'
 * own shape make it a weighted mean over elements.
 */
import { abs, add, clip, div, exp, log, maximum, mul, neg, scale, sigmoid, sub } from "./elementwise.ts";
import { logSoftmax, mean, sum } from "./reductions.ts";
import { reshape } from "./shape.ts";
import { differentiable, ShapeError, showShape, type Tensor, untracked } from "./tensor.ts";

function sameShape(name: string, a: Tensor, b: Tensor): void {
  if (a.shape.join() !== b.shape.join())
    throw new ShapeError(`${name}: ${showShape(a.shape)} against ${showShape(b.shape)}`);
}

function weightedMean(values: Tensor, weights: Tensor | undefined): Tensor {
  if (!weights) return mean(values);
  if (values.shape.length > 1 && weights.shape.join() === values.shape.join()) {
    return div(sum(mul(values, weights)), add(sum(weights), 1e-3));
  }
  const perSample =
    values.shape.length > 1
      ? mean(
          values,
          values.shape.slice(1).map((_, i) => i + 1),
        )
      : values;
  return mean(mul(perSample, reshape(weights, [-1])));
}

/** Cross-entropy of class logits [N, C] with target distributions [N, C]. */
export function softTargetCrossEntropy(logits: Tensor, targets: Tensor, weights?: Tensor): Tensor {
  sameShape("softTargetCrossEntropy", logits, targets);
  return scale(weightedMean(sum(mul(logSoftmax(logits, 1), targets), [1]), weights), -1);
}

/** Binary cross-entropy of logits with targets in [0, 1]; stable for large logits. */
export function bceWithLogits(logits: Tensor, targets: Tensor, weights?: Tensor): Tensor {
  sameShape("bceWithLogits", logits, targets);
  const x = untracked(logits);
  // softplus(x) by operators that ONNX Runtime computes many numbers at a time: its Softplus goes one by one.
  const softplus = add(maximum(x, 0), log(add(exp(neg(abs(x))), 1)));
  const value = sub(softplus, mul(x, untracked(targets)));
  return weightedMean(
    differentiable(value, [logits, targets], (dy) => [
      mul(dy, sub(sigmoid(x), targets)),
      targets.tracked ? neg(mul(dy, x)) : undefined,
    ]),
    weights,
  );
}

/** One minus the Dice coefficient per sample, smoothed by one pixel (Milletari et al. 2016). */
export function diceLoss(probabilities: Tensor, targets: Tensor, weights?: Tensor): Tensor {
  sameShape("diceLoss", probabilities, targets);
  const axes = probabilities.shape.slice(1).map((_, i) => i + 1);
  const both = add(scale(sum(mul(probabilities, targets), axes), 2), 1);
  const all = add(add(sum(probabilities, axes), sum(targets, axes)), 1);
  return weightedMean(sub(1, div(both, all)), weights);
}

/** Quadratic below `beta`, linear above (Girshick 2015). */
export function smoothL1(x: Tensor, target: Tensor, beta = 1, weights?: Tensor): Tensor {
  sameShape("smoothL1", x, target);
  const difference = sub(untracked(x), untracked(target));
  const steepness = clip(scale(difference, 1 / beta), -1, 1);
  // Both branches in one: d²/2β where |d| < β, |d| - β/2 beyond.
  const value = mul(steepness, sub(difference, scale(steepness, beta / 2)));
  const tracked = differentiable(value, [x, target], (dy) => {
    const slope = mul(dy, steepness);
    return [slope, target.tracked ? neg(slope) : undefined];
  });
  return weightedMean(tracked, weights);
}

/** Kullback-Leibler divergence of softmax(logits) from target distributions [N, C]. */
export function klDivergence(logits: Tensor, targets: Tensor, weights?: Tensor): Tensor {
  const safe = log(add(targets, 1e-12));
  const negativeEntropy = weightedMean(sum(mul(targets, safe), [1]), weights);
  return add(softTargetCrossEntropy(logits, targets, weights), negativeEntropy);
}
