/** Crops around the expert-outlined heads of the whole fields, for measuring masks. Evaluation only. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { decodeImage, type Image, type Mask } from "../src/imaging/index.ts";

export interface FieldCrop {
  readonly id: string;
  /** Position of the field in the sorted list: even ones are the development half. */
  readonly field: number;
  readonly image: Image;
  /** The expert's head: vacuole, acrosome and nucleus. */
  readonly expert: Mask;
  /** Part values 1 to 3 of the expert, 0 outside. */
  readonly parts: Mask;
}

export const CROP_SIDE = 160;

/** Crops of 160 × 160 centred on every head whose crop lies inside its field. */
export async function* fieldCrops(fields: string): AsyncGenerator<FieldCrop> {
  const images = (await readdir(join(fields, "images"))).sort();
  const instances = (await readdir(join(fields, "instances"))).sort();
  for (const [field, name] of images.entries()) {
    const stem = name.replace(/\.[^.]+$/, "");
    const image = await decodeImage(await readFile(join(fields, "images", name)), name);
    for (const instance of instances.filter((file) => file.startsWith(`${stem}-`))) {
      const { data, info } = await sharp(join(fields, "instances", instance))
        .extractChannel(0)
        .raw()
        .toBuffer({ resolveWithObject: true });
      let [area, sumX, sumY] = [0, 0, 0];
      for (let i = 0; i < data.length; i++) {
        if (data[i]! < 1 || data[i]! > 3) continue;
        area++;
        sumX += i % info.width;
        sumY += Math.floor(i / info.width);
      }
      if (area === 0) continue;
      const left = Math.round(sumX / area) - CROP_SIDE / 2;
      const top = Math.round(sumY / area) - CROP_SIDE / 2;
      if (left < 0 || top < 0 || left + CROP_SIDE > image.width || top + CROP_SIDE > image.height) continue;
      const pixels = new Uint8Array(CROP_SIDE * CROP_SIDE * 3);
      const parts = new Uint8Array(CROP_SIDE * CROP_SIDE);
      for (let y = 0; y < CROP_SIDE; y++) {
        const from = (top + y) * image.width + left;
        pixels.set(image.data.subarray(from * 3, (from + CROP_SIDE) * 3), y * CROP_SIDE * 3);
        for (let x = 0; x < CROP_SIDE; x++) {
          const part = data[from + x]!;
          parts[y * CROP_SIDE + x] = part <= 3 ? part : 0;
        }
      }
      const size = { width: CROP_SIDE, height: CROP_SIDE };
      yield {
        id: instance.replace(/\.png$/, ""),
        field,
        image: { ...size, data: pixels },
        parts: { ...size, data: parts },
        expert: { ...size, data: parts.map((part) => (part ? 1 : 0)) },
      };
    }
  }
}

/** 2·|A∩B| / (|A| + |B|). */
export function dice(a: Mask, b: Mask): number {
  let [both, all] = [0, 0];
  for (let i = 0; i < a.data.length; i++) {
    both += a.data[i]! & b.data[i]!;
    all += a.data[i]! + b.data[i]!;
  }
  return all === 0 ? 1 : (2 * both) / all;
}

export interface DiceSummary {
  heads: number;
  median: number;
  below07: number;
  quantile05: number;
}

export function summarize(values: readonly number[]): DiceSummary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return {
    heads: values.length,
    median: at(0.5),
    below07: values.filter((v) => v < 0.7).length / values.length,
    quantile05: at(0.05),
  };
}
