import { expect, test } from "vitest";
import { doubted, labelsCsv, meanOpinions } from "./label-opinions.ts";

const IDS = ["a.png", "b.png", "c,d.png", "e.png"];
const CLASSES = ["Normal", "Tapered"];
const opinions = [
  { index: 3, given: -1, likely: [0.9, 0.1] },
  { index: 0, given: 0, likely: [0.25, 0.75] },
  { index: 2, given: 1, likely: [0.6, 0.4] },
  { index: 1, given: 1, likely: [0.5, 0.5] },
];

test("doubted is a label that is likelier another, the least believed first; a tie and no label are none", () => {
  expect(doubted(opinions).map(({ index }) => index)).toEqual([0, 2]);
});

test("opinions of one image are averaged", () => {
  const mean = meanOpinions([
    { index: 1, given: 0, likely: [0.2, 0.8] },
    { index: 0, given: 1, likely: [0, 1] },
    { index: 1, given: 0, likely: [0.7, 0.3] },
  ]);
  expect(mean.map(({ index, given }) => [index, given])).toEqual([
    [0, 1],
    [1, 0],
  ]);
  expect(mean[1]!.likely[0]).toBeCloseTo(0.45, 12);
  expect(mean[1]!.likely[1]).toBeCloseTo(0.55, 12);
});

test("where a network learned from the head without its label, that opinion does not count beside one with it", () => {
  const found = meanOpinions([
    { index: 0, given: -1, likely: [1, 0] },
    { index: 0, given: 1, likely: [0.25, 0.75] },
    { index: 1, given: -1, likely: [0.5, 0.5] },
    // Flipped in one fold of a study, and not in another.
    { index: 2, given: 1, likely: [0.5, 0.5] },
    { index: 2, given: 0, likely: [0.75, 0.25] },
  ]);
  expect(found).toEqual([
    { index: 0, given: 1, likely: [0.25, 0.75] },
    { index: 1, given: -1, likely: [0.5, 0.5] },
    { index: 2, given: 0, likely: [0.75, 0.25] },
    { index: 2, given: 1, likely: [0.5, 0.5] },
  ]);
});

test("labels.csv has every image, the least believed label first and those without one last", () => {
  expect(labelsCsv(opinions, IDS, CLASSES).trim().split(/\r?\n/)).toEqual([
    "path,label,likely,belief,prob_Normal,prob_Tapered",
    "a.png,Normal,Tapered,0.2500,0.250000,0.750000",
    '"c,d.png",Tapered,Normal,0.4000,0.600000,0.400000',
    "b.png,Tapered,Tapered,0.5000,0.500000,0.500000",
    "e.png,,Normal,,0.900000,0.100000",
  ]);
});
