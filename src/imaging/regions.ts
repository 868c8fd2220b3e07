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
  // Directed edges with the inside on the right hand. Corners are numbered row by row; two edges at most leave one,
  // where two pixels touch at it. An entry is the corner that an edge leads to and 0 where there is no edge; an edge to
  // corner 0 has the number of corners instead.
  const stride = width + 1;
  const corners = stride * (height + 1);
  const edges = new Int32Array(corners);
  const others = new Int32Array(corners);
  const starts: number[] = [];
  const edge = (from: number, to: number) => {
    if (edges[from] === 0) {
      edges[from] = to || corners;
      starts.push(from);
    } else others[from] = to || corners;
  };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (data[i] === 0) continue;
      const corner = y * stride + x;
      if (y === 0 || data[i - width] === 0) edge(corner, corner + 1);
      if (x === width - 1 || data[i + 1] === 0) edge(corner + 1, corner + 1 + stride);
      if (y === height - 1 || data[i + width] === 0) edge(corner + 1 + stride, corner + stride);
      if (x === 0 || data[i - 1] === 0) edge(corner + stride, corner);
    }
  }
  const polygons: [number, number][][] = [];
  for (const start of starts) {
    while (edges[start] !== 0) {
      const polygon: [number, number][] = [];
      let at = start;
      do {
        const row = Math.floor(at / stride);
        polygon.push([at - row * stride, row]);
        const next = edges[at]!;
        edges[at] = others[at]!;
        others[at] = 0;
        at = next === corners ? 0 : next;
      } while (at !== start);
      polygons.push(polygon);
    }
  }
  return polygons;
}
