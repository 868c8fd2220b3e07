/** The anatomy inside a mask: which end carries the acrosome, and which way the head points. */
import { gaussian, type Mask, type Plane, quantile } from "../imaging/index.ts";

/** Values of a part map. */
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
export function pose({ width, data }: Mask, absorption: Plane): Pose | undefined {
  let [n, sx, sy, sxx, syy, sxy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0, column = 0, row = 0; i < data.length; i++, column++) {
    if (column === width) {
      column = 0;
      row++;
    }
    if (!data[i]) continue;
    const x = column + 0.5;
    const y = row + 0.5;
    n++;
    sx += x;
    sy += y;
    sxx += x * x;
    syy += y * y;
    sxy += x * y;
  }
  if (n === 0) return undefined;
  const [x, y] = [sx / n, sy / n];
  // A pixel is a square of side 1, whose own variance is 1/12.
  const [cxx, cyy, cxy] = [sxx / n - x * x + 1 / 12, syy / n - y * y + 1 / 12, sxy / n - x * y];
  const middle = (cxx + cyy) / 2;
  const spread = Math.hypot((cxx - cyy) / 2, cxy);
  const axis = Math.atan2(2 * cxy, cxx - cyy) / 2;
  const correlation = alongAxis({ width, data }, absorption, x, y, axis);
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
  { width, data }: Pick<Mask, "width" | "data">,
  absorption: Plane,
  x: number,
  y: number,
  angle: number,
): number {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let [n, sp, sd, spp, sdd, spd] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    if (!data[i]) continue;
    const p = ((i % width) + 0.5 - x) * cos + (Math.floor(i / width) + 0.5 - y) * sin;
    const d = absorption.data[i]!;
    n++;
    sp += p;
    sd += d;
    spp += p * p;
    sdd += d * d;
    spd += p * d;
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
  const [cos, sin] = [Math.cos(head.angle), Math.sin(head.angle)];
  // Inside pixels in reading order, then in the order of their place along the axis.
  const place: number[] = [];
  const along: number[] = [];
  for (let i = 0, x = 0, y = 0; i < mask.data.length; i++, x++) {
    if (x === mask.width) {
      x = 0;
      y++;
    }
    if (!mask.data[i]) continue;
    place.push(i);
    along.push((x + 0.5 - head.x) * cos + (y + 0.5 - head.y) * sin);
  }
  const order = Int32Array.from(place.keys()).sort((a, b) => along[a]! - along[b]! || a - b);
  const inside = Int32Array.from(order, (n) => place[n]!);
  const dark = Float32Array.from(inside, (at) => smooth[at]!);
  // The cap covers 40 to 70 % of a normal head; 20 to 80 % leaves room for abnormal ones.
  let total = 0;
  for (let k = 0; k < dark.length; k++) total += dark[k]!;
  let [front, best, cut] = [0, -1, Math.floor(inside.length * 0.5)];
  for (let k = 1; k < inside.length; k++) {
    front += dark[k - 1]!;
    if (k < 0.2 * inside.length || k > 0.8 * inside.length) continue;
    const gap = (total - front) / (inside.length - k) - front / k;
    const separation = k * (inside.length - k) * gap * Math.abs(gap);
    if (separation > best) [best, cut] = [separation, k];
  }
  for (let k = 0; k < inside.length; k++) out[inside[k]!] = k < cut ? PARTS.acrosome : PARTS.nucleus;
  // Vacuoles: small spots in the cap that are nearly as light as the background.
  if (cut > 50) {
    const typical = quantile(dark.subarray(0, cut), 0.5);
    for (let k = 0; k < cut; k++) {
      if (dark[k]! < 0.35 * typical && distanceToOutside(mask, inside[k]!) > 2) out[inside[k]!] = PARTS.vacuole;
    }
  }
  return { ...mask, data: out };
}

/** Whether a pixel lies deeper than the given pixels: a cheap bound by its row and column. */
function distanceToOutside({ width, height, data }: Mask, at: number): number {
  const x = at % width;
  const y = Math.floor(at / width);
  for (let r = 1; r <= 3; r++) {
    if (x - r < 0 || x + r >= width || y - r < 0 || y + r >= height) return r;
    if (!data[at - r] || !data[at + r] || !data[at - r * width] || !data[at + r * width]) return r;
  }
  return 4;
}
