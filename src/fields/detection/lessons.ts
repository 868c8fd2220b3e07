/**
 * What the detector learns from: pseudo-masks of the candidates that look like each other. Heads of one kind of picture
 * have much the same size, shape and stain, whatever else lies about differs from them and from itself. So what most
 * candidates agree on is taught as heads, what is far from all of it as background, and what lies between is not taught
 * at all: that is for the network to say. No label, no outline of a person.
 */

import { backgroundColour, parts, pseudoMask } from "../../heads/index.ts";
import { cut, dilate, type Image, quantile, signedDistance, windowAround } from "../../imaging/index.ts";
import { acrosomeOf } from "../../learning/index.ts";
import { type Candidate, candidatesIn } from "./candidates.ts";
import { ellipseOf } from "./ellipse.ts";
import { atWorkingScale, HEAD_AREA, squareAround, WORKING_LENGTH } from "./scale.ts";

export type Verdict = "head" | "doubtful" | "other";

export interface Lesson {
  /** The picture at working scale. */
  readonly image: Image;
  readonly background: readonly [number, number, number];
  readonly candidates: readonly Candidate[];
  /** What stage 0 makes of each, where it takes it for a head. */
  readonly patches: readonly (Patch | undefined)[];
  /** Of each candidate. */
  readonly verdicts: Verdict[];
  /** [H, W, 4] bytes: head 0/255, signed distance (127.5 at the boundary), acrosome 0/255, trust. */
  readonly targets: Uint8Array;
}

/** Planes of a lesson's targets. */
export const TARGETS = { head: 0, distance: 1, acrosome: 2, trust: 3 } as const;
export const TARGET_PLANES = 4;

/** Logarithms where ratios count: area, stain, elongation, and the share of the ellipse of equal moments that is filled. */
interface Look {
  readonly values: readonly number[];
}

/** How many times the usual deviation from the usual look still counts as usual, and how far is far. */
const USUAL = 2.5;
const FAR = 5;
/** Deviations that heads have at least, by their nature: area, stain, elongation, filling. */
const LEAST_DEVIATION = [0.25, 0.3, 0.2, 0.04];

/** What is far smaller than the usual is a speck; far larger ones may be heads together, which is not to be unlearned. */
const SPECK = 0.3;

function lookOf(candidate: Candidate, width: number): Look {
  const { length, width: across, filled } = ellipseOf(candidate, width);
  const { area, absorption } = candidate;
  return { values: [Math.log(area), Math.log(Math.max(1, absorption)), Math.log(length / across), filled] };
}

/** The usual look: medians and deviations of what is within reach of them, found in a few rounds. */
export interface UsualLook {
  readonly medians: readonly number[];
  readonly deviations: readonly number[];
}

/** @param areaGuess pixels that a head has about: among much debris the most frequent look need not be a head's */
function usualLook(looks: readonly Look[], areaGuess: number): UsualLook {
  let kept = looks.filter(({ values }) => Math.abs(values[0]! - Math.log(areaGuess)) < Math.log(2));
  let usual: UsualLook = { medians: [], deviations: [] };
  for (let round = 0; round < 4 && kept.length > 0; round++) {
    const column = (k: number) => Float64Array.from(kept, ({ values }) => values[k]!);
    const medians = LEAST_DEVIATION.map((_, k) => quantile(column(k), 0.5));
    const deviations = LEAST_DEVIATION.map((least, k) =>
      Math.max(
        least,
        1.4826 *
          quantile(
            column(k).map((value) => Math.abs(value - medians[k]!)),
            0.5,
          ),
      ),
    );
    usual = { medians, deviations };
    kept = looks.filter((look) => strangeness(look, usual) < USUAL);
  }
  return usual;
}

/** The largest distance from the usual, in its deviations. */
function strangeness({ values }: Look, { medians, deviations }: UsualLook): number {
  return Math.max(...values.map((value, k) => Math.abs(value - medians[k]!) / deviations[k]!));
}

/** @param images with heads of `headLength` pixels */
export async function lessonsFrom(
  images: AsyncIterable<Image>,
  headLength: number,
  onField: (done: number) => void,
): Promise<Lesson[]> {
  const seen: { lesson: Lesson; looks: Look[] }[] = [];
  for await (const full of images) {
    const image = await atWorkingScale(full, headLength);
    const candidates = candidatesIn(image);
    const looks = candidates.map((candidate) => lookOf(candidate, image.width));
    const targets = new Uint8Array(image.width * image.height * TARGET_PLANES);
    const scale = headLength / WORKING_LENGTH;
    const patches = candidates.map((candidate) => patchOf(full, candidate, scale, image));
    const background = backgroundColour(image);
    seen.push({ lesson: { image, background, candidates, patches, verdicts: [], targets }, looks });
    onField(seen.length);
  }
  const usual = usualLook(
    seen.flatMap(({ looks }) => looks),
    HEAD_AREA,
  );
  for (const { lesson, looks } of seen) {
    for (const [k, look] of looks.entries()) lesson.verdicts.push(verdictOf(look, usual, lesson.candidates[k]!));
    writeTargets(lesson);
  }
  return seen.map(({ lesson }) => lesson);
}

