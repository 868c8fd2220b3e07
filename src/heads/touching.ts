/**
 * Cutting touching heads apart: a flood from the summits of the distance transform. Two summits belong to different
 * heads where the pass between them lies much lower than the lower summit.
 */
import { distanceInside, gaussian, type Mask } from "../imaging/index.ts";

/** @param saddle a pass below this share of the lower summit separates @returns label per pixel, 0 outside, and their number */
export function splitTouching(mask: Mask, saddle: number): { labels: Int32Array; count: number } {
  const { width, height, data } = mask;
  const distance = gaussian(distanceInside(mask), 1).data;
  const order = fromTheTop(data, distance);

  const parent: number[] = [];
  const summit: number[] = [];
  const find = (k: number): number => {
    let root = k;
    while (parent[root] !== root) root = parent[root]!;
    parent[k] = root;
    return root;
  };
  const basin = new Int32Array(data.length).fill(-1);
  const met = new Int32Array(8);
  for (let n = 0; n < order.length; n++) {
    const at = order[n]!;
    const x = at % width;
    const y = (at - x) / width;
    let home = -1;
    let steepest = 0;
    let count = 0;
    for (let dy = -1; dy <= 1; dy++) {
      if (y + dy < 0 || y + dy >= height) continue;
      for (let dx = -1; dx <= 1; dx++) {
        if (x + dx < 0 || x + dx >= width) continue;
        const next = at + dy * width + dx;
        if (basin[next]! < 0) continue;
        met[count++] = basin[next]!;
        // Uphill leads to the head that a pixel belongs to.
        const rise = (distance[next]! - distance[at]!) / (dx !== 0 && dy !== 0 ? Math.SQRT2 : 1);
        if (home < 0 || rise > steepest) {
          home = find(basin[next]!);
          steepest = rise;
        }
      }
    }
    for (let k = 0; k < count; k++) {
      const root = find(met[k]!);
      const own = find(home);
      if (root === own) continue;
      const rootIsLow = summit[root]! < summit[own]!;
      const low = rootIsLow ? root : own;
      // A shallow summit is part of its neighbour; a deep pass is a border between two heads.
      if (distance[at]! > saddle * summit[low]!) parent[low] = rootIsLow ? own : root;
    }
    if (home < 0) {
      home = parent.length;
      parent.push(home);
      summit.push(distance[at]!);
    }
    basin[at] = home;
  }
  const names = new Int32Array(parent.length);
  const labels = new Int32Array(data.length);
  let count = 0;
  for (let n = 0; n < order.length; n++) {
    const at = order[n]!;
    const root = find(basin[at]!);
    if (names[root] === 0) names[root] = ++count;
    labels[at] = names[root]!;
  }
  return { labels, count };
}

/** The inside pixels from the deepest outwards, in reading order where equally deep. */
function fromTheTop(data: Uint8Array, distance: Float32Array): ArrayLike<number> {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i]) count++;
  const places = new Int32Array(count);
  for (let i = 0, n = 0; i < data.length; i++) if (data[i]) places[n++] = i;
  if (count > RANKS) return places.sort((a, b) => distance[b]! - distance[a]! || a - b);
  // Depth and rank in one number: those a typed array sorts without asking back. The bits of positive floats sort as
  // the floats do.
  const bits = new Uint32Array(distance.buffer, distance.byteOffset, distance.length);
  const keys = new Float64Array(count);
  for (let n = 0; n < count; n++) keys[n] = (0xffffffff - bits[places[n]!]!) * RANKS + n;
  keys.sort();
  const order = new Int32Array(count);
  for (let n = 0; n < count; n++) order[n] = places[keys[n]! % RANKS]!;
  return order;
}

/** As many ranks as fit below 32 bits of depth in the whole numbers of a double. */
const RANKS = 2 ** 21;
