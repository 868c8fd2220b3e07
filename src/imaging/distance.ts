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
  const n = Math.max(width, height);
  const [f, out] = [new Float64Array(n), new Float64Array(n)];
  const [v, z] = [new Int32Array(n), new Float64Array(n + 1)];
  const result = new Float64Array(width * height);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) f[y] = (data[y * width + x] ? 1 : 0) === to ? 0 : FAR;
    transformLine(f, height, out, v, z);
    for (let y = 0; y < height; y++) result[y * width + x] = Math.min(FAR, out[y]!);
  }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) f[x] = result[y * width + x]!;
    transformLine(f, width, out, v, z);
    for (let x = 0; x < width; x++) result[y * width + x] = out[x]!;
  }
  return result;
}

/** Distance of inside pixels to the nearest outside pixel, in pixels; 0 outside. The border of the image is no outside. */
export function distanceInside(mask: Mask): Plane {
  return {
    width: mask.width,
    height: mask.height,
    data: Float32Array.from(squaredDistance(mask, 0), (d) => Math.sqrt(Math.min(d, 1e8))),
  };
}

/** Distance to the boundary in pixels, positive inside, negative outside; the boundary runs between pixels. */
export function signedDistance(mask: Mask): Plane {
  const inside = squaredDistance(mask, 0);
  const outside = squaredDistance(mask, 1);
  const bounded = (d: number) => Math.sqrt(Math.min(d, 1e8));
  const data = Float32Array.from(mask.data, (value, i) =>
    value ? bounded(inside[i]!) - 0.5 : 0.5 - bounded(outside[i]!),
  );
  return { width: mask.width, height: mask.height, data };
}

/** Pixels within `radius` of the mask. */
export function dilate(mask: Mask, radius: number): Mask {
  const limit = radius * radius + 1e-9;
  return { ...mask, data: Uint8Array.from(squaredDistance(mask, 1), (d) => (d <= limit ? 1 : 0)) };
}

/** Pixels farther than `radius` from everything outside. */
export function erode(mask: Mask, radius: number): Mask {
  const limit = radius * radius + 1e-9;
  return { ...mask, data: Uint8Array.from(squaredDistance(mask, 0), (d) => (d > limit ? 1 : 0)) };
}

/** Erosion, then dilation by a disk: what is narrower than the disk goes. */
export function open(mask: Mask, radius: number): Mask {
  return radius <= 0 ? mask : dilate(erode(mask, radius), radius);
}
