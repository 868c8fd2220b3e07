/**
 * The boundary of one head, found where the stain falls to a share of its level nearby. One threshold for the whole
 * head cannot fit: set for the dark nucleus it loses the pale acrosome, set for the acrosome it swallows the blurred
 * rim of the nucleus.
 */
import {
  erode,
  fillHoles,
  gaussian,
  halfWidth,
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
  const distance = signedDistance(rough, band).data;
  const undecided = new Uint8Array(rough.data.length);
  for (let i = 0; i < undecided.length; i++) if (distance[i]! <= band && distance[i]! >= -band) undecided[i] = 1;
  let mask = rough;
  for (let round = 0; round < ROUNDS; round++) {
    // What is well inside tells the level: the rim itself is blurred with the background.
    const core = erode(mask, 0.1 * half);
    const values = new Float32Array(core.data.length);
    for (let i = 0; i < values.length; i++)
      if (core.data[i] && absorption.data[i]! > 0) values[i] = absorption.data[i]!;
    const nearby = (data: Float32Array) => gaussian({ ...absorption, data }, options.reach * half, undecided).data;
    const weight = nearby(Float32Array.from(core.data));
    const value = nearby(values);
    const data = new Uint8Array(rough.data.length);
    for (let i = 0; i < data.length; i++) {
      if (undecided[i] === 0) data[i] = distance[i]! > band ? 1 : 0;
      else if (weight[i]! > 1e-6) data[i] = absorption.data[i]! * weight[i]! > options.fall * value[i]! ? 1 : 0;
    }
    const head = largestRegion(fillHoles({ ...rough, data }));
    const opened = head && largestRegion(open(head, options.opening * halfWidth(head)));
    if (!opened) return rough;
    mask = fillHoles(opened);
  }
  return mask;
}
