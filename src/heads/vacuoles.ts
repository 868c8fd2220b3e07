/**
 * Vacuole candidates: round spots in a head that take up less stain than what is around them. A blob detector, the
 * difference of two Gaussian means (Marr and Hildreth 1980), since a vacuole is light beside its surroundings and often as
 * dark as the paler end of the same head. Its scale goes with the head's, so that the camera's does not matter.
 */
import {
  cut,
  distanceInside,
  gaussian,
  type Mask,
  type Plane,
  paste,
  quantile,
  regions,
  windowAround,
} from "../imaging/index.ts";

/**
 * Lengths in radii of a disc of the head's area. Settled on the development half of experts' part maps of stained fields
 * (experiments/vacuoles.ts has what the other half says of it), where much of what is around it does as well.
 */
export const VACUOLE = {
  /** Deviation of the inner mean, and of the outer one as a multiple of it. */
  scale: 0.08,
  surroundings: 2,
  /** A spot's centre is so much lighter than its surroundings, as a share of the head's typical stain. */
  lighter: 0.05,
  /** And at least so many times as much lighter as the darkest twentieth of the head is darker: the head's own texture. */
  texture: 0.5,
  /** Spots nearer to the outline than this are its blur. */
  depth: 0.15,
  /** Of the disc that stands for a spot. */
  radius: 0.176,
} as const;

const DARKEST = 0.05;
/** Heads whose disc's radius is twice this many pixels or more are binned: no smoothing then takes longer for a better camera. */
const ENOUGH = 14;

export interface Vacuoles {
  /** Spots whose discs overlap are one. */
  count: number;
  /** The discs, as far as they lie in the head. */
  map: Mask;
}

export function vacuoles(mask: Mask, absorption: Plane): Vacuoles {
  const radius = Math.sqrt(areaOf(mask) / Math.PI);
  const none: Vacuoles = { count: 0, map: { ...mask, data: new Uint8Array(mask.data.length) } };
  const window = windowAround(mask, Math.ceil(4 * VACUOLE.surroundings * VACUOLE.scale * radius));
  if (!window) return none;
  const head = cut(mask, window);
  const bin = Math.max(1, Math.floor(radius / ENOUGH));
  const spots = lightSpots(binned(head, cut(absorption, window), bin), radius / bin);
  if (spots.length === 0) return none;
  const map = { ...head, data: new Uint8Array(head.data.length) };
  const middle = (place: number) => (place + 0.5) * bin - 0.5;
  for (const { x, y } of spots) drawDisc(map, middle(x), middle(y), VACUOLE.radius * radius, head);
  return { count: regions(map).length, map: paste(map, window, mask) };
}

function areaOf({ data }: Mask): number {
  let area = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) area++;
  return area;
}

/** A head's pixels, or squares of them. */
interface Stained {
  /** Squares that lie in the head at least by half. */
  head: Mask;
  /** Of every square how many pixels lie in the head, and the sum of their stain. */
  pixels: Plane;
  stain: Plane;
}

function binned(mask: Mask, absorption: Plane, bin: number): Stained {
  const [width, height] = [Math.ceil(mask.width / bin), Math.ceil(mask.height / bin)];
  const pixels = new Float32Array(width * height);
  const stain = new Float32Array(width * height);
  for (let y = 0, i = 0; y < mask.height; y++) {
    const row = Math.floor(y / bin) * width;
    for (let x = 0; x < mask.width; x++, i++) {
      if (mask.data[i] === 0) continue;
      const at = row + Math.floor(x / bin);
      pixels[at]!++;
      stain[at]! += absorption.data[i];
    }
  }
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) if (2 * pixels[i]! >= bin * bin) data[i] = 1;
  const plane = (data: Float32Array): Plane => ({ width, height, data });
  return { head: { width, height, data }, pixels: plane(pixels), stain: plane(stain) };
}

/** Places that stand out against their surroundings more than any within the inner deviation of them. */
function lightSpots(stained: Stained, radius: number): { x: number; y: number }[] {
  const { head } = stained;
  const inner = eighths(VACUOLE.scale * radius);
  if (inner === 0) return [];
  const lightness = standingOut(stained, inner, VACUOLE.surroundings * inner);
  const depth = distanceInside(head).data;
  const deep = (i: number) => depth[i]! > VACUOLE.depth * radius;
  const inDepth = lightness.filter((_, i) => deep(i));
  if (inDepth.length === 0) return [];
  const least = Math.max(VACUOLE.lighter, -VACUOLE.texture * quantile(inDepth, DARKEST));
  const near = Math.max(1, Math.round(inner));
  const spots: { x: number; y: number }[] = [];
  for (let y = 0, i = 0; y < head.height; y++) {
    for (let x = 0; x < head.width; x++, i++) {
      if (lightness[i]! >= least && deep(i) && isHighest(lightness, head, x, y, near)) spots.push({ x, y });
    }
  }
  return spots;
}

/** Sampled Gaussians are kept for each deviation: heads of many sizes share a few. */
const eighths = (sigma: number) => Math.round(8 * sigma) / 8;

/** How much less stain is in the inner mean than in the outer one, as a share of the head's typical stain; of the head alone. */
function standingOut({ head, pixels, stain }: Stained, inner: number, outer: number): Float32Array {
  const lightness = new Float32Array(head.data.length);
  const places: number[] = [];
  for (let i = 0; i < lightness.length; i++) if (head.data[i] !== 0) places.push(i);
  const typical = quantile(
    places.map((i) => stain.data[i]! / pixels.data[i]!),
    0.5,
  );
  // A head that is no darker than the background has no spots to speak of.
  if (!(typical > 0)) return lightness;
  const smooth = (plane: Plane, sigma: number) => gaussian(plane, sigma, head.data).data;
  const [near, nearPixels] = [smooth(stain, inner), smooth(pixels, inner)];
  const [far, farPixels] = [smooth(stain, outer), smooth(pixels, outer)];
  for (const i of places) lightness[i] = (far[i]! / farPixels[i]! - near[i]! / nearPixels[i]!) / typical;
  return lightness;
}

/** Of places as high as each other the first is the highest. */
function isHighest(values: Float32Array, { width, height, data }: Mask, x: number, y: number, near: number): boolean {
  const at = y * width + x;
  for (let v = Math.max(0, y - near); v <= Math.min(height - 1, y + near); v++) {
    for (let u = Math.max(0, x - near); u <= Math.min(width - 1, x + near); u++) {
      const i = v * width + u;
      if (data[i] !== 0 && i !== at && (values[i]! > values[at]! || (values[i] === values[at] && i < at))) return false;
    }
  }
  return true;
}

function drawDisc({ width, height, data }: Mask, x: number, y: number, radius: number, within: Mask): void {
  for (let v = Math.max(0, Math.ceil(y - radius)); v <= Math.min(height - 1, Math.floor(y + radius)); v++) {
    for (let u = Math.max(0, Math.ceil(x - radius)); u <= Math.min(width - 1, Math.floor(x + radius)); u++) {
      const i = v * width + u;
      if (within.data[i] !== 0 && Math.hypot(u - x, v - y) <= radius) data[i] = 1;
    }
  }
}
