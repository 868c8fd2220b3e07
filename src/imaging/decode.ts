/**
 * Image files to pixels. The format is decided by content, never by the name: one public set has PNG data in .bmp
 * files. Everything becomes 8-bit RGB:
 * - 16 bit: divided by 257; where no sample exceeds 4095 the file holds 12-bit camera data and is divided by 16.06;
 * - transparency: laid on white, which is what an empty field of view looks like;
 * - CMYK and other colour spaces: converted to sRGB; orientation tags are honoured.
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Metadata } from "sharp";
import { AndroscopeError, fileError } from "../runs/index.ts";
import type { Image } from "./image.ts";
import { loadSharp } from "./sharp.ts";

export interface DecodedImage extends Image {
  readonly source: { readonly format: string; readonly bitDepth: number; readonly channels: number };
}

/** Above this, decoding is refused from the header alone: a picture of 100 megapixels takes 300 MB. */
export const MAX_PIXELS = 100_000_000;

/** Decodes the bytes of an image file. @param where names it in errors. Throws `image/*`. */
export async function decodeImage(bytes: Uint8Array, where = "image", maxPixels = MAX_PIXELS): Promise<DecodedImage> {
  const format = sniff(bytes);
  if (format === undefined) {
    throw new AndroscopeError("image/unknown-format", {
      expected: "a BMP, PNG, JPEG, TIFF or WebP image",
      found: bytes.length === 0 ? "an empty file" : "other content",
      where,
      fix: "Remove the file or convert it.",
    });
  }
  return format === "bmp" ? decodeBitmap(bytes, where, maxPixels) : decodeWithSharp(bytes, format, where, maxPixels);
}

export async function readImage(path: string): Promise<DecodedImage> {
  const bytes = await readFile(path).catch((error) => {
    throw fileError(error, path);
  });
  return decodeImage(bytes, path);
}

/** More pixels are a photograph: minutes of work, and no single head in it. */
const MOST_PIXELS_OF_A_CROP = 2 ** 22;

/**
 * Reads a crop of one head. Its file is small, and to read it at once takes a quarter of the processor time of
 * reading it beside other work.
 * @throws `image/*`, `file/*`; `image/not-a-crop` for a photograph
 */
export async function readCrop(path: string): Promise<DecodedImage> {
  const image = await decodeImage(bytesAtOnce(path), path);
  if (image.width * image.height <= MOST_PIXELS_OF_A_CROP) return image;
  throw new AndroscopeError("image/not-a-crop", {
    expected: "a crop of one head",
    found: `${image.width}×${image.height}`,
    where: path,
    fix: "Cut the heads out of it.",
  });
}

function bytesAtOnce(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

/** The format that the first bytes announce. */
export function sniff(bytes: Uint8Array): "bmp" | "png" | "jpeg" | "tiff" | "webp" | undefined {
  const starts = (...signature: number[]) => signature.every((byte, i) => bytes[i] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47)) return "png";
  if (starts(0xff, 0xd8, 0xff)) return "jpeg";
  if (starts(0x42, 0x4d) && bytes.length > 26) return "bmp";
  if (starts(0x49, 0x49, 0x2a, 0) || starts(0x4d, 0x4d, 0, 0x2a)) return "tiff";
  if (starts(0x52, 0x49, 0x46, 0x46) && bytes[8] === 0x57 && bytes[9] === 0x45) return "webp";
  return undefined;
}

function tooLarge(width: number, height: number, where: string, maxPixels: number): AndroscopeError {
  return new AndroscopeError("image/too-large", {
    expected: `at most ${Math.round(maxPixels / 1e6)} megapixels`,
    found: `${width}×${height}`,
    where,
    fix: "Cut the image into parts or scale it down.",
  });
}

function damaged(where: string, cause: unknown): AndroscopeError {
  return new AndroscopeError("image/truncated", {
    expected: "a complete image",
    found: `damaged data (${String((cause as Error)?.message ?? cause).split("\n")[0]})`,
    where,
    fix: "Copy the file again from its source.",
    cause,
  });
}

async function decodeWithSharp(
  bytes: Uint8Array,
  format: string,
  where: string,
  maxPixels: number,
): Promise<DecodedImage> {
  const sharp = await loadSharp();
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw damaged(where, cause);
  }
  const { width, height, channels, depth } = metadata;
  if (width * height > maxPixels) throw tooLarge(width, height, where, maxPixels);
  const deep = depth === "ushort";
  if (!deep && depth !== "uchar") {
    // Signed, 32-bit and floating-point samples have no agreed white: libvips would clip them to black or white.
    throw new AndroscopeError("image/unknown-format", {
      expected: "8 or 16 bits per sample, unsigned",
      found: `samples of type ${depth}`,
      where,
      fix: "Scale it to 8 or 16 bits and save it again.",
    });
  }
  try {
    // failOn "error": libvips would else fill the missing rows with grey and say nothing ("truncated" passes cut TIFFs).
    const pipeline = sharp(bytes, { failOn: "error", limitInputPixels: maxPixels, sequentialRead: true }).rotate();
    const grey = metadata.space === "b-w" || metadata.space === "grey16";
    // In 16 bit sharp's white is 65280, not 65535: onWhite does it instead.
    const flat = metadata.hasAlpha && !deep ? pipeline.flatten({ background: "#ffffff" }) : pipeline;
    const { data, info } = deep
      ? await flat
          .toColourspace(grey ? "grey16" : "rgb16")
          .raw({ depth: "ushort" })
          .toBuffer({ resolveWithObject: true })
      : await flat.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    const samples = deep ? narrow(onWhite(words(data), info.channels, metadata.hasAlpha)) : data;
    const pixels = threeChannels(samples, info.channels, info.width * info.height);
    return {
      width: info.width,
      height: info.height,
      data: pixels,
      source: { format, bitDepth: deep ? 16 : 8, channels: channels ?? info.channels },
    };
  } catch (cause) {
    throw damaged(where, cause);
  }
}

