/**
 * Stage 0: the mask of the head nearest the centre of a crop, by image processing and anatomical priors alone. No
 * ellipse is forced on it: taper and neck carry the label.
 */
import {
  cut,
  dilate,
  erode,
  fillHoles,
  gaussian,
  halfWidth,
  type Image,
  type Mask,
  open,
  otsu,
  type Plane,
  paste,
  type Region,
  regionMask,
  regions,
  threshold,
  type Window,
  windowAround,
} from "../imaging/index.ts";
import { pose } from "./anatomy.ts";
import { type BoundaryOptions, refineBoundary } from "./boundary.ts";
import { type Contrast, contrast } from "./contrast.ts";
import { splitTouching } from "./touching.ts";

/** Settings with their reasons; chosen on the development half of the evaluation fields, see docs/method.md. */
export interface PseudoMaskOptions extends BoundaryOptions {
  /** Smoothing in pixels for a head of usual size (equivalent radius 22 px); it shrinks with smaller crops. */
  smoothing: number;
  /** Share of Otsu's threshold: Otsu's own loses the pale acrosome. */
  level: number;
  /** Pass between two summits, as a share of the lower one, below which they are two heads. */
  saddle: number;
}

export const DEFAULT_OPTIONS: PseudoMaskOptions = {
  smoothing: 1.2,
  level: 0.5,
  saddle: 0.85,
  opening: 0.5,
  fall: 0.4,
  reach: 0.3,
  band: 0.3,
};

/** What makes a mask implausible as a head, each in [0, 1]; their product multiplies the reliability. */
export interface Gates {
  /** Neither a speck nor the whole crop. */
  area: number;
  /** Share of the convex hull that is filled. */
  solidity: number;
  /** Share of the outline that runs inside the crop. */
  border: number;
  /** Not a hair: heads are at most some three times as long as wide. */
  elongation: number;
  /** Contrast of the head against the background's noise. */
  contrast: number;
}

export interface HeadMask {
  readonly mask: Mask;
  /** Mean pairwise overlap of masks under perturbed settings, times the gates: 0 to 1. */
  readonly reliability: number;
  /** Whether this is plausibly a head. */
  readonly accepted: boolean;
  readonly gates: Gates;
  readonly contrast: Contrast;
}

export const ACCEPTED_RELIABILITY = 0.5;

/** Finds the head nearest the centre. A crop without one gives an empty mask, reliability 0, not accepted. */
export function pseudoMask(image: Image, options: Partial<PseudoMaskOptions> = {}): HeadMask {
  const settings = { ...DEFAULT_OPTIONS, ...options };
  const seen = contrast(image);
  const stain = smoothed(seen.plane, settings.smoothing);
  const mask = outline(stain, settings);
  const gates = plausibility(mask, seen);
  const gate = Object.values(gates).reduce((product, value) => product * value, 1);
  const reliability = gate === 0 ? 0 : gate * stability(seen.plane, stain, settings, mask);
  return { mask, reliability, accepted: reliability >= ACCEPTED_RELIABILITY, gates, contrast: seen };
}

/** The stain, smoothed, and Otsu's threshold of it. */
interface Smoothed {
  readonly plane: Plane;
  readonly otsu: number;
}

function smoothed(stain: Plane, smoothing: number): Smoothed {
  const plane = gaussian(stain, smoothing * Math.min(1, Math.min(stain.width, stain.height) / 131));
  // Otsu over what absorbs: a bright speck must not stretch the histogram.
  const absorbing = new Float32Array(plane.data.length);
  for (let i = 0; i < absorbing.length; i++) if (plane.data[i]! > 0) absorbing[i] = plane.data[i]!;
  return { plane, otsu: otsu(absorbing) };
}

function outline(stain: Smoothed, { level, opening, saddle, ...boundary }: PseudoMaskOptions): Mask {
  const { width, height } = stain.plane;
  const size = Math.min(width, height);
  const empty: Mask = { width, height, data: new Uint8Array(width * height) };
  if (size < 8) return empty;
  const filled = fillHoles(threshold(stain.plane, level * stain.otsu));
  // An opening; what its first half leaves is a small part of the crop, and its second half grows no farther than this.
  const radius = 0.02 * size;
  const core = erode(filled, radius);
  const rest = windowAround(core, Math.ceil(radius) + 1);
  if (!rest) return empty;
  const within = ({ left, top }: Window) => ({ width: size, x: width / 2 - left, y: height / 2 - top });
  const found = central(dilate(cut(core, rest), radius), within(rest));
  if (!found) return empty;

  // The rest concerns this region alone, so its window is enough.
  const margin = 2 + Math.ceil(boundary.band * halfWidth(found));
  const whole = paste(found, rest, stain.plane);
  const window = windowAround(whole, margin)!;
  const place = within(window);
  const opened = cutTail(cut(whole, window), opening);
  const { labels, count } = splitTouching(opened, saddle);
  let head = central(opened, place);
  if (count > 1) {
    const parts = Array.from({ length: count }, (_, k) =>
      central({ ...opened, data: Uint8Array.from(labels, (l) => (l === k + 1 ? 1 : 0)) }, place),
    ).filter((part) => part !== undefined);
    const best = parts.sort((a, b) => centrality(b, place) - centrality(a, place))[0];
    head = best && fillHoles(cutTail(best, opening));
  }
  return head
    ? paste(refineBoundary(cut(stain.plane, window), head, { ...boundary, opening }), window, stain.plane)
    : empty;
}

