/** The trained method as one graph, from raw crops to class probabilities. Evaluation and the exported model share it. */
import {
  add,
  canvasSizeOf,
  concat,
  constant,
  log,
  matmul,
  maximum,
  mean,
  mul,
  reshape,
  Scope,
  type State,
  scale,
  slice,
  softmax,
  type Tensor,
  transpose,
} from "../autodiff/index.ts";
import { type Config, probeSettings, tunedNetwork } from "./config.ts";
import { classify, encode } from "./network.ts";
import {
  type Crops,
  channelsLast,
  cropPlanes,
  keptRegion,
  mirrored,
  readCropPlanes,
  readFramePlanes,
} from "./planes.ts";
import { testPerturbations } from "./posed.ts";
import { type Probe, probed } from "./probe.ts";
import { type Geometry, type Segmentation, segment, viewColours } from "./segment.ts";
import { shapePlane, shapeStem } from "./shape-maps.ts";
import { crop, type Perturbation, UNPERTURBED, viewMap } from "./views.ts";

export interface Classification extends Segmentation {
  /** [N, classes]. */
  probabilities: Tensor;
  /** [N, channels], pooled over the averaged views, and a probe's logits where there is one: what the last layer saw. */
  features: Tensor;
}

export interface ClassifierParts {
  /** Stage 1's averaged parameters. */
  distilled: State;
  /** Stage 2's averaged parameters. */
  tuned: State;
  geometry: Geometry;
  config: Config;
  classes: number;
  /** Where a linear probe has its part in the probabilities. */
  probe?: Probe;
  /** Of the probabilities, once they are averaged over the views: p^(1/T), normalised (Guo et al. 2017). */
  temperature: number;
}

/** @param pixels [N, P, Q, 3] uint8, P and Q may be dynamic @param sizes [N, 2] width and height of each crop */
export function classification(pixels: Tensor, sizes: Tensor, parts: ClassifierParts): Classification {
  const { geometry, config, classes, temperature } = parts;
  const { tune } = config;
  const { viewSize: frameSide } = config.network;
  const network = tunedNetwork(config);
  const side = network.viewSize;
  const crops: Crops = { planes: cropPlanes(pixels), canvasSize: canvasSizeOf(pixels), sizes };
  const segmentation = segment(Scope.frozenWith(parts.distilled), crops, geometry, config.network);

  // Every test view is the upright frame of the head times a constant turn; its mirror image is read off, not sampled.
  const down = add(matmul(sizes, constant(0, [2, 2])), constant([0, 1], [1, 2]));
  const upright = uprightFrame(tune.pose ? segmentation.axis : down);
  const origin = tune.pose ? segmentation.centre : scale(sizes, 0.5);
  const extent = tune.pose ? geometry.viewExtent : geometry.frameExtent;
  const mapsOf = (views: readonly Perturbation[]) => {
    const plain = views.map((perturbation) => viewMap(crop(0, 0), extent, perturbation));
    const turns = constant(
      [...plain.flatMap((map) => map.slice(0, 2)), ...plain.flatMap((map) => map.slice(3, 5))],
      [2, 2 * plain.length],
    );
    const linear = transpose(reshape(matmul(upright, turns), [-1, 2, plain.length, 2]), [0, 2, 1, 3]);
    const shifts = add(reshape(origin, [-1, 1, 2, 1]), constant(0, [1, plain.length, 2, 1]));
    return concat([linear, shifts], 3);
  };
  const views = testPerturbations({ ...tune.testViews, mirror: false });
  const count = views.length;
  const maps = mapsOf(views);
  const seen = readCropPlanes(crops, maps, side);
  const frame = reshape(segmentation.mask, [-1, 1, frameSide, frameSide]);
  const inViews = (planes: Tensor) => readFramePlanes(planes, geometry.frameExtent, sizes, maps, side);
  const mask = inViews(frame);
  const colours = viewColours(seen, repeatRows(segmentation.background, count), geometry, config.colour);
  const [least, most] = tune.suppress.margin;
  const focused = tune.suppress.enabled ? mul(colours, keptRegion(mask, Math.round((least + most) / 2))) : colours;

  const sides = tune.testViews.mirror ? 2 : 1;
  const bothSides = (planes: Tensor) => channelsLast(sides === 2 ? concat([planes, mirrored(planes)], 0) : planes);
  const scope = Scope.frozenWith(parts.tuned);
  const encoder = scope.sub("encoder");
  const shape =
    tune.shapeMaps &&
    concat(
      tune.shapeMaps.map((name) => shapePlane(segmentation, name)),
      1,
    );
  const beside = shape && shapeStem(encoder, bothSides(inViews(shape)), network);
  const features = encode(encoder, bothSides(focused), network, geometry, beside);
  const { logits, pooled } = classify(scope.sub("classifier"), features, bothSides(mask), classes, tune);
  const overViews = (x: Tensor) => mean(reshape(x, [sides, -1, count, x.shape[1]!]), [0, 2]);
  const found = (probabilities: Tensor, features: Tensor): Classification => ({
    ...segmentation,
    probabilities: calibrated(overViews(probabilities), temperature),
    features: overViews(features),
  });
  if (!parts.probe) return found(softmax(logits, 1), pooled);

  // The probe sees one view, and says the same beside each of stage 2's.
  const { background } = segmentation;
  const posed = { crops, maps: mapsOf([UNPERTURBED]), frame, background };
  const said = repeatRows(probed(posed, geometry, parts.probe, config), count);
  const known = concat([pooled, sides === 2 ? concat([said, said], 0) : said], 1);
  const { share } = probeSettings(config)!;
  return found(weighed(opinions(known, parts.tuned, classes), classes, share), known);
}

