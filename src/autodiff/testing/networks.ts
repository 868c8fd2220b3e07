/** Well-known networks that tests and benchmarks hold to PyTorch: bench/peers/reference_networks.py has the same. */
import { add, sigmoid } from "../elementwise.ts";
import { conv, convNorm, linear } from "../layers.ts";
import { bceWithLogits, diceLoss } from "../losses.ts";
import { globalAveragePool, maxPool2d, upsample2x } from "../pooling.ts";
import type { Scope } from "../scope.ts";
import { concat } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

function basicBlock(scope: Scope, x: Tensor, channels: number, stride: number): Tensor {
  const inner = convNorm(scope.sub("first"), x, channels, { stride });
  const same = stride === 1 && x.shape[3] === channels;
  const shortcut = same ? x : convNorm(scope.sub("shortcut"), x, channels, { kernel: 1, stride, activation: "none" });
  return convNorm(scope.sub("second"), inner, channels, { shortcut });
}

/**
 * ResNet-18 (He et al. 2016, table 1): 7×7 stem of stride 2, 3×3 max pooling of stride 2, four stages of two blocks.
 * @param x [N, H, W, 3]
 * @param widths channels of the stages; 64, 128, 256, 512 in the paper
 * @returns logits [N, classes]
 */
export function resnet18(scope: Scope, x: Tensor, widths: readonly number[], classes: number): Tensor {
  let y = convNorm(scope.sub("stem"), x, widths[0]!, { kernel: 7, stride: 2 });
  y = maxPool2d(y, { size: 3, stride: 2, padding: 1 });
  for (const [stage, width] of widths.entries()) {
    for (const block of [0, 1]) {
      const at = scope.sub(`stage${stage}`).sub(`block${block}`);
      y = basicBlock(at, y, width, stage > 0 && block === 0 ? 2 : 1);
    }
  }
  return linear(scope.sub("logits"), globalAveragePool(y), classes);
}

/**
 * A U-Net (Ronneberger et al. 2015) in small: SiLU on the way down, GELU on the way up.
 * @param x [N, H, W, 3], H and W divisible by 2 for every level but the first
 * @returns logits [N, H, W, 1]
 */
export function smallUnet(scope: Scope, x: Tensor, widths: readonly number[]): Tensor {
  const skips: Tensor[] = [];
  let y = x;
  for (const [level, width] of widths.entries()) {
    y = convNorm(scope.sub(`down${level}`), level === 0 ? y : maxPool2d(y, { size: 2 }), width, { activation: "silu" });
    skips.push(y);
  }
  for (let level = widths.length - 2; level >= 0; level--) {
    const joined = concat([upsample2x(y), skips[level]!], 3);
    y = convNorm(scope.sub(`up${level}`), joined, widths[level]!, { activation: "gelu" });
  }
  return conv(scope.sub("mask"), y, 1, { kernel: 1, bias: true });
}

/** Mean binary cross-entropy plus mean Dice loss per image. */
export function maskLoss(logits: Tensor, targets: Tensor): Tensor {
  return add(bceWithLogits(logits, targets), diceLoss(sigmoid(logits), targets));
}