/** Where the head is expected: at the middle of a crop whose shorter side is `width`. */
interface Place {
  readonly width: number;
  readonly x: number;
  readonly y: number;
}

const cutTail = (mask: Mask, opening: number) => open(mask, opening * halfWidth(mask));

/** How well a region's place and size fit the head that the crop was cut for. */
function score(region: Region, { x, y, width }: Place): number {
  const distance2 = (region.x - x) ** 2 + (region.y - y) ** 2;
  return region.area * Math.exp(-distance2 / (2 * (0.2 * width) ** 2));
}

function centrality(mask: Mask, place: Place): number {
  return Math.max(0, ...regions(mask).map((region) => score(region, place)));
}

/** The region that fits best, its holes filled. */
function central(mask: Mask, place: Place): Mask | undefined {
  let best: Region | undefined;
  for (const region of regions(mask)) {
    if (!best || score(region, place) > score(best, place)) best = region;
  }
  return best && fillHoles(regionMask(mask, best));
}

/** Mean pairwise IoU of the mask with those of other thresholds and blurs. */
function stability(plane: Plane, stain: Smoothed, settings: PseudoMaskOptions, mask: Mask): number {
  const masks = [
    mask,
    outline(stain, { ...settings, level: settings.level * 0.75 }),
    outline(stain, { ...settings, level: settings.level * 1.3 }),
    outline(smoothed(plane, settings.smoothing * 1.8), settings),
  ];
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < masks.length; i++) {
    for (let j = i + 1; j < masks.length; j++, pairs++) sum += intersectionOverUnion(masks[i]!, masks[j]!);
  }
  return sum / pairs;
}

/** IoU of two masks; 0 where both are empty: no head is no agreement on a head. */
export function intersectionOverUnion(a: Mask, b: Mask): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.data.length; i++) {
    both += a.data[i]! & b.data[i]!;
    either += a.data[i]! | b.data[i]!;
  }
  return either === 0 ? 0 : both / either;
}

const ramp = (value: number, zero: number, one: number) => Math.max(0, Math.min(1, (value - zero) / (one - zero)));

function plausibility(mask: Mask, { plane, noise }: Contrast): Gates {
  const { width, height, data } = mask;
  let [area, inside, border, edge] = [0, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (!data[i]) continue;
      area++;
      inside += plane.data[i]!;
      const onBorder = x === 0 || y === 0 || x === width - 1 || y === height - 1;
      if (onBorder) border++;
      if (onBorder || !data[i - 1] || !data[i + 1] || !data[i - width] || !data[i + width]) edge++;
    }
  }
  if (area === 0) return { area: 0, solidity: 0, border: 0, elongation: 0, contrast: 0 };
  const share = area / (width * height);
  const { length, width: across } = pose(mask, plane)!;
  return {
    area: Math.min(ramp(share, 0.005, 0.02), ramp(share, 0.85, 0.7)),
    solidity: ramp(area / hullArea(mask), 0.6, 0.88),
    border: ramp(border / edge, 0.5, 0.1),
    elongation: ramp(length / Math.max(1, across), 6, 4),
    contrast: ramp(inside / area / Math.max(1, noise), 1.5, 4),
  };
}

/** Area of the convex hull of a mask's pixels, by the monotone chain over row ends. */
export function hullArea({ width, height, data }: Mask): number {
  const points: [number, number][] = [];
  for (let y = 0; y < height; y++) {
    const first = data.subarray(y * width, (y + 1) * width).indexOf(1);
    if (first < 0) continue;
    const last = data.subarray(y * width, (y + 1) * width).lastIndexOf(1);
    points.push([first, y], [first, y + 1], [last + 1, y], [last + 1, y + 1]);
  }
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const cross = (o: readonly number[], a: readonly number[], b: readonly number[]) =>
    (a[0]! - o[0]!) * (b[1]! - o[1]!) - (a[1]! - o[1]!) * (b[0]! - o[0]!);
  const chain = (list: [number, number][]) => {
    const hull: [number, number][] = [];
    for (const p of list) {
      while (hull.length > 1 && cross(hull.at(-2)!, hull.at(-1)!, p) <= 0) hull.pop();
      hull.push(p);
    }
    return hull.slice(0, -1);
  };
  const hull = [...chain(points), ...chain(points.toReversed())];
  return (
    Math.abs(
      hull.reduce(
        (sum, [x, y], i) => sum + x * hull[(i + 1) % hull.length]![1] - hull[(i + 1) % hull.length]![0] * y,
        0,
      ),
    ) / 2
  );
}
