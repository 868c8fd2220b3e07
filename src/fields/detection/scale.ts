/**
 * The scale at which photographs are looked at: microscopes differ, so pictures are resized until their heads have one
 * usual length. What lengths a sample's heads have is told by whoever asks, or estimated: head-length.ts.
 */
import { type Image, resized } from "../../imaging/index.ts";

/** Pixels that a usual head is long at working scale. */
export const WORKING_LENGTH = 40;

/** Pixels of a usual head at working scale: an ellipse seven tenths as wide as long. */
export const HEAD_AREA = (Math.PI / 4) * WORKING_LENGTH * (0.7 * WORKING_LENGTH);

/** @param headLength pixels that a usual head is long in this picture */
export function atWorkingScale(image: Image, headLength: number): Promise<Image> {
  const scale = WORKING_LENGTH / headLength;
  return resized(image, Math.max(1, Math.round(image.width * scale)), Math.max(1, Math.round(image.height * scale)));
}

/** A square window of a picture; beyond the picture its edge is repeated. @param x, y its centre in pixels */
export function squareAround({ width, height, data }: Image, x: number, y: number, side: number): SquareWindow {
  const left = Math.round(x - side / 2);
  const top = Math.round(y - side / 2);
  const out = new Uint8Array(side * side * 3);
  const first = Math.max(0, -left);
  const last = Math.min(side, width - left);
  for (let v = 0; v < side; v++) {
    const row = Math.min(height - 1, Math.max(0, top + v)) * width;
    const to = v * side;
    if (first < last) out.set(data.subarray((row + left + first) * 3, (row + left + last) * 3), (to + first) * 3);
    for (let u = 0; u < Math.min(first, side); u++)
      for (let c = 0; c < 3; c++) out[(to + u) * 3 + c] = data[row * 3 + c]!;
    for (let u = Math.max(0, last); u < side; u++)
      for (let c = 0; c < 3; c++) out[(to + u) * 3 + c] = data[(row + width - 1) * 3 + c]!;
  }
  return { image: { width: side, height: side, data: out }, left, top };
}

export interface SquareWindow {
  readonly image: Image;
  /** Where its first pixel lies in the picture; may be outside. */
  readonly left: number;
  readonly top: number;
}
