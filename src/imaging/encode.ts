/** Pixels to PNG. */
import type { Image, Mask } from "./image.ts";
import { loadSharp } from "./sharp.ts";

export async function encodePng({ width, height, data }: Image): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** A mask as 8-bit grey, 0 and 255. */
export async function encodeMaskPng({ width, height, data }: Mask): Promise<Uint8Array> {
  const grey = data.map((inside) => (inside ? 255 : 0));
  const sharp = await loadSharp();
  return sharp(grey, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png({ compressionLevel: 9 })
    .toBuffer();
}