/**
 * The logits of stage 2 and of a probe beside each other, by one last layer from what both saw: as it is trained, neither
 * looks at what the other saw, and the probe's passes through. So that it can be learned again: last-layer.ts.
 * @param seen [N, channels + classes]: pooled features, and the probe's logits @returns [N, 2 · classes]
 */
function opinions(seen: Tensor, tuned: State, classes: number): Tensor {
  const [own, bias] = ["weight", "bias"].map((name) => tuned.get(`classifier/logits/${name}`)!.data) as Float32Array[];
  const channels = own!.length / classes;
  const weight = new Float32Array((channels + classes) * 2 * classes);
  for (let c = 0; c < channels; c++) weight.set(own!.subarray(c * classes, (c + 1) * classes), c * 2 * classes);
  for (let k = 0; k < classes; k++) weight[(channels + k) * 2 * classes + classes + k] = 1;
  const shift = Float32Array.from({ length: 2 * classes }, (_, k) => bias![k] ?? 0);
  return add(matmul(seen, constant(weight, [channels + classes, 2 * classes])), constant(shift, [2 * classes]));
}

/**
 * The mean of two opinions' probabilities.
 * @param logits [N, 2 · classes], one opinion's beside the other's @param share of the second
 */
export function weighed(logits: Tensor, classes: number, share: number): Tensor {
  const opinion = (at: 0 | 1) => softmax(slice(logits, [at * classes], [(at + 1) * classes], [1]), 1);
  return add(scale(opinion(0), 1 - share), scale(opinion(1), share));
}

function calibrated(probabilities: Tensor, temperature: number): Tensor {
  if (temperature === 1) return probabilities;
  return softmax(scale(log(maximum(probabilities, 1e-30)), 1 / temperature), 1);
}

/** axis [N, 2] → the rotation [N, 2, 2] whose columns are the head's right and its tail direction. */
function uprightFrame(axis: Tensor): Tensor {
  // (ax, ay) → rows (ay, ax), (-ax, ay).
  const table = constant([0, 1, -1, 0, 1, 0, 0, 1], [2, 4]);
  return reshape(matmul(axis, table), [-1, 2, 2]);
}

/** [N, C] → [N·count, C], each row `count` times in a row. */
function repeatRows(rows: Tensor, count: number): Tensor {
  const width = rows.shape[1]!;
  const row = reshape(rows, [-1, 1, width]);
  return count === 1 ? rows : reshape(concat(Array<Tensor>(count).fill(row), 1), [-1, width]);
}
