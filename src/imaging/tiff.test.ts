import sharp from "sharp";
import { expect, test } from "vitest";
import { encodeGreyTiff } from "./tiff.ts";

test.each([
  [35, 35],
  [3, 5],
  [1, 1],
])("%d × %d grey pixels are read back by libvips, as one channel of 8 bits", async (width, height) => {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 256);
  const bytes = encodeGreyTiff({ width, height, data }, "drawn");
  const { format, channels, depth } = await sharp(bytes).metadata();
  expect({ format, channels, depth }).toEqual({ format: "tiff", channels: 1, depth: "uchar" });
  const { data: read, info } = await sharp(bytes).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width, height, channels: 1 });
  expect([...read]).toEqual([...data]);
});
