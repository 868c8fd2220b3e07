/** Material for the tests of this folder: shapes and pictures whose truth is known in closed form. */
import type { Image, Mask, Plane } from "../imaging/index.ts";
import type { Random } from "../runs/index.ts";

export interface Ellipse {
  /** Centre in pixels, the first pixel's centre at (0.5, 0.5). */
  x: number;
  y: number;
  /** Half axes in pixels. */
  a: number;
  b: number;
  /** Direction of the first axis, from x towards y (down). */
  angle: number;
}

/** Position along and across an axis, of every pixel's centre. */
function* places(width: number, height: number, { x, y, angle }: Pick<Ellipse, "x" | "y" | "angle">) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < width * height; i++) {
    const [dx, dy] = [(i % width) + 0.5 - x, Math.floor(i / width) + 0.5 - y];
    yield { i, along: dx * cos + dy * sin, across: dy * cos - dx * sin };
  }
}

/** A mask of the pixels whose centre satisfies a condition along and across an axis. */
export function shape(
  width: number,
  height: number,
  place: Pick<Ellipse, "x" | "y" | "angle">,
  inside: (along: number, across: number) => boolean,
): Mask {
  const data = new Uint8Array(width * height);
  for (const { i, along, across } of places(width, height, place)) data[i] = inside(along, across) ? 1 : 0;
  return { width, height, data };
}

export function ellipse(width: number, height: number, of: Ellipse): Mask {
  return shape(width, height, of, (along, across) => (along / of.a) ** 2 + (across / of.b) ** 2 <= 1);
}

/** Absorption as a function of the place along an axis. */
export function stainAlong(
  width: number,
  height: number,
  place: Pick<Ellipse, "x" | "y" | "angle">,
  stain: (along: number, across: number) => number,
): Plane {
  const data = new Float32Array(width * height);
  for (const { i, along, across } of places(width, height, place)) data[i] = stain(along, across);
  return { width, height, data };
}

/** Circumference of an ellipse (Ramanujan 1914); exact to 1e-7 for heads. */
export function circumference(a: number, b: number): number {
  const h = ((a - b) / (a + b)) ** 2;
  return Math.PI * (a + b) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)));
}

/** A picture of one colour with noise. */
export function flat(width: number, height: number, colour: readonly number[], noise = 0, random?: Random): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.max(0, Math.min(255, Math.round(colour[i % 3]! + (random ? noise * random.normal() : 0))));
  }
  return { width, height, data };
}

/** Lowers the channels inside a mask. */
export function stained(image: Image, mask: Mask, drop: readonly number[]): Image {
  const data = image.data.map((v, i) => (mask.data[Math.floor(i / 3)] ? Math.max(0, v - drop[i % 3]!) : v));
  return { ...image, data };
}

/** A quarter turn clockwise on the screen, of one or more channels. */
export function turned<T extends Image | Mask>(picture: T): T {
  const { width, height, data } = picture;
  const channels = data.length / (width * height);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        out[(x * height + (height - 1 - y)) * channels + c] = data[(y * width + x) * channels + c]!;
      }
    }
  }
  return { ...picture, width: height, height: width, data: out };
}
