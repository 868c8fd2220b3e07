/** Crops turned by a quarter. */
import type { PreparedSet } from "../src/learning/index.ts";

/** Every crop turned by 90 degrees, pixel for pixel: what was at (x, y) from the middle is at (−y, x). */
export function turned(set: PreparedSet): PreparedSet {
  const { side } = set;
  const pixels = new Uint8Array(set.pixels.length);
  const sizes = set.sizes.slice();
  for (const index of set.ids.keys()) {
    const [width, height] = [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!];
    sizes.set([height, width], index * 2);
    const at = (x: number, y: number) => ((index * side + y) * side + x) * 3;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = at(x, y);
        pixels.set(set.pixels.subarray(from, from + 3), at(height - 1 - y, x));
      }
    }
  }
  return { ...set, pixels, sizes };
}
