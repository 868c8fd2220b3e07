/**
 * MobileNet v1 (Howard et al. 2017, arXiv 1704.04861) layer by layer as Keras has it, so that weights trained on ImageNet
 * fit: imagenet.ts. Its layers have Keras's names. It ends with the stage at a sixteenth of the view's resolution,
 * `conv_pw_11`: of views of 64 to 128 pixels the next one would have maps of 2 × 2 to 4 × 4, in which a head has no shape
 * left to pool, and the decoder of stage 1 starts from a sixteenth, too.
 */
import { add, constant, convNorm, type Scope, scale, type Tensor } from "../autodiff/index.ts";
import type { Config } from "./config.ts";
import type { Geometry } from "./segment.ts";

/** TensorFlow's padding, Keras's epsilon. */
const KERAS = { padding: "same-upper", epsilon: 1e-3, activation: "relu6" } as const;

/** Separable convolutions per stage, of the published network. */
export const MOBILENET_BLOCKS = [1, 2, 2, 6] as const;

/** view [N, S, S, 3], colours from −1 to 1 → feature maps at S/2, S/4, S/8, S/16. */
export function mobilenet(scope: Scope, view: Tensor, { widths, blocks }: Config["network"]): Tensor[] {
  let x = convNorm(scope.sub("conv1"), view, widths[0] >> 1, { ...KERAS, stride: 2 });
  let layer = 0;
  return blocks.map((count, stage) => {
    for (let block = 0; block < count; block++) {
      layer++;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = convNorm(scope.sub(`conv_dw_${layer}`), x, x.shape[3]!, { ...KERAS, stride, depthwise: true });
      x = convNorm(scope.sub(`conv_pw_${layer}`), x, widths[stage]!, { ...KERAS, kernel: 1 });
    }
    return x;
  });
}

/** Colours about the training crops' mean, in its deviation → from −1 to 1 for 0 to 255, as ImageNet's were. */
export function kerasColours(view: Tensor, { colourMean, colourDeviation }: Colours): Tensor {
  const middle = constant(
    colourMean.map((c) => 2 * c - 1),
    [1, 1, 1, 3],
  );
  return add(scale(view, 2 * colourDeviation), middle);
}

export type Colours = Pick<Geometry, "colourMean" | "colourDeviation">;
