/** The ellipse with a region's second moments. */
import type { Region } from "../../imaging/index.ts";

export interface Ellipse {
  /** Axes in pixels. */
  readonly length: number;
  readonly width: number;
  /** Share of the ellipse's area that the region has: 1 for an ellipse, less for what is ragged or bent. */
  readonly filled: number;
}

/** @param width of the picture that the region's pixels are numbered in */
export function ellipseOf({ area, x, y, pixels }: Pick<Region, "area" | "x" | "y" | "pixels">, width: number): Ellipse {
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let k = 0; k < pixels.length; k++) {
    const i = pixels[k]!;
    const u = (i % width) + 0.5 - x;
    const v = Math.floor(i / width) + 0.5 - y;
    xx += u * u;
    yy += v * v;
    xy += u * v;
  }
  // A pixel is a square of side 1, whose own variance is 1/12.
  const [sxx, syy, sxy] = [xx / area + 1 / 12, yy / area + 1 / 12, xy / area];
  const middle = (sxx + syy) / 2;
  const spread = Math.hypot((sxx - syy) / 2, sxy);
  const length = 4 * Math.sqrt(middle + spread);
  const across = 4 * Math.sqrt(Math.max(1 / 12, middle - spread));
  return { length, width: across, filled: area / ((Math.PI / 4) * length * across) };
}
