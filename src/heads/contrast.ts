/**
 * Contrast from image priors: stain absorbs light and the background is what most of the crop shows. No colour is
 * presupposed: the three channels are weighted by how much the stain darkens them against how noisy they are.
 */
import type { Image, Plane } from "../imaging/index.ts";

export interface Contrast {
  /** Absorption above the background, about 0 in the background; in grey levels of the weighted channels. */
  readonly plane: Plane;
  /** Red, green, blue of the background, 0 to 255. */
  readonly background: readonly [number, number, number];
  /** Deviation of the background in the plane. */
  readonly noise: number;
}

/** The most frequent value of a channel, its histogram smoothed over a few grey levels. */
function mode(data: Uint8Array, channel: number, use: Uint8Array): number {
  const counts = new Float64Array(256);
  for (let i = 0, k = channel; i < use.length; i++, k += 3) if (use[i]) counts[data[k]!]! += 1;
  let best = 0;
  let at = 0;
  for (let v = 0; v < 256; v++) {
    let sum = 0;
    for (let k = -6; k <= 6; k++) sum += (counts[v + k] ?? 0) * (7 - Math.abs(k));
    if (sum > best) [best, at] = [sum, v];
  }
  return at;
}

/** Pixels that belong to the picture: not the black border that the edge of a slide leaves. */
function withoutBlackBorder({ width, height, data }: Image): Uint8Array {
  const use = new Uint8Array(width * height).fill(1);
  const dark = (i: number) => data[i * 3]! + data[i * 3 + 1]! + data[i * 3 + 2]! < 30;
  const queue: number[] = [];
  const visit = (i: number) => {
    if (use[i] && dark(i)) {
      use[i] = 0;
      queue.push(i);
    }
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    const x = at % width;
    if (x > 0) visit(at - 1);
    if (x < width - 1) visit(at + 1);
    if (at >= width) visit(at - width);
    if (at + width < use.length) visit(at + width);
  }
  return use;
}

/** No pixel can be darker or lighter than the background by more than three whole channels. */
const SPAN = 3 * 255;

/** The absorption plane of a crop, its background flattened by a tilted plane. */
export function contrast(image: Image): Contrast {
  const { width, height, data } = image;
  const pixels = width * height;
  const use = withoutBlackBorder(image);
  const background = [0, 1, 2].map((c) => mode(data, c, use)) as [number, number, number];

  // The stain's colour: the mean drop of the darkest twentieth. Noise: the spread of pixels near the background.
  const [red, green, blue] = background;
  const drops = new Int32Array(pixels);
  const counts = new Uint32Array(2 * SPAN + 1);
  for (let i = 0, k = 0; i < pixels; i++, k += 3) {
    if (use[i]) drops[i] = red - data[k]! + (green - data[k + 1]!) + (blue - data[k + 2]!);
    counts[drops[i]! + SPAN]!++;
  }
  let darkest = -SPAN;
  for (let below = counts[0]!; below <= Math.floor(0.95 * (pixels - 1)); below += counts[darkest + SPAN]!) darkest++;
  const stain = [0, 0, 0];
  const spread = [0, 0, 0];
  let dark = 0;
  let near = 0;
  for (let i = 0, k = 0; i < pixels; i++, k += 3) {
    if (!use[i]) continue;
    const r = red - data[k]!;
    const g = green - data[k + 1]!;
    const b = blue - data[k + 2]!;
    if (drops[i]! >= darkest) {
      dark++;
      stain[0]! += r;
      stain[1]! += g;
      stain[2]! += b;
    }
    if (Math.abs(drops[i]!) < 45) {
      near++;
      spread[0]! += r * r;
      spread[1]! += g * g;
      spread[2]! += b * b;
    }
  }
  const weights = stain.map((sum, c) => Math.max(0, sum / Math.max(1, dark)) / (spread[c]! / Math.max(1, near) + 4));
  const total = weights.reduce((a, b) => a + b, 0) || 1;
  const values = new Float32Array(pixels);
  const [forRed, forGreen, forBlue] = weights.map((weight) => weight / total) as [number, number, number];
  for (let i = 0, k = 0; i < pixels; i++, k += 3) {
    if (!use[i]) continue;
    const redder = Math.fround(forRed * (red - data[k]!));
    values[i] = Math.fround(redder + forGreen * (green - data[k + 1]!)) + forBlue * (blue - data[k + 2]!);
  }
  const noise = flatten(values, width, height, use);
  return { plane: { width, height, data: values }, background, noise };
}

/** Subtracts the plane a + b·x + c·y that fits the background, refitted without outliers. @returns the residual's deviation */
function flatten(values: Float32Array, width: number, height: number, use: Uint8Array): number {
  let limit = 25;
  let deviation = limit;
  const across = Float64Array.from({ length: width }, (_, x) => (2 * x + 1) / width - 1);
  for (let round = 0; round < 3; round++) {
    // Normal equations in coordinates from -1 to 1, which are nearly orthogonal.
    let n = 0;
    let [sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0];
    let [sv, svx, svy] = [0, 0, 0];
    for (let y = 0; y < height; y++) {
      const v = (2 * y + 1) / height - 1;
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        const d = values[i]!;
        if (!use[i] || Math.abs(d) > limit) continue;
        const u = across[x]!;
        n++;
        sx += u;
        sy += v;
        sxx += u * u;
        syy += v * v;
        sxy += u * v;
        sv += d;
        svx += d * u;
        svy += d * v;
      }
    }
    if (n < 30) return deviation;
    const [a, b, c] = solve3(
      [
        [n, sx, sy],
        [sx, sxx + 1e-3 * n, sxy],
        [sy, sxy, syy + 1e-3 * n],
      ],
      [sv, svx, svy],
    );
    let squares = 0;
    for (let y = 0; y < height; y++) {
      const v = (2 * y + 1) / height - 1;
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        if (!use[i]) continue;
        const before = values[i]!;
        const after = Math.fround(before - (a + b * across[x]! + c * v));
        values[i] = after;
        if (Math.abs(before) <= limit) squares += after * after;
      }
    }
    deviation = Math.sqrt(squares / n);
    limit = Math.max(4, 2.5 * deviation);
  }
  return deviation;
}

/** Solves a 3 × 3 system by Cramer's rule. */
function solve3(m: readonly (readonly number[])[], r: readonly number[]): [number, number, number] {
  const det = (a: readonly (readonly number[])[]) =>
    a[0]![0]! * (a[1]![1]! * a[2]![2]! - a[1]![2]! * a[2]![1]!) -
    a[0]![1]! * (a[1]![0]! * a[2]![2]! - a[1]![2]! * a[2]![0]!) +
    a[0]![2]! * (a[1]![0]! * a[2]![1]! - a[1]![1]! * a[2]![0]!);
  const d = det(m);
  const column = (k: number) => m.map((row, i) => row.map((value, j) => (j === k ? r[i]! : value)));
  return [det(column(0)) / d, det(column(1)) / d, det(column(2)) / d];
}
