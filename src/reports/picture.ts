/** Crops small enough to carry three dozen of them in one file. */
import sharp from "sharp";
import { type Image, type Mask, outlines } from "../imaging/index.ts";

/** Longer sides are reduced to this: more than a page shows. */
const LONGEST = 192;

/** A crop as a data: address. WebP is a tenth of PNG here, and no difference is seen. */
export async function pictureOf({ width, height, data }: Image): Promise<string> {
  const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ width: LONGEST, height: LONGEST, fit: "inside", withoutEnlargement: true })
    .webp({ quality: 88 })
    .toBuffer();
  return `data:image/webp;base64,${bytes.toString("base64")}`;
}

/**
 * The outlines of a mask through the middles of its pixels' sides: within half a pixel of the stairs, and smoother to
 * look at.
 */
export function softOutlines(mask: Mask): [number, number][][] {
  return outlines(mask).map((corners) => {
    const middles = corners.map(([x, y], i): [number, number] => {
      const [u, v] = corners[(i + 1) % corners.length]!;
      return [(x + u) / 2, (y + v) / 2];
    });
    // Points on a straight line add nothing.
    return middles.filter(([x, y], i) => {
      const [px, py] = middles.at(i - 1)!;
      const [nx, ny] = middles[(i + 1) % middles.length]!;
      return (x - px) * (ny - y) !== (y - py) * (nx - x);
    });
  });
}
