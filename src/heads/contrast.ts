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

/** How many grey levels to either side count when a histogram is smoothed. */
const SMOOTHING = 6;

/** The most frequent value of each channel, its histogram smoothed over a few grey levels. */
function modes(data: Uint8Array, use: Uint8Array): [number, number, number] {
  // Room at both ends, where nothing is counted, spares every test for them.
  const empty = () => new Uint32Array(256 + 2 * SMOOTHING);
  const red = empty();
  const green = empty();
  const blue = empty();
  for (let i = 0, k = 0; i < use.length; i++, k += 3) {
    // 0 or 1: to add it is faster than to ask.
    const counted = use[i]!;
    red[data[k]! + SMOOTHING]! += counted;
    green[data[k + 1]! + SMOOTHING]! += counted;
    blue[data[k + 2]! + SMOOTHING]! += counted;
  }
  return [mode(red), mode(green), mode(blue)];
}

/** @param counts a histogram with {@link SMOOTHING} empty places before and behind it */
function mode(counts: Uint32Array): number {
  let best = 0;
  let at = 0;
  for (let v = 0; v < 256; v++) {
    let sum = 0;
    for (let k = -SMOOTHING; k <= SMOOTHING; k++) sum += counts[v + SMOOTHING + k]! * (SMOOTHING + 1 - Math.abs(k));
    if (sum > best) {
      best = sum;
      at = v;
    }
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

/** Pixels whose whole drop is less than this, either way, show the background and its noise. */
const NEAR = 45;

/** Red, green, blue of the background, 0 to 255: the most frequent value of each. */
export function backgroundColour(image: Image): [number, number, number] {
  return modes(image.data, withoutBlackBorder(image));
}

/** The absorption plane of a crop, its background flattened by a tilted plane. */
export function contrast(image: Image): Contrast {
  const { width, height, data } = image;
  const pixels = width * height;
  const use = withoutBlackBorder(image);
  const background = modes(data, use);
  const weights = stainAgainstNoise(data, use, background);
  const total = weights.reduce((a, b) => a + b, 0) || 1;
  const values = new Float32Array(pixels);
  const [red, green, blue] = background;
  const [forRed, forGreen, forBlue] = weights.map((weight) => weight / total) as [number, number, number];
  for (let i = 0, k = 0; i < pixels; i++, k += 3) {
    if (use[i] === 0) continue;
    const redder = Math.fround(forRed * (red - data[k]!));
    values[i] = Math.fround(redder + forGreen * (green - data[k + 1]!)) + forBlue * (blue - data[k + 2]!);
  }
  const noise = flatten(values, width, height, use);
  return { plane: { width, height, data: values }, background, noise };
}

/** The weight of each channel: the mean drop of the darkest twentieth against the spread of pixels near the background. */
function stainAgainstNoise(
  data: Uint8Array,
  use: Uint8Array,
  [red, green, blue]: readonly [number, number, number],
): [number, number, number] {
  const pixels = use.length;
  const drops = new Int16Array(pixels);
  const counts = new Uint32Array(2 * SPAN + 1);
  let near = 0;
  let spreadRed = 0;
  let spreadGreen = 0;
  let spreadBlue = 0;
  for (let i = 0, k = 0; i < pixels; i++, k += 3) {
    if (use[i] === 0) {
      counts[SPAN]!++;
      continue;
    }
    const r = red - data[k]!;
    const g = green - data[k + 1]!;
    const b = blue - data[k + 2]!;
    const drop = r + g + b;
    drops[i] = drop;
    counts[drop + SPAN]!++;
    if (drop >= NEAR || drop <= -NEAR) continue;
    near++;
    spreadRed += r * r;
    spreadGreen += g * g;
    spreadBlue += b * b;
  }
  let darkest = -SPAN;
  for (let below = counts[0]!; below <= Math.floor(0.95 * (pixels - 1)); below += counts[darkest + SPAN]!) darkest++;
  let dark = 0;
  let stainRed = 0;
  let stainGreen = 0;
  let stainBlue = 0;
  for (let i = 0; i < pixels; i++) {
    if (drops[i]! < darkest || use[i] === 0) continue;
    dark++;
    stainRed += red - data[i * 3]!;
    stainGreen += green - data[i * 3 + 1]!;
    stainBlue += blue - data[i * 3 + 2]!;
  }
  const weight = (stain: number, spread: number) =>
    Math.max(0, stain / Math.max(1, dark)) / (spread / Math.max(1, near) + 4);
  return [weight(stainRed, spreadRed), weight(stainGreen, spreadGreen), weight(stainBlue, spreadBlue)];
}

/** Subtracts the plane a + b·x + c·y that fits the background, refitted without outliers. @returns the residual's deviation */
function flatten(values: Float32Array, width: number, height: number, use: Uint8Array): number {
  let limit = 25;
  let deviation = limit;
  const across = Float64Array.from({ length: width }, (_, x) => (2 * x + 1) / width - 1);
  for (let round = 0; round < 3; round++) {
    const fit = fitPlane(values, across, height, use, limit);
    if (fit.count < 30) return deviation;
    deviation = Math.sqrt(subtractPlane(values, across, height, use, limit, fit.plane) / fit.count);
    limit = Math.max(4, 2.5 * deviation);
  }
  return deviation;
}

/** The least squares plane through the values up to the limit, in coordinates from -1 to 1, and how many there are. */
function fitPlane(
  values: Float32Array,
  across: Float64Array,
  height: number,
  use: Uint8Array,
  limit: number,
): { count: number; plane: [number, number, number] } {
  const width = across.length;
  // Normal equations, which are nearly orthogonal in these coordinates. A variable for each sum: with all of
  // them declared as one list, fitting took four times as long.
  let n = 0;
  let sx = 0;
  let sy = 0;
  let sxx = 0;
  let syy = 0;
  let sxy = 0;
  let sv = 0;
  let svx = 0;
  let svy = 0;
  for (let y = 0, i = 0; y < height; y++) {
    const v = (2 * y + 1) / height - 1;
    for (let x = 0; x < width; x++, i++) {
      const d = values[i]!;
      if (use[i] === 0 || Math.abs(d) > limit) continue;
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
  const equations = [
    [n, sx, sy],
    [sx, sxx + 1e-3 * n, sxy],
    [sy, sxy, syy + 1e-3 * n],
  ];
  return { count: n, plane: solve3(equations, [sv, svx, svy]) };
}

/** Subtracts a plane in place. @returns the sum of the squares of what is left of the values up to the limit */
function subtractPlane(
  values: Float32Array,
  across: Float64Array,
  height: number,
  use: Uint8Array,
  limit: number,
  [a, b, c]: readonly [number, number, number],
): number {
  const width = across.length;
  const tilted = across.map((u) => a + b * u);
  let squares = 0;
  for (let y = 0, i = 0; y < height; y++) {
    const below = c * ((2 * y + 1) / height - 1);
    for (let x = 0; x < width; x++, i++) {
      if (use[i] === 0) continue;
      const before = values[i]!;
      const after = Math.fround(before - (tilted[x]! + below));
      values[i] = after;
      if (Math.abs(before) <= limit) squares += after * after;
    }
  }
  return squares;
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
