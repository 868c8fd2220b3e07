/** Means of recipes that can be counted by hand. */
import { expect, test } from "vitest";
import { packProbabilities, type StudyEntry, type StudyResults } from "../src/evaluation/index.ts";
import { ensemblesSection } from "./ensembles-section.ts";

/** @param first probabilities of the first of two classes, image by image */
const entry = (row: string, first: readonly number[], seed = 1): StudyEntry => ({
  ...{ row, seed, id: row, version: "", correct: 0, accuracy: 0, balancedAccuracy: 0, logLoss: 0 },
  ...{ calibrationError: 0, seconds: 0 },
  probabilities: packProbabilities(first.map((p) => ({ id: "", label: 0, fold: "", probabilities: [p, 1 - p] }))),
});

const results = (entries: StudyEntry[]): StudyResults => ({
  ...{ study: "s", dataset: { kind: "k", hash: "h" }, classes: ["x", "y"] },
  images: ["a", "b"].map((id) => ({ id, label: 0, fold: "F" })),
  entries,
});

test("means of networks, alone and with a row beside them", () => {
  // a is right where the mean of what it is given for the first class is above one half, b likewise.
  const known = results([
    entry("n", [0.9, 0.2]),
    entry("m", [0.2, 0.4]),
    entry("o", [0.7, 0.95]),
    entry("o", [0, 0], 2),
    entry("w", [0.7, 0.55]),
  ]);
  expect(ensemblesSection(known, ["n", "m", "o", "missing"], "w", 3).split("\n")).toEqual([
    "| networks in the mean, of 3 | choices | by themselves: mean, best | `w` the other half: mean, best |",
    "|---|---|---|---|",
    // n: a; m: none; o: both. With w: n (0.8, 0.375): a; m (0.45, 0.475): none; o (0.7, 0.75): both.
    "| 1 | 3 | 50.0 %, 100.0 % | 50.0 %, 100.0 % |",
    // n+m (0.55, 0.3): a; n+o (0.8, 0.575): both; m+o (0.45, 0.675): b. With w: (0.625, 0.425): a; both; (0.575, 0.6125): both.
    "| 2 | 3 | 66.7 %, 100.0 % | 83.3 %, 100.0 % |",
    // (0.6, 0.517), and with w (0.65, 0.533).
    "| 3 | 1 | 100.0 %, 100.0 % | 100.0 %, 100.0 % |",
  ]);
  expect(ensemblesSection(known, ["n", "m"], "w", 3)).toBe("Not computed yet.");
  expect(ensemblesSection(known, ["n", "m", "o"], "missing", 2)).toBe("Not computed yet.");
});
