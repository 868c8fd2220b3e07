/**
 * Morphometry of one head, as used in andrology (names after the OpenCASA and CASA literature). Lengths in pixels, and
 * in micrometres only where the calibration is known.
 */
import { type Mask, outlines, type Plane } from "../imaging/index.ts";
import { PARTS, pose } from "./anatomy.ts";

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
  angleDeg: number;
  centreX: number;
  centreY: number;
}

/** Measures a head; undefined for an empty mask. @param parts from `parts` */
export function morphometry(mask: Mask, parts: Mask, absorption: Plane): Morphometry | undefined {
  const head = pose(mask, absorption);
  if (!head) return undefined;
  let [area, cap] = [0, 0];
  let [minAlong, maxAlong, minAcross, maxAcross] = [Infinity, -Infinity, Infinity, -Infinity];
  const [cos, sin] = [Math.cos(head.angle), Math.sin(head.angle)];
  let mirrored = 0;
  for (let i = 0; i < mask.data.length; i++) {
    if (!mask.data[i]) continue;
    area++;
    if (parts.data[i] === PARTS.acrosome || parts.data[i] === PARTS.vacuole) cap++;
    const dx = (i % mask.width) + 0.5 - head.x;
    const dy = Math.floor(i / mask.width) + 0.5 - head.y;
    const along = dx * cos + dy * sin;
    const across = -dx * sin + dy * cos;
    minAlong = Math.min(minAlong, along);
    maxAlong = Math.max(maxAlong, along);
    minAcross = Math.min(minAcross, across);
    maxAcross = Math.max(maxAcross, across);
    const mx = Math.floor(head.x + along * cos + across * sin);
    const my = Math.floor(head.y + along * sin - across * cos);
    if (mx >= 0 && my >= 0 && mx < mask.width && my < mask.height && mask.data[my * mask.width + mx]) mirrored++;
  }
  // Extents of pixel centres: at either end of an oval the outermost one lies on average a quarter pixel inside.
  const lengthPx = maxAlong - minAlong + 0.5;
  const widthPx = maxAcross - minAcross + 0.5;
  const perimeterPx = perimeter(mask);
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
  const smooth = longest.map((_, i) => {
    let [x, y] = [0, 0];
    for (let k = -reach; k <= reach; k++) {
      x += longest[(i + k + n) % n]![0];
      y += longest[(i + k + n) % n]![1];
    }
    return [x / (2 * reach + 1), y / (2 * reach + 1)] as const;
  });
  return smooth.reduce(
    (sum, [x, y], i) => sum + Math.hypot(smooth[(i + 1) % n]![0] - x, smooth[(i + 1) % n]![1] - y),
    0,
  );
}
