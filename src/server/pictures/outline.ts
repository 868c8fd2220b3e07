/** An outline that a person drew: what is inside it, and its measures. */
import type { Outline } from "../../fields/index.ts";
import { contrast, type Morphometry, morphometry, parts } from "../../heads/index.ts";
import type { Image, Mask, Window } from "../../imaging/index.ts";
import { AndroscopeError } from "../../runs/index.ts";

/** Pixels about an outline that its contrast is taken from: background enough, and no other field. */
const MARGIN = 40;
/** A photograph of so many pixels is looked at as a whole, as the analysis looks at crops. */
const SMALL = 512 * 512;

/** Pixels whose centre lies inside the polygon (even-odd), of a window. */
export function filled(outline: Outline, { left, top, width, height }: Window): Mask {
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const y = top + row + 0.5;
    const crossings: number[] = [];
    for (const [i, [x1, y1]] of outline.entries()) {
      const [x2, y2] = outline[(i + 1) % outline.length]!;
      if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
    }
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const from = Math.max(0, Math.ceil(crossings[k]! - left - 0.5));
      const to = Math.min(width, Math.ceil(crossings[k + 1]! - left - 0.5));
      if (to > from) data.fill(1, row * width + from, row * width + to);
    }
  }
  return { width, height, data };
}

/** @throws `review/bad-outline` where it leaves the picture or holds no pixel */
export function measureOutline(image: Image, outline: Outline): Morphometry {
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
  const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  if (box.left < 0 || box.top < 0 || box.right > image.width || box.bottom > image.height) {
    throw bad("points inside the image", `some outside its ${image.width}×${image.height} pixels`);
  }
  const window = windowOf(image, box);
  const mask = filled(outline, window);
  const { plane } = contrast(part(image, window));
  const measures = morphometry(mask, parts(mask, plane), plane);
  if (!measures) throw bad("an outline about a head", "one that holds no pixel's centre");
  return { ...measures, centreX: measures.centreX + window.left, centreY: measures.centreY + window.top };
}

function windowOf({ width, height }: Image, box: { left: number; right: number; top: number; bottom: number }): Window {
  if (width * height <= SMALL) return { left: 0, top: 0, width, height };
  const left = Math.max(0, Math.floor(box.left) - MARGIN);
  const top = Math.max(0, Math.floor(box.top) - MARGIN);
  return {
    ...{ left, top },
    width: Math.min(width, Math.ceil(box.right) + MARGIN) - left,
    height: Math.min(height, Math.ceil(box.bottom) + MARGIN) - top,
  };
}

/** The part of a picture inside a window that lies in it. */
function part(image: Image, { left, top, width, height }: Window): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height, data };
}

function bad(expected: string, found: string): AndroscopeError {
  return new AndroscopeError("review/bad-outline", {
    expected,
    found,
    where: "outline",
    fix: "Draw the outline inside the image and about a head.",
  });
}
