/**
 * How long heads are in a sample's pictures, when nobody has said: at which scale most of the stain lies in pieces of a
 * head's size and shape. Specks are many but hold little stain, and clumps fill no ellipse.
 */
import type { Image } from "../../imaging/index.ts";
import { quantile } from "../../imaging/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import { type Candidate, candidatesIn } from "./candidates.ts";
import { ellipseOf } from "./ellipse.ts";
import { atWorkingScale, HEAD_AREA, WORKING_LENGTH } from "./scale.ts";

/** Pixels, from long to short: pictures for long heads are small and quickly tried. */
const TRIALS = Array.from({ length: 12 }, (_, k) => Math.round(190 / 1.25 ** k));

/** After so many trials with clearly less stain the best is not to be expected any more. */
const PATIENCE = 3;
const CLEARLY = 0.6;

/** Of a usual head's area, about which a candidate counts, and the share of its ellipse that it must fill. */
const AREA = [0.55, 1.8] as const;
const FILLED = 0.93;
const LONGEST = 2.5;

/** Pictures larger than this at some trial scale are not tried there: heads of 16 pixels in a picture of 4000. */
const MOST_PIXELS = 4e6;

function headLike(candidate: Candidate, width: number): { length: number } | undefined {
  if (candidate.touchesBorder) return undefined;
  if (candidate.area < AREA[0] * HEAD_AREA || candidate.area > AREA[1] * HEAD_AREA) return undefined;
  const { length, width: across, filled } = ellipseOf(candidate, width);
  return filled >= FILLED && length / across <= LONGEST ? { length } : undefined;
}

/**
 * The usual length of a head in pixels.
 * @param images some pictures of the sample; a few are enough
 * @throws `field/no-scale` where nothing in them looks like a head at any scale
 */
export async function estimateHeadLength(images: readonly Image[], where?: string): Promise<number> {
  let best = { stain: 0, lengths: [] as number[] };
  let worse = 0;
  for (const trial of TRIALS) {
    if (worse === PATIENCE) break;
    let stain = 0;
    const lengths: number[] = [];
    const scale = trial / WORKING_LENGTH;
    for (const image of images) {
      if (image.width * image.height > MOST_PIXELS * scale ** 2 || Math.min(image.width, image.height) < 1.5 * trial)
        continue;
      const small = await atWorkingScale(image, trial);
      for (const candidate of candidatesIn(small)) {
        const head = headLike(candidate, small.width);
        if (!head) continue;
        stain += candidate.area * candidate.absorption * scale ** 2;
        lengths.push(head.length * scale);
      }
    }
    worse = stain < CLEARLY * best.stain ? worse + 1 : 0;
    if (stain > best.stain) best = { stain, lengths };
  }
  if (best.lengths.length === 0) {
    throw new AndroscopeError("field/no-scale", {
      expected: "pictures with stained heads",
      found: "nothing of a head's shape at any scale",
      ...(where === undefined ? {} : { where }),
      fix: "Say how many pixels a head is long: --head-length 80.",
    });
  }
  return quantile(best.lengths, 0.5);
}
