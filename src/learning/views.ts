/**
 * Views: square windows of a crop, cut out by an affine map inside the graph. Training augments, stage 2 poses and
 * prediction averages by choosing that map, so one code path serves all and no pixel passes through JavaScript.
 *
 * Coordinates are in pixels of the crop, (0, 0) the outer corner of its first pixel, x to the right, y down. A map
 * theta [2, 3] takes view coordinates (u, v) in [-1, 1]², v down, to pixels: x = theta · (u, v, 1).
 */
import {
  add,
  affineGrid,
  clip,
  div,
  gridSample,
  maximum,
  maxPool2d,
  minimum,
  mul,
  reshape,
  scale,
  slice,
  sub,
  type Tensor,
} from "../autodiff/index.ts";

/** A map from view coordinates to pixels, row-major [a, b, x0, c, d, y0]. */
export type ViewMap = readonly [number, number, number, number, number, number];

/** Where a head lies in its crop and which way it points. */
export interface Pose {
  /** Centre in pixels. */
  readonly x: number;
  readonly y: number;
  /** Unit vector along the major axis towards the tail. */
  readonly axisX: number;
  readonly axisY: number;
}

export interface Perturbation {
  /** Radians. */
  rotation: number;
  /** Above 1 looks closer. */
  zoom: number;
  /** In view coordinates. */
  shiftU: number;
  shiftV: number;
  mirror: boolean;
}

export const UNPERTURBED: Perturbation = { rotation: 0, zoom: 1, shiftU: 0, shiftV: 0, mirror: false };

/** The upright pose of a whole crop: its centre, down. */
export function crop(width: number, height: number): Pose {
  return { x: width / 2, y: height / 2, axisX: 0, axisY: 1 };
}

/**
 * The map that shows a head upright, its tail end down, in a window of `extent` pixels, then perturbed.
 * Mirroring swaps left and right of the upright head.
 */
export function viewMap(pose: Pose, extent: number, { rotation, zoom, shiftU, shiftV, mirror }: Perturbation): ViewMap {
  const half = extent / 2 / zoom;
  const cos = Math.cos(rotation);
  const sin = Math.sin(rotation);
  const m = mirror ? -1 : 1;
  // Columns of the upright frame: u runs along (axisY, -axisX), v along the axis.
  const { axisX, axisY } = pose;
  const a = half * m * (axisY * cos + axisX * sin);
  const b = half * (-axisY * sin + axisX * cos);
  const c = half * m * (-axisX * cos + axisY * sin);
  const d = half * (axisX * sin + axisY * cos);
  return [a, b, pose.x + a * shiftU + b * shiftV, c, d, pose.y + c * shiftU + d * shiftV];
}

/** theta [N, 2, 3] → the pixel that every view position reads, [N, side, side, 2] as (x, y). */
export function viewPixels(theta: Tensor, side: number): Tensor {
  return affineGrid(theta, side, side);
}

/**
 * Reads crops at pixel positions, bilinear; beyond a crop's edge its edge pixel is repeated.
 * @param canvas [N, P, Q, C] floats, each crop at the top left of its canvas
 * @param canvasSize [2] as (Q, P): width and height of the canvas
 * @param sizes [N, 2] width and height of each crop
 * @param pixels [N, h, w, 2]
 * @returns [N, h, w, C]
 */
export function readCrops(canvas: Tensor, canvasSize: Tensor, sizes: Tensor, pixels: Tensor): Tensor {
  const last = sub(reshape(sizes, [-1, 1, 1, 2]), 0.5);
  const inside = maximum(minimum(pixels, last), 0.5);
  return gridSample(canvas, sub(div(scale(inside, 2), canvasSize), 1), { padding: "border" });
}

/**
 * Reads maps that were predicted in the frame of stage 1 (a window of `extent` pixels about the crop's centre).
 * @param maps [N, S, S, C] @param pixels [N, h, w, 2] @returns [N, h, w, C], 0 outside the frame
 */
export function readFrame(maps: Tensor, extent: number, sizes: Tensor, pixels: Tensor): Tensor {
  const centre = scale(reshape(sizes, [-1, 1, 1, 2]), 0.5);
  return gridSample(maps, scale(sub(pixels, centre), 2 / extent), { padding: "zeros" });
}

/**
 * Removes what lies beyond the head plus a margin, by growing the mask a pixel at a time.
 * @param view [N, S, S, 3], already centred on zero, which is what the background becomes
 * @param mask [N, S, S, 1] in [0, 1]
 * @param margins [N, K + 1]: one-hot over margins of 0 to K pixels
 */
export function suppressBackground(view: Tensor, mask: Tensor, margins: Tensor): Tensor {
  const count = margins.shape[1]!;
  // A soft edge about one pixel wide around probability one half.
  let grown = clip(add(scale(sub(mask, 0.5), 4), 0.5), 0, 1);
  const at = (k: number) => reshape(slice(margins, [k], [k + 1], [1]), [-1, 1, 1, 1]);
  let keep = mul(grown, at(0));
  for (let k = 1; k < count; k++) {
    grown = maxPool2d(grown, { size: 3, stride: 1, padding: 1 });
    keep = add(keep, mul(grown, at(k)));
  }
  return mul(view, keep);
}
