/** Exact Euclidean distance (Felzenszwalb and Huttenlocher 2012), and the morphology with disks that it gives. */
import type { Mask, Plane } from "./image.ts";
import { cut, paste, windowAround } from "./window.ts";

const FAR = 1e12;

/** Squared distance along one line: the lower envelope of parabolas. */
function transformLine(f: Float64Array, n: number, out: Float64Array, v: Int32Array, z: Float64Array): void {
  let k = 0;
  v[0] = 0;
  z[0] = -FAR;
  z[1] = FAR;
  for (let q = 1; q < n; q++) {
    let s = (f[q]! + q * q - (f[v[k]!]! + v[k]! * v[k]!)) / (2 * q - 2 * v[k]!);
    while (s <= z[k]!) {
      k--;
      s = (f[q]! + q * q - (f[v[k]!]! + v[k]! * v[k]!)) / (2 * q - 2 * v[k]!);
    }
    k++;
    v[k] = q;
    z[k] = s;
    z[k + 1] = FAR;
  }
  k = 0;
  for (let q = 0; q < n; q++) {
    while (z[k + 1]! < q) k++;
    out[q] = (q - v[k]!) ** 2 + f[v[k]!]!;
  }
}

/**
 * Squared distance from every pixel to the nearest pixel whose value is `to` (0 or 1); huge where there is none.
 * The way for far distances; see {@link nearSquared} for near ones.
 */
function squaredDistance({ width, height, data }: Mask, to: 0 | 1): Float64Array {
  const result = new Float64Array(width * height);
  // Along columns the distance is a count of steps, down and then up again.
  for (let x = 0; x < width; x++) {
    let steps = FAR;
    for (let i = x; i < result.length; i += width) {
      steps = (data[i] !== 0) === (to === 1) ? 0 : steps + 1;
      result[i] = steps;
    }
    steps = FAR;
    for (let i = result.length - width + x; i >= 0; i -= width) {
      steps = Math.min(result[i]!, steps + 1);
      result[i] = steps >= FAR ? FAR : steps * steps;
    }
  }
  const n = width;
  const [f, out] = [new Float64Array(n), new Float64Array(n)];
  const [v, z] = [new Int32Array(n), new Float64Array(n + 1)];
  for (let y = 0; y < height; y++) {
    const from = y * width;
    let lowest = FAR;
    let highest = 0;
    for (let x = 0; x < width; x++) {
      const d = result[from + x]!;
      f[x] = d;
      if (d < lowest) lowest = d;
      if (d > highest) highest = d;
    }
    // A row that is all on target, or has no target in any of its columns, stays as it is.
    if (highest === 0 || lowest === FAR) continue;
    transformLine(f, n, out, v, z);
    for (let x = 0; x < width; x++) result[from + x] = Math.min(FAR, out[x]!);
  }
  return result;
}

/** What columnSteps returns: valid until it is called again. A new array each time would be half of its cost. */
let scratch = new Uint16Array(0);

/** Steps along the column to the nearest pixel whose value is `to`, `most` where there are more. Row by row, as memory lies. */
function columnSteps({ width, height, data }: Mask, to: 0 | 1, most: number): Uint16Array {
  const count = width * height;
  if (scratch.length < count) scratch = new Uint16Array(count);
  const steps = scratch;
  for (let i = 0; i < count; i++) {
    if ((data[i] !== 0) === (to === 1)) {
      steps[i] = 0;
      continue;
    }
    const above = i < width ? most : steps[i - width]! + 1;
    steps[i] = above < most ? above : most;
  }
  for (let i = count - width - 1; i >= 0; i--) {
    const below = steps[i + width]! + 1;
    if (below < steps[i]!) steps[i] = below;
  }
  return steps;
}

/** More than any side: its square still is an exact whole number. */
const NO_STEPS = 1 << 15;

/**
 * Squared distance to the nearest pixel whose value is `to`, exact up to `cap` pixels and more than its square beyond:
 * from every pixel outwards along its row until nothing nearer can come. Near distances take few steps.
 */
function nearSquared(mask: Mask, to: 0 | 1, cap: number): Int32Array {
  const { width, height } = mask;
  const steps = columnSteps(mask, to, NO_STEPS);
  const squared = new Int32Array(width * height);
  const most = cap >= NO_STEPS - 1 ? NO_STEPS ** 2 : (Math.floor(cap) + 1) ** 2;
  for (let y = 0, i = 0; y < height; y++) {
    const from = y * width;
    const end = from + width;
    for (; i < end; i++) {
      const own = steps[i]!;
      if (own === 0) continue;
      let best = own * own < most ? own * own : most;
      for (let d = 1, left = i - 1, right = i + 1; d * d < best; d++, left--, right++) {
        if (left >= from) {
          const s = steps[left]!;
          const there = s * s + d * d;
          if (there < best) best = there;
        } else if (right >= end) break;
        if (right < end) {
          const s = steps[right]!;
          const there = s * s + d * d;
          if (there < best) best = there;
        }
      }
      squared[i] = best;
    }
  }
  return squared;
}

