/**
 * The boundary of one head, found where the stain falls to a share of its level nearby. One threshold for the whole
 * head cannot fit: set for the dark nucleus it loses the pale acrosome, set for the acrosome it swallows the blurred
 * rim of the nucleus.
 */
import {
  distanceInside,
  erode,
  fillHoles,
  gaussian,
  largestRegion,
  type Mask,
  open,
  type Plane,
  signedDistance,
} from "../imaging/index.ts";

/** All lengths are shares of the head's half width, so that the scale of the picture does not matter. */
export interface BoundaryOptions {
  /** Share of the level nearby at which the head ends. */
  fall: number;
  /** Deviation of the Gaussian that says what is nearby. */
  reach: number;
  /** How far the boundary may move. */
  band: number;
  /** Opening radius, which cuts the tail. */
  opening: number;
}

const ROUNDS = 2;

/**
 * @param absorption stain above background, lightly smoothed
 * @param rough the head, one region
 * @returns one region without holes; the rough one where nothing is left
 */
export function refineBoundary(absorption: Plane, rough: Mask, options: BoundaryOptions): Mask {
  const half = halfWidth(rough);
  const band = options.band * half;
  const distance = signedDistance(rough).data;
  let mask = rough;
  for (let round = 0; round < ROUNDS; round++) {
    // What is well inside tells the level: the rim itself is blurred with the background.
    const core = erode(mask, 0.1 * half);
    const weights = { ...absorption, data: Float32Array.from(core.data) };
    const values = { ...absorption, data: absorption.data.map((v, i) => (core.data[i] ? Math.max(0, v) : 0)) };
    const weight = gaussian(weights, options.reach * half).data;
    const value = gaussian(values, options.reach * half).data;
    const data = new Uint8Array(rough.data.length);
    for (let i = 0; i < data.length; i++) {
      const d = distance[i]!;
      if (d > band) data[i] = 1;
      else if (d >= -band && weight[i]! > 1e-6) {
        data[i] = absorption.data[i]! * weight[i]! > options.fall * value[i]! ? 1 : 0;
      }
    }
    const head = largestRegion(fillHoles({ ...rough, data }));
    const opened = head && largestRegion(open(head, options.opening * halfWidth(head)));
    if (!opened) return rough;
    mask = fillHoles(opened);
  }
  return mask;
}

/** Radius of the largest inscribed disk, pixels. */
export function halfWidth(mask: Mask): number {
  let most = 0;
  for (const d of distanceInside(mask).data) if (d > most) most = d;
  return most;
}
