/** A training with refined labels: who takes part, as what, and what it must not see. */
import { beforeAll, describe, expect, test } from "vitest";
import { serializeState } from "../autodiff/index.ts";
import { Random, silent } from "../runs/index.ts";
import { phantomSet, posedSet, smallConfig } from "./fixtures.ts";
import { type Trained, train } from "./fold.ts";
import type { PreparedSet } from "./prepare.ts";
import { tuneFeeds } from "./tune.ts";

const COUNT = 20;
const LABELLED = 14;
const config = smallConfig({ tune: { refineLabels: true } });
const all = Array.from({ length: COUNT }, (_, i) => i);
let set: PreparedSet;
beforeAll(async () => {
  set = await phantomSet(COUNT);
});

const trained = (labels: Int32Array, settings = config) =>
  train({
    ...{ set: { ...set, labels }, train: all.slice(0, LABELLED), unlabelled: all.slice(LABELLED) },
    ...{ config: settings, seed: 1, name: "all", threads: 1, progress: silent },
  });
const bytes = ({ parts: { tuned, probe } }: Trained) =>
  Buffer.concat([serializeState(tuned), ...(probe ? [Buffer.from(probe.layer.weight.buffer)] : [])]);
const withWavelets = smallConfig({ tune: { refineLabels: true, wavelets: { viewSize: 48 } } });

describe("heads without a label", () => {
  test.each([
    ["stage 1", config],
    ["stage 1 and wavelets", withWavelets],
  ])("take part with an opinion of %s, whatever label they would have", async (_, settings) => {
    const hidden = set.labels.map((label, i) => (i < LABELLED ? label : (label + 1) % 3));
    const [one, other] = [await trained(set.labels, settings), await trained(hidden, settings)];
    expect(bytes(one).equals(bytes(other))).toBe(true);
    expect(one.labels!.map(({ index }) => index)).toEqual(all);
    expect(one.labels!.map(({ given }) => given)).toEqual(all.map((i) => (i < LABELLED ? set.labels[i] : -1)));
    for (const { likely } of one.labels!) expect(likely.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    expect(one.masks).toHaveLength(COUNT);
  });

  test("have another opinion of wavelets, too", async () => {
    const [one, other] = [await trained(set.labels), await trained(set.labels, withWavelets)];
    const differences = one.labels!.map(({ likely }, i) => Math.abs(likely[0]! - other.labels![i]!.likely[0]!));
    expect(Math.max(...differences)).toBeGreaterThan(0.01);
  });

  test("take no part where labels are not refined", async () => {
    const plain = await trained(set.labels, smallConfig());
    expect(plain.masks).toHaveLength(LABELLED);
    expect(plain.labels).toBeUndefined();
  });
});

test("a batch has the refined shares, and mixes heads that are likely the same", () => {
  const mixing = smallConfig({ tune: { batch: 6, mixup: 1 } });
  const members = [0, 1, 2, 3, 4, 5];
  const targets = new Map(members.map((i) => [i, i < 3 ? [0.7, 0.2, 0.1] : [0.1, 0.1, 0.8]]));
  const feeds = tuneFeeds({ ...posedSet(set, mixing), targets }, members, mixing, Random.seeded(1))(0);
  const rows = members.map((i) => [...feeds.labels.subarray(3 * i, 3 * i + 3)]);
  const first = rows.map(([share]) => share! > 0.5);
  expect(first.filter(Boolean)).toHaveLength(3);
  for (const [i, row] of rows.entries()) {
    for (const [c, share] of (first[i] ? [0.7, 0.2, 0.1] : [0.1, 0.1, 0.8]).entries()) {
      expect(row[c]).toBeCloseTo(share, 6);
    }
    expect(first[Number(feeds.partner[i])]).toBe(first[i]);
  }
});
