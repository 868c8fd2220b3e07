/**
 * Views: square windows of a crop, cut out by an affine map inside the graph (planes.ts). Training augments, stage 2
 * poses and prediction averages by choosing that map, so one code path serves all and no pixel passes through JavaScript.
 *
 * Coordinates are in pixels of the crop, (0, 0) the outer corner of its first pixel, x to the right, y down. A map
 * theta [2, 3] takes view coordinates (u, v) in [-1, 1]², v down, to pixels: x = theta · (u, v, 1).
 */
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
