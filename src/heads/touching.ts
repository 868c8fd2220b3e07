/**
 * Cutting touching heads apart: a flood from the summits of the distance transform. Two summits belong to different
 * heads where the pass between them lies much lower than the lower summit.
 */
import { distanceInside, gaussian, type Mask } from "../imaging/index.ts";

/** @param saddle a pass below this share of the lower summit separates @returns label per pixel, 0 outside, and their number */
export function splitTouching(mask: Mask, saddle: number): { labels: Int32Array; count: number } {
  const { width, height, data } = mask;
  const distance = gaussian(distanceInside(mask), 1).data;
  const order: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i]) order.push(i);
  order.sort((a, b) => distance[b]! - distance[a]! || a - b);

  const parent: number[] = [];
  const summit: number[] = [];
  const find = (k: number): number => {
    let root = k;
    while (parent[root] !== root) root = parent[root]!;
    return (parent[k] = root);
  };
  const basin = new Int32Array(data.length).fill(-1);
  for (const at of order) {
    const x = at % width;
    const y = (at - x) / width;
    let home = -1;
    let steepest = 0;
    const met: number[] = [];
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        const next = at + dy * width + dx;
        if (basin[next]! < 0) continue;
        met.push(basin[next]!);
        // Uphill leads to the head that a pixel belongs to.
        const rise = (distance[next]! - distance[at]!) / Math.hypot(dx, dy);
        if (home < 0 || rise > steepest) [home, steepest] = [find(basin[next]!), rise];
      }
    }
    for (const neighbour of met) {
      const [root, own] = [find(neighbour), find(home)];
      if (root === own) continue;
      const [low, high] = summit[root]! < summit[own]! ? [root, own] : [own, root];
      // A shallow summit is part of its neighbour; a deep pass is a border between two heads.
      if (distance[at]! > saddle * summit[low]!) parent[low] = high;
    }
    if (home < 0) {
      home = parent.length;
      parent.push(home);
      summit.push(distance[at]!);
    }
    basin[at] = home;
  }
  const names = new Map<number, number>();
  const labels = new Int32Array(data.length);
  for (const at of order) {
    const root = find(basin[at]!);
    if (!names.has(root)) names.set(root, names.size + 1);
    labels[at] = names.get(root)!;
  }
  return { labels, count: names.size };
}
