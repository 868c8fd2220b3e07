/** From the working picture's maps to a head's mask on the photograph itself. */
import type { Mask } from "../../imaging/index.ts";

/** Bytes at working scale. */
export interface ByteMap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Which pixels of a square window of the photograph a region of the working picture covers. */
export interface FineWindow {
  /** Of the window's first pixel in the photograph. */
  readonly left: number;
  readonly top: number;
  readonly side: number;
  /** Working pixels per pixel of the photograph. */
  readonly scale: number;
}

/**
 * Where a map, read between its pixels, is at least one half, as far as the region goes: a neighbour that touches it has
 * pixels of its own.
 * @param pixels the region's, in the map
 */
export function fineMask(map: ByteMap, pixels: Int32Array, { left, top, side, scale }: FineWindow): Mask {
  // A region reaches a pixel beyond its own, where probabilities fall below one half, unless that is another's.
  const near = new Set<number>();
  for (const i of pixels) {
    for (const step of [-map.width, 0, map.width]) for (const along of [-1, 0, 1]) near.add(i + step + along);
  }
  const own = new Set<number>(pixels);
  const data = new Uint8Array(side * side);
  for (let v = 0; v < side; v++) {
    const y = (top + v + 0.5) * scale - 0.5;
    const y0 = Math.max(0, Math.min(map.height - 2, Math.floor(y)));
    const b = Math.max(0, Math.min(1, y - y0));
    for (let u = 0; u < side; u++) {
      const x = (left + u + 0.5) * scale - 0.5;
      const nearest = Math.round(y) * map.width + Math.round(x);
      if (!near.has(nearest)) continue;
      const x0 = Math.max(0, Math.min(map.width - 2, Math.floor(x)));
      const a = Math.max(0, Math.min(1, x - x0));
      const at = y0 * map.width + x0;
      const upper = map.data[at]! * (1 - a) + map.data[at + 1]! * a;
      const lower = map.data[at + map.width]! * (1 - a) + map.data[at + map.width + 1]! * a;
      if (upper * (1 - b) + lower * b < 127.5) continue;
      // Above one half, but not this region's: its neighbour's.
      if (!own.has(nearest) && map.data[nearest]! >= 128) continue;
      data[v * side + u] = 1;
    }
  }
  return { width: side, height: side, data };
}
