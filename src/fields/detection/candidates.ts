/**
 * Where heads may be in a photograph, by image processing alone: what absorbs, cut from its tail and its neighbours.
 * Nearly every head is among these candidates, and so are droplets, bacteria and debris. They are what the detector
 * learns from, where they agree with each other (lessons.ts).
 */
import { contrast, splitTouching } from "../../heads/index.ts";
import { fillHoles, gaussian, type Image, open, otsu, type Region, threshold } from "../../imaging/index.ts";

export interface CandidateOptions {
  /** Share of Otsu's threshold: his own loses the pale acrosome. */
  level: number;
  /** Deviation of the Gaussian in pixels. */
  smoothing: number;
  /** Radius in pixels of the opening that cuts tails. */
  opening: number;
  /** Pass between two summits, as a share of the lower one, below which they are two heads. */
  saddle: number;
}

/** For heads of {@link WORKING_LENGTH}. Chosen on a quarter of the evaluation fields, see docs/method.md. */
export const CANDIDATE_OPTIONS: CandidateOptions = { level: 0.6, smoothing: 1, opening: 5, saddle: 0.85 };

export interface Candidate extends Region {
  /** Mean absorption inside, in grey levels. */
  readonly absorption: number;
}

/** @param image in which heads are about {@link WORKING_LENGTH} pixels long @returns in reading order */
export function candidatesIn(image: Image, options: Partial<CandidateOptions> = {}): Candidate[] {
  const { level, smoothing, opening, saddle } = { ...CANDIDATE_OPTIONS, ...options };
  const plane = gaussian(contrast(image).plane, smoothing);
  const absorbing = plane.data.filter((value) => value > 0);
  const mask = open(fillHoles(threshold(plane, level * otsu(absorbing))), opening);
  const { labels, count } = splitTouching(mask, saddle);
  return regionsOf(labels, count, image.width).map((region) => {
    let sum = 0;
    for (const i of region.pixels) sum += plane.data[i]!;
    return { ...region, absorption: sum / region.area };
  });
}

/** The regions of a label map, in the order of their labels. @param labels 0 outside, 1 to `count` */
export function regionsOf(labels: Int32Array, count: number, width: number): Region[] {
  const height = labels.length / width;
  const ends = new Int32Array(count + 2);
  for (let i = 0; i < labels.length; i++) ends[labels[i]! + 1]!++;
  ends[1] = 0;
  for (let k = 1; k < ends.length; k++) ends[k]! += ends[k - 1];
  const starts = ends.slice(1);
  const pixels = new Int32Array(starts[count]!);
  for (let i = 0; i < labels.length; i++) if (labels[i]! > 0) pixels[ends[labels[i]!]!++] = i;
  return Array.from({ length: count }, (_, k) => regionOf(pixels.subarray(starts[k], starts[k + 1]), width, height));
}

function regionOf(pixels: Int32Array, width: number, height: number): Region {
  let x = 0;
  let y = 0;
  let touchesBorder = false;
  for (const i of pixels) {
    const u = i % width;
    const v = (i - u) / width;
    x += u + 0.5;
    y += v + 0.5;
    if (u === 0 || v === 0 || u === width - 1 || v === height - 1) touchesBorder = true;
  }
  const area = pixels.length;
  return { area, x: x / area, y: y / area, touchesBorder, pixels };
}
