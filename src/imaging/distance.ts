/** Exact Euclidean distance (Felzenszwalb and Huttenlocher 2012), and the morphology with disks that it gives. */
import type { Mask, Plane } from "./image.ts";

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

/** Squared distance from every pixel to the nearest pixel whose value is `to` (0 or 1); huge where there is none. */
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

/** Beyond any picture: what stands for no target at all. */
const NOWHERE = 1e4;
const bounded = (squared: number) => Math.min(NOWHERE, Math.sqrt(squared));

/** Distance of inside pixels to the nearest outside pixel, in pixels; 0 outside. The border of the image is no outside. */
export function distanceInside(mask: Mask): Plane {
  const squared = squaredDistance(mask, 0);
  const data = new Float32Array(squared.length);
  for (let i = 0; i < data.length; i++) data[i] = bounded(squared[i]!);
  return { width: mask.width, height: mask.height, data };
}

/** Distance to the boundary in pixels, positive inside, negative outside; the boundary runs between pixels. */
export function signedDistance(mask: Mask): Plane {
  const inside = squaredDistance(mask, 0);
  const outside = squaredDistance(mask, 1);
  const data = new Float32Array(inside.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = mask.data[i] ? bounded(inside[i]!) - 0.5 : 0.5 - bounded(outside[i]!);
  }
  return { width: mask.width, height: mask.height, data };
}

/** Pixels within `radius` of the mask. */
export function dilate(mask: Mask, radius: number): Mask {
  return { ...mask, data: within(squaredDistance(mask, 1), radius, 1) };
}

/** Pixels farther than `radius` from everything outside. */
export function erode(mask: Mask, radius: number): Mask {
  return { ...mask, data: within(squaredDistance(mask, 0), radius, 0) };
}

/** Erosion, then dilation by a disk: what is narrower than the disk goes. */
export function open(mask: Mask, radius: number): Mask {
  return radius <= 0 ? mask : dilate(erode(mask, radius), radius);
}

/** `value` where the distance is at most `radius`, 1 − `value` elsewhere. */
function within(squared: Float64Array, radius: number, value: 0 | 1): Uint8Array {
  const limit = radius * radius + 1e-9;
  const data = new Uint8Array(squared.length);
  for (let i = 0; i < data.length; i++) data[i] = squared[i]! <= limit ? value : 1 - value;
  return data;
}
