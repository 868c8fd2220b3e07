/**
 * The detector's network: stage 1's encoder and decoder over a whole picture at working scale. It says of every pixel
 * whether it is a head, how deep it lies in one, and whether it is acrosome; how it was taught is in lessons.ts.
 * Colours are relative to the picture's background, so that lamp and tint do not matter.
 */
import {
  add,
  bceWithLogits,
  concat,
  constant,
  diceLoss,
  input,
  mul,
  reshape,
  type Scope,
  scale,
  sigmoid,
  slice,
  smoothL1,
  sub,
  type Tensor,
  transpose,
} from "../../autodiff/index.ts";
import { channelsLast, cropPlanes, decode, encode, readCropPlanes, recolouring } from "../../learning/index.ts";
import { TARGET_PLANES, TARGETS } from "./lessons.ts";

export interface DetectorSettings {
  widths: readonly [number, number, number, number];
  blocks: readonly [number, number, number, number];
  /** Side in pixels of the windows it learns from, at working scale. */
  viewSize: number;
  steps: number;
  batch: number;
  learningRate: number;
}

/** Small: a picture has eighty times as many pixels as a crop. Settled on phantoms and a quarter of the evaluation fields. */
export const DETECTOR_SETTINGS: DetectorSettings = {
  widths: [12, 32, 48, 64],
  blocks: [1, 1, 1, 1],
  viewSize: 96,
  steps: 500,
  batch: 12,
  learningRate: 6e-3,
};

export const AUGMENTATION = { brightness: 0.15, colour: 0.08, jitter: { contrast: 0.4, grey: 0.1 } } as const;

/** Mean drop of stained colours below the background is about this, in grey levels. */
const COLOUR_RANGE = 50;

/** The encoder takes colours about a mean, which here is the background's. */
const NO_MEAN = { colourMean: [0, 0, 0], colourDeviation: 1 } as const;

const networkOf = ({ widths, blocks, viewSize }: DetectorSettings) => ({
  widths: [...widths] as [number, number, number, number],
  blocks: [...blocks] as [number, number, number, number],
  viewSize,
});

function predict(scope: Scope, colours: Tensor, background: Tensor, settings: DetectorSettings) {
  const relative = scale(sub(colours, reshape(background, [-1, 3, 1, 1])), 1 / COLOUR_RANGE);
  const network = networkOf(settings);
  return decode(scope.sub("decoder"), encode(scope.sub("encoder"), channelsLast(relative), network, NO_MEAN), network);
}

/** One training step's loss. Windows of `side` pixels are turned and zoomed into views. */
export function detectorLoss(scope: Scope, side: number, settings: DetectorSettings) {
  const { batch, viewSize: S } = settings;
  const pixels = input("pixels", [batch, side, side, 3], "uint8");
  const targets = input("targets", [batch, side, side, TARGET_PLANES], "uint8");
  const background = input("background", [batch, 3]);
  const theta = input("theta", [batch, 2, 3]);
  const planes = concat([cropPlanes(pixels), cropPlanes(targets)], 1);
  const sizes = constant(Array<number>(2 * batch).fill(side), [batch, 2]);
  const read = readCropPlanes(
    { planes, canvasSize: constant([side, side]), sizes },
    reshape(theta, [batch, 1, 2, 3]),
    S,
  );
  const recolour = recolouring(batch, AUGMENTATION);
  const colours = recolour.planes(slice(read, [0], [3], [1]));
  const target = (plane: number) => channelsLast(scale(slice(read, [3 + plane], [4 + plane], [1]), 1 / 255));
  const head = target(TARGETS.head);
  const trust = target(TARGETS.trust);
  const predicted = predict(scope, colours, recolour.single(background), settings);
  const metrics = {
    head: add(
      bceWithLogits(predicted.mask, head, trust),
      diceLoss(mul(sigmoid(predicted.mask), trust), mul(head, trust)),
    ),
    distance: smoothL1(predicted.distance, sub(scale(target(TARGETS.distance), 2), 1), 0.1, trust),
    acrosome: bceWithLogits(predicted.acrosome, target(TARGETS.acrosome), mul(head, trust)),
  };
  return { loss: add(add(metrics.head, metrics.distance), scale(metrics.acrosome, 0.5)), metrics };
}

/**
 * A tile of a picture → [1, H, W, 3] bytes: probability of a head, depth in one (0 at the boundary of the picture's
 * far outside, 128 at a head's boundary), probability of acrosome. Bytes, since JavaScript reads them all.
 */
export function detectorGraph(scope: Scope, width: number, height: number, settings: DetectorSettings) {
  const pixels = input("pixels", [1, height, width, 3], "uint8");
  const background = input("background", [1, 3]);
  const { mask, distance, acrosome } = predict(scope, cropPlanes(pixels), background, settings);
  const planes = concat([sigmoid(mask), add(scale(distance, 0.5), 0.5), sigmoid(acrosome)], 3);
  return { maps: transpose(planes, [0, 3, 1, 2]) };
}
