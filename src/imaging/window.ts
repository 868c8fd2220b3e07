/** Rectangular windows: work on the part of a picture that matters, then put the result back. */
import type { Mask, Plane } from "./image.ts";

export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The box around a mask, `margin` pixels wider on each side as far as the picture goes; undefined for an empty mask. */
export function windowAround({ width, height, data }: Mask, margin: number): Window | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!data[i]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return undefined;
  left = Math.max(0, left - margin);
  top = Math.max(0, top - margin);
  return {
    left,
    top,
    width: Math.min(width, right + margin + 1) - left,
    height: Math.min(height, bottom + margin + 1) - top,
  };
}

/** The part of a plane or mask inside a window. */
export function cut<T extends Plane | Mask>(whole: T, { left, top, width, height }: Window): T {
  const data = new (whole.data.constructor as Uint8ArrayConstructor)(width * height);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * whole.width + left;
    data.set(whole.data.subarray(from, from + width), y * width);
  }
  return { ...whole, width, height, data };
}

/** A mask of the whole size that is `part` inside the window and 0 outside. */
export function paste(part: Mask, { left, top }: Window, size: { width: number; height: number }): Mask {
  const data = new Uint8Array(size.width * size.height);
  for (let y = 0; y < part.height; y++) {
    data.set(part.data.subarray(y * part.width, (y + 1) * part.width), (top + y) * size.width + left);
  }
  return { width: size.width, height: size.height, data };
}
