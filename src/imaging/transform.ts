/** Whole pictures turned, resized and blurred, by sharp. */
import type { Image } from "./image.ts";
import { loadSharp } from "./sharp.ts";

const pipeline = async ({ width, height, data }: Image) =>
  (await loadSharp())(data, { raw: { width, height, channels: 3 } });

type Pipeline = Awaited<ReturnType<typeof pipeline>>;

async function pixelsOf(pictures: Pipeline): Promise<Image> {
  const { data, info } = await pictures.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}

/** Clockwise about the centre, on a canvas of the same size. @param background of what comes in from outside, 0 to 255 */
export async function turned(
  image: Image,
  degrees: number,
  background: readonly [number, number, number],
): Promise<Image> {
  const [r, g, b] = background;
  const whole = await pixelsOf((await pipeline(image)).rotate(degrees, { background: { r, g, b } }));
  // A little turn makes a picture longer one way and, of a long one, shorter the other.
  const [width, height] = [Math.max(whole.width, image.width), Math.max(whole.height, image.height)];
  const left = Math.floor((width - whole.width) / 2);
  const top = Math.floor((height - whole.height) / 2);
  const canvas = await pixelsOf(
    (await pipeline(whole)).extend({
      ...{ left, right: width - whole.width - left, top, bottom: height - whole.height - top },
      background: { r, g, b },
    }),
  );
  return pixelsOf(
    (await pipeline(canvas)).extract({
      left: Math.round((width - image.width) / 2),
      top: Math.round((height - image.height) / 2),
      width: image.width,
      height: image.height,
    }),
  );
}

/** To exactly this size, averaged where it becomes smaller (Lanczos). */
export async function resized(image: Image, width: number, height: number): Promise<Image> {
  return pixelsOf((await pipeline(image)).resize(width, height, { fit: "fill" }));
}

/** Gaussian of so many pixels. */
export async function blurred(image: Image, sigma: number): Promise<Image> {
  // By default sharp cuts the Gaussian where it is a fifth of its height, which makes it a narrower one.
  return pixelsOf((await pipeline(image)).blur({ sigma, minAmplitude: 0.005 }));
}
