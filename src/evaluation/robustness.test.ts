/** A cross-validation that keeps every two folds from a network: each of its networks is tested on both. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { phantomDataset } from "../datasets/index.ts";
import { resolveConfig } from "../learning/index.ts";
import { silent } from "../runs/index.ts";
import { crossValidate } from "./crossval.ts";
import { testRobustness } from "./robustness.ts";

test("in pairs, what a network says of the images as they are is what it said as it was made", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-robustness-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const phantom = phantomDataset({ count: 18, seed: 3, size: 72 });
  const samples = phantom.samples.map((sample, i) => ({ ...sample, fold: `F${Math.floor(i / 3) % 3}` }));
  const dataset = { ...phantom, samples };
  const config = resolveConfig({
    network: { widths: [4, 4, 8, 8], blocks: [1, 1, 1, 1], viewSize: 32 },
    distill: { steps: 3, batch: 4, teacher: { enabled: false } },
    tune: { steps: 1, batch: 4 },
  });
  const common = { dataset, threads: 1, progress: silent };
  const { rows } = await crossValidate({
    ...{ ...common, config, seed: 1, split: { kind: "pairs" }, out: join(folder, "run"), version: "0", licence: "" },
  });
  const found = await testRobustness(join(folder, "run"), dataset, ["mirrored"], common);
  const key = ({ id, fold }: { id: string; fold: string }) => `${id} ${fold}`;
  const said = new Map(rows.map((row) => [key(row), row]));
  expect(found.images).toHaveLength(36);
  expect(new Set(found.images.map(key))).toEqual(new Set(said.keys()));
  for (const [i, image] of found.images.entries()) {
    const { probabilities, label } = said.get(key(image))!;
    expect(image.label).toBe(label);
    for (const [k, p] of probabilities.entries()) expect(found.plain[i]![k]).toBeCloseTo(p, 5);
  }
  // The order in which a study keeps its predictions.
  const order = found.images.map(key);
  expect(order).toEqual([...order].sort());
  // Two networks differ, and so does what they make of a mirrored image.
  expect(found.altered.mirrored![0]).not.toEqual(found.altered.mirrored![1]);
}, 60_000);
