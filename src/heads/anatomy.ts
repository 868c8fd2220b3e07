/** The anatomy inside a mask: which end carries the acrosome, and which way the head points. */
import { gaussian, type Mask, type Plane } from "../imaging/index.ts";

/** Values of a part map. Ours has no vacuoles, see vacuoles.ts; drawn ones and those of experts do. */
export const PARTS = { background: 0, vacuole: 1, acrosome: 2, nucleus: 3 } as const;

export interface Pose {
  /** Centre of mass in pixels, the first pixel's centre at (0.5, 0.5). */
  readonly x: number;
  readonly y: number;
  /** Direction of the tail end in radians, from x towards y (down). */
  readonly angle: number;
  /** How clearly one end is darker, 0 to 1: the size of the correlation of absorption with position along the axis. */
  readonly confidence: number;
  /** Length and width of the ellipse with the mask's second moments, in pixels. */
  readonly length: number;
  readonly width: number;
}

/** Pose by second moments; the acrosome stains lighter, so the darker end is the tail's. Undefined for an empty mask. */
export function pose(mask: Mask, absorption: Plane): Pose | undefined {
  const { width, height, data } = mask;
  let n = 0;
  let sx = 0;
  let sy = 0;
  let sxx = 0;
  let syy = 0;
  let sxy = 0;
  for (let row = 0, i = 0; row < height; row++) {
    const y = row + 0.5;
    for (let column = 0; column < width; column++, i++) {
      if (data[i] === 0) continue;
      const x = column + 0.5;
      n++;
      sx += x;
      sy += y;
      sxx += x * x;
      syy += y * y;
      sxy += x * y;
    }
  }
  if (n === 0) return undefined;
  const [x, y] = [sx / n, sy / n];
  // A pixel is a square of side 1, whose own variance is 1/12.
  const [cxx, cyy, cxy] = [sxx / n - x * x + 1 / 12, syy / n - y * y + 1 / 12, sxy / n - x * y];
  const middle = (cxx + cyy) / 2;
  const spread = Math.hypot((cxx - cyy) / 2, cxy);
  const axis = Math.atan2(2 * cxy, cxx - cyy) / 2;
  const correlation = alongAxis(mask, absorption, x, y, axis);
  const angle = correlation < 0 ? axis + Math.PI : axis;
  return {
    x,
    y,
    angle: Math.atan2(Math.sin(angle), Math.cos(angle)),
    confidence: Math.abs(correlation),
    length: 4 * Math.sqrt(middle + spread),
    width: 4 * Math.sqrt(Math.max(0, middle - spread)),
  };
}

/** Correlation of absorption with position along a direction, inside the mask. */
function alongAxis(
  { width, height, data }: Mask,
  { data: values }: Plane,
  x: number,
  y: number,
  angle: number,
): number {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  let n = 0;
  let sp = 0;
  let sd = 0;
  let spp = 0;
  let sdd = 0;
  let spd = 0;
  for (let row = 0, i = 0; row < height; row++) {
    const down = (row + 0.5 - y) * sin;
    for (let column = 0; column < width; column++, i++) {
      if (data[i] === 0) continue;
      const p = (column + 0.5 - x) * cos + down;
      const d = values[i]!;
      n++;
      sp += p;
      sd += d;
      spp += p * p;
      sdd += d * d;
      spd += p * d;
    }
  }
  const covariance = spd / n - (sp / n) * (sd / n);
  const variances = (spp / n - (sp / n) ** 2) * (sdd / n - (sd / n) ** 2);
  return variances > 1e-9 ? covariance / Math.sqrt(variances) : 0;
}

/**
 * Parts by priors alone: inside the head the light cap at the front is the acrosome, the rest nucleus. The border
 * between them is where a cut across the axis best separates light from dark, so that the cap is one piece.
 */
export function parts(mask: Mask, absorption: Plane): Mask {
  const head = pose(mask, absorption);
  const out = new Uint8Array(mask.data.length);
  if (!head) return { ...mask, data: out };
  const smooth = gaussian(absorption, 1, mask.data).data;
  const inside = frontToBack(mask, head);
  const dark = new Float32Array(inside.length);
  for (let k = 0; k < dark.length; k++) dark[k] = smooth[inside[k]!]!;
  // The cap covers 40 to 70 % of a normal head; 20 to 80 % leaves room for abnormal ones.
  let total = 0;
  for (let k = 0; k < dark.length; k++) total += dark[k]!;
  let front = 0;
  let best = -1;
  let cut = Math.floor(inside.length * 0.5);
  for (let k = 1; k < inside.length; k++) {
    front += dark[k - 1]!;
    if (k < 0.2 * inside.length || k > 0.8 * inside.length) continue;
    const gap = (total - front) / (inside.length - k) - front / k;
    const separation = k * (inside.length - k) * gap * Math.abs(gap);
    if (separation > best) {
      best = separation;
      cut = k;
    }
  }
  for (let k = 0; k < inside.length; k++) out[inside[k]!] = k < cut ? PARTS.acrosome : PARTS.nucleus;
  return { ...mask, data: out };
}

/** The pixels of a head in the order of their place along the axis; those at one place in reading order. */
function frontToBack({ width, height, data }: Mask, { x, y, angle }: Pose): Int32Array {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const along = new Float64Array(data.length);
  const buckets = new Int32Array(data.length);
  // Buckets of a quarter pixel along the axis. The head's centre lies in the crop: no pixel is farther from it than this.
  const reach = 4 * (width + height);
  const ends = new Int32Array(2 * reach + 1);
  let count = 0;
  for (let row = 0, i = 0; row < height; row++) {
    const down = (row + 0.5 - y) * sin;
    for (let column = 0; column < width; column++, i++) {
      if (data[i] === 0) continue;
      const place = (column + 0.5 - x) * cos + down;
      along[i] = place;
      const bucket = Math.floor(4 * place) + reach;
      buckets[i] = bucket;
      ends[bucket]!++;
      count++;
    }
  }
  for (let k = 1; k < ends.length; k++) ends[k]! += ends[k - 1];
  // From the last pixel to the first, so that each bucket holds its own in reading order.
  const order = new Int32Array(count);
  for (let i = data.length - 1; i >= 0; i--) if (data[i] !== 0) order[--ends[buckets[i]!]!] = i;
  // Insertion moves a pixel only within its bucket, and past none at the same place.
  for (let k = 1; k < count; k++) {
    const at = order[k]!;
    const place = along[at]!;
    let to = k;
    for (; to > 0 && along[order[to - 1]!]! > place; to--) order[to] = order[to - 1]!;
    order[to] = at;
  }
  return order;
}
