/** The experts' heads in the whole fields, for measuring detection. Evaluation only. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { decodeImage, type Image } from "../src/imaging/index.ts";

export interface TrueHead {
  readonly id: string;
  /** Pixel positions y·width + x of vacuole, acrosome and nucleus. */
  readonly pixels: Int32Array;
  /** Nucleus and acrosome with vacuoles, pixels of each. */
  readonly acrosome: number;
  /** The picture's border cuts it: left out of the count, found or not. */
  readonly cut: boolean;
  /** Another head lies within two pixels. */
  readonly touching: boolean;
}

export interface TrueField {
  readonly name: string;
  /** Position in the sorted list: even ones are the development half. */
  readonly index: number;
  readonly path: string;
  readonly image: Image;
  readonly heads: readonly TrueHead[];
}

const REACH = 2;

/** @param only which fields, by their position in the sorted list */
export async function* trueFields(
  folder: string,
  only: (index: number) => boolean = () => true,
): AsyncGenerator<TrueField> {
  const images = (await readdir(join(folder, "images"))).sort();
  const instances = (await readdir(join(folder, "instances"))).sort();
  for (const [index, name] of images.entries()) {
    if (!only(index)) continue;
    const stem = name.replace(/\.[^.]+$/, "");
    const path = join(folder, "images", name);
    const image = await decodeImage(await readFile(path), name);
    const { width, height } = image;
    const owner = new Int16Array(width * height);
    const found: { id: string; pixels: Int32Array; acrosome: number; cut: boolean }[] = [];
    for (const instance of instances.filter((file) => file.startsWith(`${stem}-`))) {
      const data = await sharp(join(folder, "instances", instance))
        .extractChannel(0)
        .raw()
        .toBuffer();
      const pixels: number[] = [];
      let acrosome = 0;
      let cut = false;
      for (let i = 0; i < data.length; i++) {
        if (data[i]! < 1 || data[i]! > 3) continue;
        pixels.push(i);
        if (data[i] !== 3) acrosome++;
        const x = i % width;
        if (x === 0 || x === width - 1 || i < width || i >= width * (height - 1)) cut = true;
      }
      if (pixels.length === 0) continue;
      found.push({ id: instance.replace(/\.png$/, ""), pixels: Int32Array.from(pixels), acrosome, cut });
      for (const i of pixels) owner[i] = found.length;
    }
    const heads = found.map((head, k) => ({ ...head, touching: touches(owner, width, height, head.pixels, k + 1) }));
    yield { name, index, path, image, heads };
  }
}

function touches(owner: Int16Array, width: number, height: number, pixels: Int32Array, own: number): boolean {
  return pixels.some((i) => {
    const x = i % width;
    const y = (i - x) / width;
    for (let v = Math.max(0, y - REACH); v <= Math.min(height - 1, y + REACH); v++)
      for (let u = Math.max(0, x - REACH); u <= Math.min(width - 1, x + REACH); u++) {
        const other = owner[v * width + u]!;
        if (other !== 0 && other !== own) return true;
      }
    return false;
  });
}

/** Which found head is which true one: the overlaps of at least one half, of which each head has one at most. */
export interface Matched {
  /** Index of the true head, and its Dice; undefined for found heads that match none. */
  readonly of: readonly ({ readonly head: number; readonly dice: number } | undefined)[];
}

/** @param found pixel positions of each found head */
export function match(found: readonly ArrayLike<number>[], { heads, image }: TrueField): Matched {
  const owner = new Int16Array(image.width * image.height);
  for (const [k, { pixels }] of heads.entries()) for (const i of pixels) owner[i] = k + 1;
  const of = found.map((pixels) => {
    const shared = new Map<number, number>();
    for (let p = 0; p < pixels.length; p++) {
      const head = owner[pixels[p]!]!;
      if (head > 0) shared.set(head - 1, (shared.get(head - 1) ?? 0) + 1);
    }
    for (const [head, both] of shared) {
      const sum = heads[head]!.pixels.length + pixels.length;
      if (both / (sum - both) >= 0.5) return { head, dice: (2 * both) / sum };
    }
    return undefined;
  });
  return { of };
}
