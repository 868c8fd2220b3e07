/**
 * Morphometry of one head, as used in andrology (names after the OpenCASA and CASA literature). Lengths in pixels, and
 * in micrometres only where the calibration is known.
 */
import { type Mask, outlines, type Plane } from "../imaging/index.ts";
import { PARTS, pose } from "./anatomy.ts";
import { vacuoles } from "./vacuoles.ts";

export interface Morphometry {
  areaPx: number;
  perimeterPx: number;
  lengthPx: number;
  widthPx: number;
  /** L / W. */
  ellipticity: number;
  /** (L - W) / (L + W). */
  elongation: number;
  /** 4πA / P²: 1 for a circle. */
  rugosity: number;
  /** πLW / 4A: 1 for an ellipse. */
  regularity: number;
  /** Share of the mask that mirroring about the long axis covers again: 1 for a symmetric head. */
  symmetry: number;
  /** Share of the head that is acrosome. */
  acrosomeShare: number;
  /** Light spots that may be vacuoles. */
  vacuoles: number;
  /** Share of the head that these spots cover. */
  vacuoleShare: number;
  angleDeg: number;
  centreX: number;
  centreY: number;
}

/** Measures a head; undefined for an empty mask. @param parts from `parts` */
export function morphometry(mask: Mask, parts: Mask, absorption: Plane): Morphometry | undefined {
  const head = pose(mask, absorption);
  if (!head) return undefined;
  const { width, height, data } = mask;
  const cos = Math.cos(head.angle);
  const sin = Math.sin(head.angle);
  let area = 0;
  let cap = 0;
  let mirrored = 0;
  let minAlong = Infinity;
  let maxAlong = -Infinity;
  let minAcross = Infinity;
  let maxAcross = -Infinity;
  for (let y = 0, i = 0; y < height; y++) {
    const dy = y + 0.5 - head.y;
    for (let x = 0; x < width; x++, i++) {
      if (data[i] === 0) continue;
      area++;
      if (parts.data[i] === PARTS.acrosome || parts.data[i] === PARTS.vacuole) cap++;
      const dx = x + 0.5 - head.x;
      const along = dx * cos + dy * sin;
      const across = -dx * sin + dy * cos;
      if (along < minAlong) minAlong = along;
      if (along > maxAlong) maxAlong = along;
      if (across < minAcross) minAcross = across;
      if (across > maxAcross) maxAcross = across;
      const mx = Math.floor(head.x + along * cos + across * sin);
      const my = Math.floor(head.y + along * sin - across * cos);
      if (mx >= 0 && my >= 0 && mx < width && my < height && data[my * width + mx] !== 0) mirrored++;
    }
  }
  // Extents of pixel centres: at either end of an oval the outermost one lies on average a quarter pixel inside.
  const lengthPx = maxAlong - minAlong + 0.5;
  const widthPx = maxAcross - minAcross + 0.5;
  const perimeterPx = perimeter(mask);
  const spots = vacuoles(mask, absorption);
  return {
    areaPx: area,
    perimeterPx,
    lengthPx,
    widthPx,
    ellipticity: lengthPx / widthPx,
    elongation: (lengthPx - widthPx) / (lengthPx + widthPx),
    rugosity: (4 * Math.PI * area) / perimeterPx ** 2,
    regularity: (Math.PI * lengthPx * widthPx) / (4 * area),
    symmetry: mirrored / area,
    acrosomeShare: cap / area,
    vacuoles: spots.count,
    vacuoleShare: spots.map.data.reduce((sum, spot) => sum + spot, 0) / area,
    angleDeg: (head.angle * 180) / Math.PI,
    centreX: head.x,
    centreY: head.y,
  };
}

/**
 * Length of the outer outline: the pixel-edge polygon smoothed over its corners, since the raw one measures a slanted
 * edge as a staircase.
 */
export function perimeter(mask: Mask): number {
  const longest = outlines(mask).sort((a, b) => b.length - a.length)[0];
  if (!longest) return 0;
  const n = longest.length;
  const reach = Math.min(4, Math.floor(n / 8));
  const x = smoothCyclic(longest, 0, reach);
  const y = smoothCyclic(longest, 1, reach);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const next = i + 1 === n ? 0 : i + 1;
    sum += Math.hypot(x[next]! - x[i]!, y[next]! - y[i]!);
  }
  return sum;
}

/** Means of one coordinate over `reach` corners to either side; the running sum is exact, since corners are integers. */
function smoothCyclic(corners: readonly [number, number][], coordinate: 0 | 1, reach: number): Float64Array {
  const n = corners.length;
  const size = 2 * reach + 1;
  const means = new Float64Array(n);
  let sum = 0;
  for (let k = -reach; k <= reach; k++) sum += corners[(k + n) % n]![coordinate];
  for (let i = 0; i < n; i++) {
    means[i] = sum / size;
    sum += corners[(i + 1 + reach) % n]![coordinate] - corners[(i - reach + n) % n]![coordinate];
  }
  return means;
}
