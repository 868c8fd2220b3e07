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
  // A frame of one pixel that is never entered spares every test for the border.
  const stride = width + 2;
  const left = new Uint8Array(stride * (height + 2));
  let count = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0, at = (y + 1) * stride + 1; x < width; x++, i++, at++) {
      if ((data[i] !== 0) === (value === 1)) {
        left[at] = 1;
        count++;
      }
    }
  }
  const found: Region[] = [];
  // Every pixel enters once, so the regions follow each other in one list.
  const list = new Int32Array(count);
  let end = 0;
  for (let start = stride + 1; end < count; start++) {
    if (left[start] === 0) continue;
    const first = end;
    list[end++] = start;
    left[start] = 0;
    let sumX = 0;
    let sumY = 0;
    let touchesBorder = false;
    for (let i = first; i < end; i++) {
      const at = list[i]!;
      const row = (at / stride) | 0;
      const y = row - 1;
      const x = at - row * stride - 1;
      list[i] = y * width + x;
      sumX += x + 0.5;
      sumY += y + 0.5;
      if (x === 0 || y === 0 || x === width - 1 || y === height - 1) touchesBorder = true;
      if (left[at - 1] === 1) {
        left[at - 1] = 0;
        list[end++] = at - 1;
      }
      if (left[at + 1] === 1) {
        left[at + 1] = 0;
        list[end++] = at + 1;
      }
      if (left[at - stride] === 1) {
        left[at - stride] = 0;
        list[end++] = at - stride;
      }
      if (left[at + stride] === 1) {
        left[at + stride] = 0;
        list[end++] = at + stride;
      }
    }
    const area = end - first;
    found.push({ area, x: sumX / area, y: sumY / area, touchesBorder, pixels: list.subarray(first, end) });
  }
  return found;
}

/** A mask of one region. */
export function regionMask({ width, height }: Mask, region: Region): Mask {
  const data = new Uint8Array(width * height);
  const { pixels } = region;
  for (let i = 0; i < pixels.length; i++) data[pixels[i]!] = 1;
  return { width, height, data };
}

/** The region with most pixels as a mask; undefined for an empty mask. */
export function largestRegion(mask: Mask): Mask | undefined {
  let best: Region | undefined;
  for (const region of regions(mask)) if (!best || region.area > best.area) best = region;
  return best && regionMask(mask, best);
}

/** The pixels that fillHoles has reached, kept for its next call: a new list each time costs as much as the flood. */
let flooded = new Int32Array(0);

/** Fills what no path of outside pixels connects with the border. */
export function fillHoles({ width, height, data, ...rest }: Mask): Mask {
  // The outside is flooded from a frame about the picture; a second frame about that one is never entered.
  const stride = width + 4;
  const open = new Uint8Array(stride * (height + 4));
  for (let y = 1; y < height + 3; y++) open.fill(1, y * stride + 1, (y + 1) * stride - 1);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0, at = (y + 2) * stride + 2; x < width; x++, i++, at++) if (data[i] !== 0) open[at] = 0;
  }
  const count = (width + 2) * (height + 2);
  if (flooded.length < count) flooded = new Int32Array(count);
  const list = flooded;
  let end = 1;
  list[0] = stride + 1;
  open[stride + 1] = 0;
  for (let i = 0; i < end; i++) {
    const at = list[i]!;
    if (open[at - 1] === 1) {
      open[at - 1] = 0;
      list[end++] = at - 1;
    }
    if (open[at + 1] === 1) {
      open[at + 1] = 0;
      list[end++] = at + 1;
    }
    if (open[at - stride] === 1) {
      open[at - stride] = 0;
      list[end++] = at - stride;
    }
    if (open[at + stride] === 1) {
      open[at + stride] = 0;
      list[end++] = at + stride;
    }
  }
  const filled = data.slice();
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0, at = (y + 2) * stride + 2; x < width; x++, i++, at++) if (open[at] === 1) filled[i] = 1;
  }
  return { ...rest, width, height, data: filled };
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
