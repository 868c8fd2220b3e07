/** Experts' votes on their way into stage 2. */
import { beforeAll, expect, test } from "vitest";
import { PHANTOM_CLASSES, phantomDataset } from "../datasets/index.ts";
import { Random, silent } from "../runs/index.ts";
import type { Config } from "./config.ts";
import { posedSet, smallConfig } from "./fixtures.ts";
import { type PreparedSet, prepare } from "./prepare.ts";
import { tuneFeeds } from "./tune.ts";

/** Votes, and what share of them each of three classes has. */
const VOTES: [raters: (number | null)[], shares: number[]][] = [
  [
    [0, 0, 0],
    [1, 0, 0],
  ],
  [
    [1, 1, 2],
    [0, 2 / 3, 1 / 3],
  ],
  [
    [2, 0, 2],
    [1 / 3, 0, 2 / 3],
  ],
  [
    [0, null, 1],
    [1 / 2, 1 / 2, 0],
  ],
];

let set: PreparedSet;
beforeAll(async () => {
  const drawn = phantomDataset({ count: 5, seed: 5, size: 72, classes: PHANTOM_CLASSES.slice(0, 3) });
  // Nobody voted on the fifth.
  const samples = drawn.samples.map((sample, i) => (VOTES[i] ? { ...sample, raters: VOTES[i][0] } : sample));
  set = await prepare({ ...drawn, samples }, silent);
});

/** Target and weight of every image in one batch of all, by index. */
function targets(tune: Partial<Config["tune"]>) {
  const config = smallConfig({ tune: { batch: 5, ...tune } });
  const feeds = tuneFeeds(posedSet(set, config), [0, 1, 2, 3, 4], config, Random.seeded(1))(0);
  const area = set.side ** 2 * 3;
  const pixelsOf = (all: Uint8Array, i: number) =>
    Buffer.from(all.subarray(i * area, (i + 1) * area)).toString("base64");
  return set.ids.map((_, index) => {
    const at = [0, 1, 2, 3, 4].findIndex((i) => pixelsOf(feeds.pixels, i) === pixelsOf(set.pixels, index));
    return { target: [...feeds.labels.subarray(3 * at, 3 * at + 3)], weight: feeds.weights[at]! };
  });
}

test("targets are the shares of the votes; of an image without votes, its label", () => {
  const found = targets({ votes: true });
  for (const [i, [, shares]] of VOTES.entries()) {
    expect(found[i]!.weight).toBe(1);
    for (const [c, share] of shares.entries()) expect(found[i]!.target[c]).toBeCloseTo(share, 6);
  }
  expect(found[4]!.target).toEqual([0, 1, 0]);
});

test("with votes off, targets are the labels", () => {
  for (const [i, { target }] of targets({ votes: false }).entries()) {
    expect(target).toEqual([0, 1, 2].map((c) => Number(c === i % 3)));
  }
});

test("weighting by agreement takes the largest share", () => {
  const weights = targets({ agreementWeighting: true }).map(({ weight }) => weight);
  for (const [i, expected] of [1, 2 / 3, 2 / 3, 1 / 2, 1].entries()) expect(weights[i]).toBeCloseTo(expected, 6);
});
