/** Crops of the whole fields that show no head: debris that stands out as heads do, and bare ground. Evaluation only. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { contrast } from "../src/heads/index.ts";
import { decodeImage, gaussian, type Image } from "../src/imaging/index.ts";
import { Random } from "../src/runs/index.ts";

export interface NonHead {
  readonly id: string;
  readonly kind: "debris" | "ground";
  readonly image: Image;
}

/** Nothing that an expert outlined, tails included, may be nearer to the crop's centre than this, in pixels. */
const CLEAR = 40;

/**
 * Of every field the most conspicuous places far from any outlined sperm, and as many at random.
 * @param side of the crops in pixels @param perField of each kind
 */
export async function* nonHeads(fields: string, side: number, perField: number): AsyncGenerator<NonHead> {
  for (const name of (await readdir(join(fields, "images"))).sort()) {
    const stem = name.replace(/\.[^.]+$/, "");
    const image = await decodeImage(await readFile(join(fields, "images", name)), name);
    const { width, height } = image;
    const { data: parts } = await sharp(join(fields, "parts", `${stem}.png`))
      .extractChannel(0)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const near = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (!parts[y * width + x]) continue;
        for (let v = Math.max(0, y - CLEAR); v < Math.min(height, y + CLEAR); v += 4) {
          near.fill(1, v * width + Math.max(0, x - CLEAR), v * width + Math.min(width, x + CLEAR));
        }
      }
    }
    const half = side >> 1;
    const allowed = (x: number, y: number) =>
      x >= half &&
      y >= half &&
      x + half <= width &&
      y + half <= height &&
      !near[(y - (y % 4)) * width + x] &&
      !near[y * width + x];
    const crop = (kind: NonHead["kind"], x: number, y: number): NonHead => {
      const data = new Uint8Array(side * side * 3);
      for (let row = 0; row < side; row++) {
        const from = ((y - half + row) * width + x - half) * 3;
        data.set(image.data.subarray(from, from + side * 3), row * side * 3);
      }
      return { id: `${stem} ${x},${y}`, kind, image: { width: side, height: side, data } };
    };
    const smooth = gaussian(contrast(image).plane, 8).data;
    const places: { x: number; y: number; value: number }[] = [];
    for (let y = half; y + half <= height; y += 4) {
      for (let x = half; x + half <= width; x += 4) {
        if (allowed(x, y)) places.push({ x, y, value: smooth[y * width + x]! });
      }
    }
    places.sort((a, b) => b.value - a.value);
    const chosen: typeof places = [];
    for (const place of places) {
      if (chosen.length === perField) break;
      if (chosen.every(({ x, y }) => Math.hypot(x - place.x, y - place.y) > 60)) chosen.push(place);
    }
    for (const { x, y } of chosen) yield crop("debris", x, y);
    const random = Random.seeded(1).stream("ground", stem);
    for (let k = 0; k < perField && places.length > 0; k++) {
      const { x, y } = random.pick(places);
      yield crop("ground", x, y);
    }
  }
}
