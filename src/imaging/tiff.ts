/**
 * Grey planes to TIFF, baseline and uncompressed (TIFF 6.0, 1992, sections 2 and 4): written here, not by a library, so
 * that the same pixels are the same bytes everywhere.
 */
import type { Mask } from "./image.ts";

const [SHORT, LONG, ASCII] = [3, 4, 2];
const HEADER = 8;

/** @param grey 0 black to 255 white @param description ASCII, at least four characters; any viewer shows it */
export function encodeGreyTiff({ width, height, data }: Mask, description: string): Uint8Array {
  const text = Buffer.from(`${description}\0`, "latin1");
  const textAt = HEADER;
  const pixelsAt = textAt + text.length + (text.length % 2);
  const tagsAt = pixelsAt + data.length + (data.length % 2);
  const tags: [tag: number, type: number, count: number, value: number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 1, 8], // bits per sample
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 1], // 0 is black
    [270, ASCII, text.length, textAt],
    [273, LONG, 1, pixelsAt], // one strip
    [277, SHORT, 1, 1], // samples per pixel
    [278, LONG, 1, height], // rows in the strip
    [279, LONG, 1, data.length],
  ];
  const file = Buffer.alloc(tagsAt + 2 + 12 * tags.length + 4);
  file.write("II*\0", 0, "latin1");
  file.writeUInt32LE(tagsAt, 4);
  file.set(text, textAt);
  file.set(data, pixelsAt);
  file.writeUInt16LE(tags.length, tagsAt);
  for (const [i, [tag, type, count, value]] of tags.entries()) {
    const at = tagsAt + 2 + 12 * i;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    // A SHORT stands in the first two bytes of its field, which in this byte order is the same.
    file.writeUInt32LE(value, at + 8);
  }
  return file;
}
