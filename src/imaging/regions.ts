/** Connected regions of a mask. */
import type { Mask } from "./image.ts";

export interface Region {
  /** Pixels. */
  readonly area: number;
  /** Centre of mass in pixel coordinates, the first pixel's centre at (0.5, 0.5). */
  readonly x: number;
  readonly y: number;
  readonly touchesBorder: boolean;
  /** Pixel positions y·width + x. */
  readonly pixels: Int32Array;
}

/** The 4-connected regions of pixels with the given value, in reading order of their first pixel. */
export function regions({ width, height, data }: Mask, value: 0 | 1 = 1): Region[] {
  const count = width * height;
  const seen = new Uint8Array(count);
  for (let i = 0; i < count; i++) if ((data[i] !== 0) !== (value === 1)) seen[i] = 1;
  const found: Region[] = [];
  // Every pixel enters once, so the regions follow each other in one list.
  const list = new Int32Array(count);
  let end = 0;
  for (let start = 0; start < count; start++) {
    if (seen[start]) continue;
    const first = end;
    list[end++] = start;
    seen[start] = 1;
    let [sumX, sumY, touchesBorder] = [0, 0, false];
    for (let i = first; i < end; i++) {
      const at = list[i]!;
      const x = at % width;
      const y = (at - x) / width;
      sumX += x + 0.5;
      sumY += y + 0.5;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) touchesBorder = true;
      if (x > 0 && !seen[at - 1]) seen[(list[end++] = at - 1)] = 1;
      if (x < width - 1 && !seen[at + 1]) seen[(list[end++] = at + 1)] = 1;
      if (y > 0 && !seen[at - width]) seen[(list[end++] = at - width)] = 1;
      if (y < height - 1 && !seen[at + width]) seen[(list[end++] = at + width)] = 1;
    }
    const area = end - first;
    found.push({ area, x: sumX / area, y: sumY / area, touchesBorder, pixels: list.subarray(first, end) });
  }
  return found;
}

/** A mask of one region. */
export function regionMask({ width, height }: Mask, region: Region): Mask {
  const data = new Uint8Array(width * height);
  for (const at of region.pixels) data[at] = 1;
  return { width, height, data };
}

/** The region with most pixels as a mask; undefined for an empty mask. */
export function largestRegion(mask: Mask): Mask | undefined {
  let best: Region | undefined;
  for (const region of regions(mask)) if (!best || region.area > best.area) best = region;
  return best && regionMask(mask, best);
}

/** Fills what no path of outside pixels connects with the border. */
export function fillHoles(mask: Mask): Mask {
  const data = mask.data.slice();
  for (const region of regions(mask, 0)) {
    if (!region.touchesBorder) for (const at of region.pixels) data[at] = 1;
  }
  return { ...mask, data };
}

/** The outlines of a mask as closed polygons along pixel edges, in pixels; the outer ones run clockwise on the screen. */
export function outlines({ width, height, data }: Mask): [number, number][][] {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] !== 0;
  // Directed edges with the inside on the right hand: start corner → end corners.
  const edges = new Map<number, number[]>();
  const corner = (x: number, y: number) => y * (width + 1) + x;
  const edge = (from: number, to: number) => edges.set(from, [...(edges.get(from) ?? []), to]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x, y - 1)) edge(corner(x, y), corner(x + 1, y));
      if (!inside(x + 1, y)) edge(corner(x + 1, y), corner(x + 1, y + 1));
      if (!inside(x, y + 1)) edge(corner(x + 1, y + 1), corner(x, y + 1));
      if (!inside(x - 1, y)) edge(corner(x, y + 1), corner(x, y));
    }
  }
  const polygons: [number, number][][] = [];
  for (const start of edges.keys()) {
    while (edges.get(start)?.length) {
      const polygon: [number, number][] = [];
      let at = start;
      do {
        polygon.push([at % (width + 1), Math.floor(at / (width + 1))]);
        at = edges.get(at)!.shift()!;
      } while (at !== start);
      polygons.push(polygon);
    }
  }
  return polygons;
}
