/** Outlines as polygons: area, direction, bounding box. */
import type { Outline } from "../head.ts";

/** Shoelace formula, in square pixels: positive where x turns towards y, clockwise on the screen. */
export function signedArea(outline: Outline): number {
  let twice = 0;
  for (const [i, [x, y]] of outline.entries()) {
    const [u, v] = outline[(i + 1) % outline.length]!;
    twice += x * v - u * y;
  }
  return twice / 2;
}

/** Without the points that lie on the straight line between their neighbours, or are a neighbour again. */
export function simplified(outline: Outline): [number, number][] {
  const distinct = outline.filter(([x, y], i) => {
    const [u, v] = outline.at(i - 1)!;
    return outline.length === 1 || x !== u || y !== v;
  });
  return distinct
    .filter(([x, y], i) => {
      const [px, py] = distinct.at(i - 1)!;
      const [nx, ny] = distinct[(i + 1) % distinct.length]!;
      return (x - px) * (ny - y) !== (y - py) * (nx - x);
    })
    .map(([x, y]) => [x, y]);
}

/** x, y, width, height. */
export function boundingBox(outline: Outline): [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of outline) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return outline.length === 0 ? [0, 0, 0, 0] : [left, top, right - left, bottom - top];
}
