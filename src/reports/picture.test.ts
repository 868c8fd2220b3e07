import sharp from "sharp";
import { expect, test } from "vitest";
import { pictureOf, softOutlines } from "./picture.ts";

const gradient = (width: number, height: number) => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i / 3) % width) * (255 / width)),
});

test("a crop keeps its size and its colours to a few levels", async () => {
  const image = gradient(60, 40);
  const address = await pictureOf(image);
  expect(address).toMatch(/^data:image\/webp;base64,[A-Za-z0-9+/=]+$/);
  const { data, info } = await sharp(Buffer.from(address.split(",")[1]!, "base64"))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([60, 40]);
  const error = data.reduce((sum, v, i) => sum + Math.abs(v - image.data[i]!), 0) / data.length;
  expect(error).toBeLessThan(4);
});

test("a large crop is reduced, its proportions kept", async () => {
  const address = await pictureOf(gradient(600, 300));
  const { width, height } = await sharp(Buffer.from(address.split(",")[1]!, "base64")).metadata();
  expect([width, height]).toEqual([192, 96]);
});

test("outlines run through the middles of pixel sides, without points on a straight line", () => {
  const mask = { width: 6, height: 5, data: new Uint8Array(30) };
  for (const at of [7, 8, 9, 13, 14, 15]) mask.data[at] = 1;
  const [outline, ...more] = softOutlines(mask);
  expect(more).toEqual([]);
  // A block of 3 × 2 from (1, 1): its corners cut by half a pixel.
  const expected = [
    [1.5, 1],
    [3.5, 1],
    [4, 1.5],
    [4, 2.5],
    [3.5, 3],
    [1.5, 3],
    [1, 2.5],
    [1, 1.5],
  ];
  expect(outline).toHaveLength(expected.length);
  expect(new Set(outline!.map(String))).toEqual(new Set(expected.map(String)));
});
