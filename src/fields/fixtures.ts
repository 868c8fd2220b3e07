/** Material for the tests of this folder: heads and pictures whose truth is known. */
import type { Morphometry } from "../heads/index.ts";
import type { AnalyserDescription, FoundHead } from "./head.ts";

/** An ellipse of 20 × 12 pixels would measure about this. */
export const MEASURES: Morphometry = {
  areaPx: 188,
  perimeterPx: 51,
  lengthPx: 20,
  widthPx: 12,
  ellipticity: 20 / 12,
  elongation: 0.25,
  rugosity: 0.9,
  regularity: 1,
  symmetry: 0.98,
  acrosomeShare: 0.5,
  vacuoles: 0,
  vacuoleShare: 0,
  angleDeg: 30,
  centreX: 50,
  centreY: 40,
};

/** A square head of side 10 at (40, 35), of class 0 of two. */
export function foundHead(changes: Partial<FoundHead> = {}): FoundHead {
  return {
    number: 1,
    state: "head",
    score: 0.9,
    outline: [
      [40, 35],
      [50, 35],
      [50, 45],
      [40, 45],
    ],
    centre: [45, 40],
    axis: [1, 0],
    probabilities: [0.8, 0.2],
    agreement: 0.95,
    measures: MEASURES,
    ...changes,
  };
}

export const ANALYSER: AnalyserDescription = {
  program: "androscope 0.1.0",
  classes: ["01_Normal", "Pyriform"],
  model: "a".repeat(64),
  detector: "b".repeat(64),
  licence: "CC BY 4.0",
};
