/**
 * Filters on planes. Crops are small (about 130 × 130), where typed arrays beat the hand-over to a native library:
 * see docs/performance.md for the measurement.
 */
import type { Mask, Plane } from "./image.ts";

const kernels = new Map<number, Float32Array>();

/** Half of a sampled, normalised Gaussian, cut at four deviations as scipy does. */
function gaussianKernel(sigma: number): Float32Array {
  let kernel = kernels.get(sigma);
  if (!kernel) {
    const radius = Math.floor(4 * sigma + 0.5);
    const values = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-0.5 * (i / sigma) ** 2));
    const total = values.reduce((sum, v, i) => sum + (i ? 2 * v : v), 0);
    kernels.set(sigma, (kernel = Float32Array.from(values, (v) => v / total)));
  }
  return kernel;
}

/** Index of a sample beyond the edge, mirrored about the outer edge of the first and last pixel (scipy "reflect"). */
function mirrored(i: number, n: number): number {
  let k = i;
  while (k < 0 || k >= n) k = k < 0 ? -1 - k : 2 * n - 1 - k;
  return k;
}

/** Gaussian smoothing, separable, edges reflected. @param sigma pixels */
export function gaussian(plane: Plane, sigma: number): Plane {
  if (sigma <= 0) return plane;
  const { width, height, data } = plane;
  const kernel = gaussianKernel(sigma);
  const radius = kernel.length - 1;
  // A line at a time through a padded copy: the inner loop then reads without a test for the edge.
  const line = new Float32Array(Math.max(width, height) + 2 * radius);
  const rows = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = y * width;
    for (let i = -radius; i < width + radius; i++) line[i + radius] = data[from + mirrored(i, width)]!;
    smoothLine(line, width, kernel, rows, from, 1);
  }
  const out = new Float32Array(width * height);
  for (let x = 0; x < width; x++) {
    for (let i = -radius; i < height + radius; i++) line[i + radius] = rows[mirrored(i, height) * width + x]!;
    smoothLine(line, height, kernel, out, x, width);
  }
  return { width, height, data: out };
}

/** Writes `length` smoothed samples of a padded line, `step` apart. */
function smoothLine(
  line: Float32Array,
  length: number,
  kernel: Float32Array,
  out: Float32Array,
  from: number,
  step: number,
): void {
  const radius = kernel.length - 1;
  for (let i = 0; i < length; i++) {
    let sum = kernel[0]! * line[i + radius]!;
    for (let k = 1; k <= radius; k++) sum += kernel[k]! * (line[i + radius - k]! + line[i + radius + k]!);
    out[from + i * step] = sum;
  }
}

/** Otsu's threshold (1979) over 256 bins: the value that best separates two classes. */
export function otsu(values: Float32Array): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(high > low)) return low;
  const bins = 256;
  const counts = new Float64Array(bins);
  const size = (high - low) / bins;
  for (const v of values) counts[Math.min(bins - 1, Math.floor((v - low) / size))]! += 1;
  const centre = (i: number) => low + (i + 0.5) * size;
  let total = 0;
  for (let i = 0; i < bins; i++) total += counts[i]! * centre(i);
  let below = 0;
  let sumBelow = 0;
  let best = -1;
  let threshold = low;
  for (let i = 0; i < bins - 1; i++) {
    below += counts[i]!;
    sumBelow += counts[i]! * centre(i);
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sumBelow / below - (total - sumBelow) / above) ** 2;
    if (between > best) {
      best = between;
      threshold = centre(i);
    }
  }
  return threshold;
}

/** The value below which a share of the values lies. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values as ArrayLike<number>).sort();
  return sorted[Math.max(0, Math.min(sorted.length - 1, Math.round(share * (sorted.length - 1))))]!;
}

export function threshold({ width, height, data }: Plane, level: number): Mask {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i]! > level ? 1 : 0;
  return { width, height, data: out };
}
