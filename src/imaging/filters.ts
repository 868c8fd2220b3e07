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

/**
 * Gaussian smoothing, separable, edges reflected.
 * @param sigma pixels
 * @param where the pixels that are wanted, not 0; elsewhere the result is 0
 */
export function gaussian(plane: Plane, sigma: number, where?: Uint8Array): Plane {
  if (sigma <= 0) return plane;
  const { width, height, data } = plane;
  const kernel = gaussianKernel(sigma);
  const radius = kernel.length - 1;
  const wanted = where && rowsRead(where, width, height, radius);
  // A row at a time through a padded copy: the inner loop then reads without a test for the edge.
  const line = new Float32Array(width + 2 * radius);
  const rows = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    if (wanted && wanted[y] === 0) continue;
    const from = y * width;
    line.set(data.subarray(from, from + width), radius);
    for (let i = 1; i <= radius; i++) {
      line[radius - i] = data[from + mirrored(-i, width)]!;
      line[radius + width - 1 + i] = data[from + mirrored(width - 1 + i, width)]!;
    }
    smoothRow(line, width, kernel, rows, from);
  }
  const out = new Float32Array(width * height);
  const above = new Int32Array(radius + 1);
  const below = new Int32Array(radius + 1);
  for (let y = 0; y < height; y++) {
    const from = y * width;
    for (let k = 0; k <= radius; k++) {
      above[k] = mirrored(y - k, height) * width;
      below[k] = mirrored(y + k, height) * width;
    }
    if (where) smoothSome(rows, width, kernel, above, below, out, from, where);
    else smoothColumns(rows, width, kernel, above, below, out, from);
  }
  return { width, height, data: out };
}

/** The rows that smoothing along columns reads for the wanted pixels. */
function rowsRead(where: Uint8Array, width: number, height: number, radius: number): Uint8Array {
  const read = new Uint8Array(height);
  for (let y = 0; y < height; y++) {
    let any = 0;
    for (let i = y * width; i < (y + 1) * width && any === 0; i++) any = where[i]!;
    if (any !== 0) for (let k = -radius; k <= radius; k++) read[mirrored(y + k, height)] = 1;
  }
  return read;
}

/** Smoothes a padded line. Four samples side by side: one sum waits for its own last addition at every step. */
function smoothRow(line: Float32Array, width: number, kernel: Float32Array, out: Float32Array, from: number): void {
  const radius = kernel.length - 1;
  let i = 0;
  for (; i + 3 < width; i += 4) {
    const at = i + radius;
    let a = kernel[0]! * line[at]!;
    let b = kernel[0]! * line[at + 1]!;
    let c = kernel[0]! * line[at + 2]!;
    let d = kernel[0]! * line[at + 3]!;
    for (let k = 1; k <= radius; k++) {
      const weight = kernel[k]!;
      a += weight * (line[at - k]! + line[at + k]!);
      b += weight * (line[at + 1 - k]! + line[at + 1 + k]!);
      c += weight * (line[at + 2 - k]! + line[at + 2 + k]!);
      d += weight * (line[at + 3 - k]! + line[at + 3 + k]!);
    }
    out[from + i] = a;
    out[from + i + 1] = b;
    out[from + i + 2] = c;
    out[from + i + 3] = d;
  }
  for (; i < width; i++) {
    let sum = kernel[0]! * line[i + radius]!;
    for (let k = 1; k <= radius; k++) sum += kernel[k]! * (line[i + radius - k]! + line[i + radius + k]!);
    out[from + i] = sum;
  }
}

/** One row of the result from the smoothed rows above and below it, four samples side by side. */
function smoothColumns(
  rows: Float32Array,
  width: number,
  kernel: Float32Array,
  above: Int32Array,
  below: Int32Array,
  out: Float32Array,
  from: number,
): void {
  const radius = kernel.length - 1;
  let x = 0;
  for (; x + 3 < width; x += 4) {
    let a = kernel[0]! * rows[from + x]!;
    let b = kernel[0]! * rows[from + x + 1]!;
    let c = kernel[0]! * rows[from + x + 2]!;
    let d = kernel[0]! * rows[from + x + 3]!;
    for (let k = 1; k <= radius; k++) {
      const weight = kernel[k]!;
      const up = above[k]! + x;
      const down = below[k]! + x;
      a += weight * (rows[up]! + rows[down]!);
      b += weight * (rows[up + 1]! + rows[down + 1]!);
      c += weight * (rows[up + 2]! + rows[down + 2]!);
      d += weight * (rows[up + 3]! + rows[down + 3]!);
    }
    out[from + x] = a;
    out[from + x + 1] = b;
    out[from + x + 2] = c;
    out[from + x + 3] = d;
  }
  for (; x < width; x++) out[from + x] = smoothedAt(rows, from, x, kernel, above, below);
}

function smoothSome(
  rows: Float32Array,
  width: number,
  kernel: Float32Array,
  above: Int32Array,
  below: Int32Array,
  out: Float32Array,
  from: number,
  where: Uint8Array,
): void {
  for (let x = 0; x < width; x++) {
    if (where[from + x] !== 0) out[from + x] = smoothedAt(rows, from, x, kernel, above, below);
  }
}

function smoothedAt(
  rows: Float32Array,
  from: number,
  x: number,
  kernel: Float32Array,
  above: Int32Array,
  below: Int32Array,
): number {
  let sum = kernel[0]! * rows[from + x]!;
  for (let k = 1; k < kernel.length; k++) sum += kernel[k]! * (rows[above[k]! + x]! + rows[below[k]! + x]!);
  return sum;
}

/** Otsu's threshold (1979) over 256 bins: the value that best separates two classes. */
export function otsu(values: Float32Array): number {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(high > low)) return low;
  const bins = 256;
  const counts = new Float64Array(bins);
  const size = (high - low) / bins;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i]! - low) / size);
    counts[bin < bins ? bin : bins - 1]! += 1;
  }
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
