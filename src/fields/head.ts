/** What is found in a photograph: heads, and what was taken for one and is none. Lengths in pixels of the photograph. */
import type { Morphometry } from "../heads/index.ts";

/** Corners of a closed outline along pixel edges, x to the right and y down, the picture's top left corner at (0, 0). */
export type Outline = readonly (readonly [number, number])[];

/**
 * Whether it counts.
 * - `head`: a whole head.
 * - `cut`: a head that the picture's border cuts; it is counted apart and not classified.
 * - `refused`: something else (debris, a droplet, a clump): counted apart, its class means nothing.
 */
export type FoundState = "head" | "cut" | "refused";

/** Why something is refused: it does not look like a head to the detector, its mask is not steady, or its size is not a head's. */
export type RefusalReason = "detector" | "mask" | "size";

export interface FoundHead {
  /** Within its picture, from 1, in reading order of the centres. */
  readonly number: number;
  readonly state: FoundState;
  readonly reason?: RefusalReason;
  /** How sure the detector is that this is a head, 0 to 1; 1 for a crop, which was cut for its head. */
  readonly score: number;
  readonly outline: Outline;
  readonly centre: readonly [number, number];
  /** Unit vector along the major axis towards the tail. */
  readonly axis: readonly [number, number];
  /** By class, in the model's order; empty for heads that are cut. */
  readonly probabilities: readonly number[];
  /** Overlap of the masks of the upright and the turned head, 0 to 1. */
  readonly agreement: number;
  readonly measures: Morphometry;
}

/** A photograph or a crop, and what is in it. */
export interface Analysis {
  readonly width: number;
  readonly height: number;
  readonly heads: readonly FoundHead[];
}

/** Which networks found and judged heads: what a count must name to be repeated. */
export interface AnalyserDescription {
  readonly program: string;
  readonly classes: readonly string[];
  /** SHA-256 of the files. */
  readonly model: string;
  readonly detector: string;
  /** Licence of what they were trained on. */
  readonly licence: string;
  /** Where the model's last layer was learned again from reviewed heads: the model before, and how many heads. */
  readonly adapted?: { readonly base: string; readonly heads: number };
}