/** Beyond any picture: what stands for no target at all. */
const NOWHERE = 1e4;
const bounded = (squared: number) => Math.min(NOWHERE, Math.sqrt(squared));

/** Distance of inside pixels to the nearest outside pixel, in pixels; 0 outside. The border of the image is no outside. */
export function distanceInside(mask: Mask): Plane {
  const squared = nearSquared(mask, 0, Number.POSITIVE_INFINITY);
  const data = new Float32Array(squared.length);
  for (let i = 0; i < data.length; i++) if (squared[i] !== 0) data[i] = bounded(squared[i]!);
  return { width: mask.width, height: mask.height, data };
}

/** The largest value of {@link distanceInside}: the radius of the largest inscribed disk, pixels. */
export function halfWidth(mask: Mask): number {
  const squared = nearSquared(mask, 0, Number.POSITIVE_INFINITY);
  let most = 0;
  for (let i = 0; i < squared.length; i++) if (squared[i]! > most) most = squared[i]!;
  return Math.fround(bounded(most));
}

/**
 * Distance to the boundary in pixels, positive inside, negative outside; the boundary runs between pixels.
 * @param reach beyond so many pixels outside, any larger distance may stand; less to compute
 */
export function signedDistance(mask: Mask, reach = Number.POSITIVE_INFINITY): Plane {
  const inside = nearSquared(mask, 0, Number.POSITIVE_INFINITY);
  const outside = reach < mask.width ? nearSquared(mask, 1, reach + 1) : squaredDistance(mask, 1);
  const data = new Float32Array(inside.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = mask.data[i] ? bounded(inside[i]!) - 0.5 : 0.5 - bounded(outside[i]!);
  }
  return { width: mask.width, height: mask.height, data };
}

/** Pixels within `radius` of the mask. */
export function dilate(mask: Mask, radius: number): Mask {
  return { ...mask, data: within(mask, 1, radius, 1) };
}

/** Pixels farther than `radius` from everything outside. */
export function erode(mask: Mask, radius: number): Mask {
  return { ...mask, data: within(mask, 0, radius, 0) };
}

/** Erosion, then dilation by a disk: what is narrower than the disk goes. */
export function open(mask: Mask, radius: number): Mask {
  if (radius <= 0) return mask;
  const core = erode(mask, radius);
  const window = windowAround(core, Math.ceil(radius));
  if (!window) return core;
  // What is left is often a small part of the picture, and nothing grows beyond its surroundings.
  return paste(dilate(cut(core, window), radius), window, mask);
}

/**
 * `value` where the nearest pixel that is `to` lies at most `radius` away, 1 − `value` elsewhere. A pixel so many steps
 * from its column's nearest covers a known stretch of its row: a walk to the right and one to the left find them all.
 */
function within(mask: Mask, to: 0 | 1, radius: number, value: 0 | 1): Uint8Array {
  const { width, height } = mask;
  const limit = radius * radius + 1e-9;
  const reach = Math.min(Math.floor(Math.sqrt(limit)), width + height);
  // By steps along the column the stretch to either side; nothing within reach is farther than any pixel.
  const stretch = new Int32Array(reach + 2).fill(-1);
  for (let s = 0; s <= reach; s++) {
    let d = 0;
    while ((d + 1) * (d + 1) + s * s <= limit) d++;
    stretch[s] = d;
  }
  const steps = columnSteps(mask, to, reach + 1);
  const data = new Uint8Array(width * height);
  const other = 1 - value;
  for (let y = 0; y < height; y++) {
    const from = y * width;
    for (let i = from, covered = -1; i < from + width; i++) {
      const s = steps[i]!;
      if (s <= reach) {
        const far = i + stretch[s]!;
        if (far > covered) covered = far;
      }
      data[i] = i <= covered ? value : other;
    }
    for (let i = from + width - 1, covered = from + width; i >= from; i--) {
      const s = steps[i]!;
      if (s <= reach) {
        const far = i - stretch[s]!;
        if (far < covered) covered = far;
      }
      if (i >= covered) data[i] = value;
    }
  }
  return data;
}
