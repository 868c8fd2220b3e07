/** The helper process of pictures. Started by pictures.ts, never by hand. Keeps the picture it decoded last. */
import { writeFile } from "node:fs/promises";
import { type DecodedImage, decodeImage, readImage } from "../../imaging/index.ts";
import { AndroscopeError, readBytes } from "../../runs/index.ts";
import { serveOrders } from "../child.ts";
import type { Tile } from "../store/heads.ts";
import { type Inspected, type PictureOrder, THUMBNAIL_SIZE } from "./orders.ts";
import { measureOutline } from "./outline.ts";

serveOrders(async (order: PictureOrder) => {
  switch (order.do) {
    case "inspect":
      return inspect(order.path, order.maxPixels);
    case "picture":
      return writePicture(order);
    case "thumbnails":
      return writeThumbnails(order.path, order.tiles);
    case "measure":
      return measureOutline(await decoded(order.path), order.outline);
  }
});

let last: { path: string; image: DecodedImage } | undefined;

/** Originals never change, so a path says which picture it is. */
async function decoded(path: string): Promise<DecodedImage> {
  if (last?.path !== path) {
    last = undefined;
    last = { path, image: await readImage(path) };
  }
  return last.image;
}

async function inspect(path: string, maxPixels: number): Promise<Inspected> {
  // Its name is the server's: errors must not tell it.
  const { source, width, height } = await decodeImage(await readBytes(path), "the file", maxPixels);
  return { format: source.format as Inspected["format"], width, height };
}

async function pipelineOf({ width, height, data }: DecodedImage) {
  const { default: sharp } = await import("sharp");
  return sharp(data, { raw: { width, height, channels: 3 } });
}

async function writePicture({ path, width, as, to }: PictureOrder & { do: "picture" }): Promise<void> {
  const whole = await pipelineOf(await decoded(path));
  const sized = width === null ? whole : whole.resize({ width, withoutEnlargement: true });
  await writeFile(
    to,
    await (as === "png" ? sized.png({ compressionLevel: 6 }) : sized.jpeg({ quality: 90 })).toBuffer(),
  );
}

async function writeThumbnails(path: string, tiles: (PictureOrder & { do: "thumbnails" })["tiles"]): Promise<void> {
  const image = await decoded(path);
  for (const { tile, to } of tiles) {
    const square = cutSquare(image, tile);
    const pipeline = await pipelineOf({ ...square, source: image.source });
    const picture = pipeline.resize(THUMBNAIL_SIZE, THUMBNAIL_SIZE, { fit: "fill" }).webp({ quality: 85 });
    await writeFile(to, await picture.toBuffer());
  }
}

/** What lies outside the picture repeats its nearest pixel. */
function cutSquare(image: DecodedImage, { x, y, side }: Tile): { width: number; height: number; data: Uint8Array } {
  if (!(side > 0 && side <= 20_000)) {
    throw new AndroscopeError("image/too-large", {
      expected: "a square of a head",
      found: `${side} pixels`,
      fix: "Report this with the image's size.",
    });
  }
  const data = new Uint8Array(side * side * 3);
  for (let row = 0, to = 0; row < side; row++) {
    const from = Math.min(image.height - 1, Math.max(0, y + row)) * image.width;
    for (let column = 0; column < side; column++, to += 3) {
      const at = (from + Math.min(image.width - 1, Math.max(0, x + column))) * 3;
      data[to] = image.data[at]!;
      data[to + 1] = image.data[at + 1]!;
      data[to + 2] = image.data[at + 2]!;
    }
  }
  return { width: side, height: side, data };
}