function verdictOf(look: Look, usual: UsualLook, { touchesBorder }: Candidate): Verdict {
  // Of what the border cuts, neither size nor shape is known.
  if (touchesBorder || usual.medians.length === 0) return "doubtful";
  const strange = strangeness(look, usual);
  if (strange < USUAL) return "head";
  const speck = look.values[0]! - usual.medians[0]! < Math.log(SPECK);
  return speck || strange > FAR ? "other" : "doubtful";
}

/** Of the working picture: what is not to be taught about a candidate is not taught this far from it either. */
const QUIET = 4;

/** Writes what is taught from the verdicts as they stand. */
export function writeTargets({ image, candidates, patches, verdicts, targets }: Lesson): void {
  const { width, height } = image;
  targets.fill(0);
  for (let i = 0; i < width * height; i++) targets[i * TARGET_PLANES + TARGETS.trust] = 255;
  for (const [k, { pixels }] of candidates.entries()) {
    const patch = patches[k];
    if (verdicts[k] === "other") continue;
    const trust = verdicts[k] === "head" && patch ? Math.round(255 * patch.reliability) : 0;
    const data = new Uint8Array(width * height);
    for (const i of pixels) data[i] = 1;
    const window = windowAround({ width, height, data }, 2 * QUIET)!;
    const grown = dilate(cut({ width, height, data }, window), QUIET).data;
    for (let y = 0; y < window.height; y++)
      for (let x = 0; x < window.width; x++) {
        if (!grown[y * window.width + x]) continue;
        targets[((window.top + y) * width + window.left + x) * TARGET_PLANES + TARGETS.trust] = trust;
      }
    if (trust > 0) teachHead(targets, width, patch!);
  }
}

function teachHead(targets: Uint8Array, width: number, { left, top, maps, ...patch }: Patch): void {
  for (let y = 0, i = 0; y < patch.height; y++) {
    for (let x = 0; x < patch.width; x++, i += 3) {
      const to = ((top + y) * width + left + x) * TARGET_PLANES;
      // Where two heads are near, a pixel belongs to the one that it is deeper in.
      if (maps[i + TARGETS.distance]! <= targets[to + TARGETS.distance]!) continue;
      for (let plane = 0; plane < 3; plane++) targets[to + plane] = maps[i + plane]!;
    }
  }
}

/** Stage 0's mask of one candidate, made on the whole picture and read at the places of the working picture's pixels. */
interface Patch {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly reliability: number;
  /** [height, width, 3]: the first planes of a lesson's targets. */
  readonly maps: Uint8Array;
}

/** @param scale pixels of the whole picture per pixel of the working one @returns undefined where stage 0 finds no head */
function patchOf(full: Image, { x, y, area }: Candidate, scale: number, working: Image): Patch | undefined {
  if (area < HEAD_AREA / 4 || area > HEAD_AREA * 4) return undefined;
  const { image: crop, left, top } = squareAround(full, x * scale, y * scale, Math.round(2.2 * scale * WORKING_LENGTH));
  const { mask, accepted, reliability, contrast } = pseudoMask(crop);
  if (!accepted) return undefined;
  const acrosome = acrosomeOf(parts(mask, contrast.plane));
  const distance = signedDistance(mask).data;
  const radius = Math.max(1, Math.sqrt(mask.data.reduce((sum, value) => sum + value, 0) / Math.PI));
  const first = (from: number) => Math.max(0, Math.ceil(from / scale - 0.5));
  const end = (to: number, most: number) => Math.min(most, Math.floor((to - 1) / scale - 0.5) + 1);
  const place = { left: first(left), top: first(top) };
  const width = end(left + crop.width, working.width) - place.left;
  const height = end(top + crop.height, working.height) - place.top;
  const maps = new Uint8Array(width * height * 3);
  for (let v = 0, to = 0; v < height; v++) {
    for (let u = 0; u < width; u++, to += 3) {
      const column = Math.min(crop.width - 1, Math.max(0, Math.floor((place.left + u + 0.5) * scale - left)));
      const row = Math.min(crop.height - 1, Math.max(0, Math.floor((place.top + v + 0.5) * scale - top)));
      const from = row * crop.width + column;
      maps[to + TARGETS.distance] = Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, distance[from]! / radius)));
      maps[to + TARGETS.head] = distance[from]! > 0 ? 255 : 0;
      maps[to + TARGETS.acrosome] = acrosome.data[from] ? 255 : 0;
    }
  }
  return { ...place, width, height, reliability, maps };
}