const words = (data: Uint8Array) => new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);

/** Lays 16-bit samples, whose last channel may be alpha, on white, in place. */
function onWhite(samples: Uint16Array, channels: number, hasAlpha: boolean): Uint16Array {
  if (!hasAlpha) return samples;
  for (let i = 0; i < samples.length; i += channels) {
    const share = samples[i + channels - 1]! / 65535;
    for (let c = 0; c < channels - 1; c++) samples[i + c] = Math.round(samples[i + c]! * share + 65535 * (1 - share));
    samples[i + channels - 1] = 65535;
  }
  return samples;
}

/** 16-bit samples to 8 bit; 12-bit data, recognised by its range, keeps its contrast. */
function narrow(samples: Uint16Array): Uint8Array {
  let top = 0;
  for (const value of samples) if (value > top) top = value;
  const range = top <= 4095 ? 4095 : 65535;
  return Uint8Array.from(samples, (value) => Math.round((value * 255) / range));
}

function threeChannels(samples: Uint8Array, channels: number, pixels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(samples.buffer, samples.byteOffset, pixels * 3);
  const out = new Uint8Array(pixels * 3);
  const grey = channels < 3;
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) out[i * 3 + c] = samples[i * channels + (grey ? 0 : c)]!;
  }
  return out;
}

function decodeBitmap(bytes: Uint8Array, where: string, maxPixels: number): DecodedImage {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 54) throw damaged(where, `${bytes.length} bytes, less than a header`);
  if (header.getUint32(14, true) < 40) {
    throw new AndroscopeError("image/unknown-format", {
      expected: "a BMP header of 40 bytes or more",
      found: `${header.getUint32(14, true)} bytes, as before Windows 3`,
      where,
      fix: "Save it as PNG.",
    });
  }
  const width = header.getInt32(18, true);
  const height = Math.abs(header.getInt32(22, true));
  if (width <= 0 || height <= 0) throw damaged(where, `a size of ${width}×${height}`);
  if (width * height > maxPixels) throw tooLarge(width, height, where, maxPixels);
  const bits = header.getUint16(28, true);
  const compression = header.getUint32(30, true);
  const offset = header.getUint32(10, true);
  const stride = Math.floor((bits * width + 31) / 32) * 4;
  if (compression === 0 && offset + stride * height > bytes.length) {
    throw damaged(where, `${bytes.length} of ${offset + stride * height} bytes`);
  }
  if (compression !== 0 || ![8, 24, 32].includes(bits)) {
    throw new AndroscopeError("image/unknown-format", {
      expected: "an uncompressed BMP of 8, 24 or 32 bits per pixel",
      found: `${bits} bits, compression ${compression}`,
      where,
      fix: "Save it as PNG.",
    });
  }
  const data =
    bits === 8
      ? paletteRows(bytes, header, width, height, offset, stride)
      : bitmapRows(bytes, header, width, height, bits, offset, stride);
  return { width, height, data, source: { format: "bmp", bitDepth: 8, channels: bits === 8 ? 1 : bits / 8 } };
}

/** Rows of indices into a table of colours, blue first. */
function paletteRows(
  bytes: Uint8Array,
  header: DataView,
  width: number,
  height: number,
  offset: number,
  stride: number,
): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  const palette = 14 + header.getUint32(14, true);
  const bottomUp = header.getInt32(22, true) > 0;
  for (let y = 0; y < height; y++) {
    const row = offset + stride * (bottomUp ? height - 1 - y : y);
    for (let x = 0; x < width; x++) {
      const colour = palette + 4 * bytes[row + x]!;
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = bytes[colour + 2 - c]!;
    }
  }
  return data;
}

/** Uncompressed rows, blue first and usually bottom up: what cameras write, read without a detour. */
function bitmapRows(
  bytes: Uint8Array,
  header: DataView,
  width: number,
  height: number,
  bits: number,
  offset: number,
  stride: number,
): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  const bottomUp = header.getInt32(22, true) > 0;
  const step = bits / 8;
  for (let y = 0, to = 0; y < height; y++) {
    let from = offset + stride * (bottomUp ? height - 1 - y : y);
    const end = to + 3 * width;
    for (; to < end; from += step, to += 3) {
      data[to] = bytes[from + 2]!;
      data[to + 1] = bytes[from + 1]!;
      data[to + 2] = bytes[from]!;
    }
  }
  return data;
}
