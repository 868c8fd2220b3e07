/** How an image lies on the screen: a point p of it is at scale · p + (x, y). */
import type { Point } from "./outline.ts";

export interface View {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

/** Screen pixels per pixel of the image, at most. */
const LARGEST = 32;

/** The whole image, in the middle; never larger than `most`. */
export function fitted(image: Size, frame: Size, most = 8): View {
  const scale = Math.min(most, frame.width / image.width, frame.height / image.height) || 1;
  return { scale, x: (frame.width - scale * image.width) / 2, y: (frame.height - scale * image.height) / 2 };
}

/** Nearer or farther, a point of the screen staying where it is. */
export function zoom(view: View, factor: number, at: Point, image: Size, frame: Size): View {
  const least = Math.min(1, fitted(image, frame).scale) / 2;
  const scale = Math.min(LARGEST, Math.max(least, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: at[0] - by * (at[0] - view.x), y: at[1] - by * (at[1] - view.y) };
}

export const toImage = ({ scale, x, y }: View, [sx, sy]: Point): [number, number] => [
  (sx - x) / scale,
  (sy - y) / scale,
];
export const toScreen = ({ scale, x, y }: View, [px, py]: Point): [number, number] => [scale * px + x, scale * py + y];

/** Moved as little as needed for a point of the image to lie inside the frame, `margin` from its border. */
export function reveal(view: View, point: Point, frame: Size, margin: number): View {
  const [sx, sy] = toScreen(view, point);
  const into = (at: number, size: number) => Math.min(size - margin, Math.max(margin, at)) - at;
  return { ...view, x: view.x + into(sx, frame.width), y: view.y + into(sy, frame.height) };
}
