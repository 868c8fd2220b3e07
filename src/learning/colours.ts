/**
 * Other lamps, stains and cameras for training: every view's colours go through a linear map of their own, drawn in
 * JavaScript and applied in the graph.
 */
import { add, input, matmul, mul, reshape, type Tensor } from "../autodiff/index.ts";
import type { Random } from "../runs/index.ts";
import type { Geometry } from "./segment.ts";

export interface ColourJitter {
  contrast: number;
  grey: number;
}

export interface ColourAugmentation {
  brightness: number;
  colour: number;
  jitter?: ColourJitter | undefined;
}

/** Factors on the three colours: one for the lamp, one for each dye. */
export function colourGains(draw: Random, { brightness, colour }: ColourAugmentation): number[] {
  const common = 1 + draw.uniform(-brightness, brightness);
  return [0, 1, 2].map(() => common * (1 + draw.normal(0, colour)));
}

/** ITU-R BT.601. */
const LUMINANCE = [0.299, 0.587, 0.114] as const;

/**
 * A stronger or weaker stain, and now and then no colour at all: c → mix · c + lift.
 * @param mean colour about which contrast is, in [0, 1]: that of the training crops, nearly that of their background
 * @returns `mix` row-major [3, 3], `lift` in grey levels
 */
export function drawColourMix(
  draw: Random,
  { contrast, grey }: ColourJitter,
  mean: Geometry["colourMean"],
): { mix: number[]; lift: number[] } {
  const strength = Math.exp(draw.uniform(-contrast, contrast));
  const share = draw.uniform() < grey ? 1 : 0;
  const rows = [0, 1, 2].map((to) =>
    [0, 1, 2].map((from) => (1 - share) * (to === from ? 1 : 0) + share * LUMINANCE[from]!),
  );
  const centre = mean.map((value) => 255 * value * (1 - strength));
  return {
    mix: rows.flat().map((value) => strength * value),
    lift: rows.map((row) => row.reduce((sum, value, from) => sum + value * centre[from]!, 0)),
  };
}

/** The part of a step's graph that applies gains and mixes to planes of colours, and to single colours. */
export function recolouring(count: number, augmentation: ColourAugmentation) {
  const gains = input("gains", [count, 3]);
  const [mix, lift] = augmentation.jitter ? [input("mixes", [count, 3, 3]), input("lifts", [count, 3])] : [];
  return {
    /** @param colours [N, 3, S, S] */
    planes(colours: Tensor): Tensor {
      const [, , height, width] = colours.shape as [number, number, number, number];
      let seen = colours;
      if (mix && lift) {
        const flat = matmul(mix, reshape(colours, [count, 3, height * width]));
        seen = reshape(add(flat, reshape(lift, [count, 3, 1])), [count, 3, height, width]);
      }
      return mul(seen, reshape(gains, [count, 3, 1, 1]));
    },
    /** @param colours [N, 3] */
    single(colours: Tensor): Tensor {
      let seen = colours;
      if (mix && lift) seen = add(reshape(matmul(mix, reshape(colours, [count, 3, 1])), [count, 3]), lift);
      return mul(seen, gains);
    },
  };
}
