/** The trained method as one graph, from raw crops to class probabilities. Evaluation and the exported model share it. */
import {
  add,
  canvasSizeOf,
  cast,
  concat,
  constant,
  matmul,
  mean,
  reshape,
  Scope,
  type State,
  scale,
  softmax,
  type Tensor,
} from "../autodiff/index.ts";
import type { Config } from "./config.ts";
import { classify, encode } from "./network.ts";
import { testPerturbations } from "./posed.ts";
import { type Geometry, type Segmentation, segment } from "./segment.ts";
import { viewColours } from "./tune.ts";
import {
  crop,
  readCrops,
  readFrame,
  separateViews,
  stackViews,
  suppressBackground,
  viewMap,
  viewPixels,
} from "./views.ts";

export interface Classification extends Segmentation {
  /** [N, classes]. */
  probabilities: Tensor;
  /** [N, channels], pooled over the averaged views: what the last layer saw. */
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
  /** Logits are divided by it before the softmax. */
  temperature: number;
}

/** @param pixels [N, P, Q, 3] uint8, P and Q may be dynamic @param sizes [N, 2] width and height of each crop */
export function classification(pixels: Tensor, sizes: Tensor, parts: ClassifierParts): Classification {
  const { geometry, config, classes, temperature } = parts;
  const { network, tune } = config;
  const canvas = cast(pixels, "float32");
  const canvasSize = canvasSizeOf(pixels);
  const segmentation = segment(Scope.frozenWith(parts.distilled), { canvas, canvasSize, sizes }, geometry, network);

  // Every test view is the upright frame of the head times a constant turn, zoom or mirroring.
  const down = add(matmul(sizes, constant(0, [2, 2])), constant([0, 1], [1, 2]));
  const upright = uprightFrame(tune.pose ? segmentation.axis : down);
  const origin = tune.pose ? segmentation.centre : scale(sizes, 0.5);
  const extent = tune.pose ? geometry.viewExtent : geometry.frameExtent;
  const pixelsOfViews = testPerturbations(tune.testViews).map((perturbation) => {
    const [a, b, , c, d] = viewMap(crop(0, 0), extent, perturbation);
    const linear = matmul(upright, constant([a, b, c, d], [1, 2, 2]));
    return viewPixels(concat([linear, reshape(origin, [-1, 2, 1])], 2), network.viewSize);
  });
  const count = pixelsOfViews.length;
  const at = stackViews(pixelsOfViews);
  const seen = separateViews(readCrops(canvas, canvasSize, sizes, at), network.viewSize);
  const mask = separateViews(readFrame(segmentation.mask, geometry.frameExtent, sizes, at), network.viewSize);
  const background = repeatRows(segmentation.background, count);
  const colours = viewColours(seen, background, geometry, config.colour);
  const [least, most] = tune.suppress.margin;
  const margin = Math.round((least + most) / 2);
  const margins = constant(
    Array.from({ length: most + 1 }, (_, k) => (k === margin ? 1 : 0)),
    [1, most + 1],
  );
  const views = tune.suppress.enabled ? suppressBackground(colours, mask, margins) : colours;

  const scope = Scope.frozenWith(parts.tuned);
  const maps = encode(scope.sub("encoder"), views, network);
  const { logits, pooled } = classify(scope.sub("classifier"), maps, mask, classes, tune.pooling);
  const overViews = (x: Tensor, width: number) => mean(reshape(x, [-1, count, width]), [1]);
  return {
    ...segmentation,
    probabilities: overViews(softmax(scale(logits, 1 / temperature), 1), classes),
    features: overViews(pooled, pooled.shape[1]!),
  };
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
