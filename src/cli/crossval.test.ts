/** Options of crossval that are refused before anything is trained. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { phantomDataset } from "../datasets/index.ts";
import { encodePng } from "../imaging/index.ts";
import { silent } from "../runs/index.ts";
import { command } from "./crossval.ts";

const defaults = { seed: 1, threads: 1, workers: "1", device: "cpu" };

/** Twelve phantoms with folds. */
async function made(folds: readonly string[]): Promise<{ root: string; out: string }> {
  const root = await mkdtemp(join(tmpdir(), "androscope-cli-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const { samples, classes } = phantomDataset({ count: 12, seed: 3 });
  const rows = await Promise.all(
    samples.map(async (sample, i) => {
      await writeFile(join(root, `${i}.png`), await encodePng(await sample.load()));
      return `${i}.png,${classes[(i >> 1) % 2]},g${i % 4},${folds[i % folds.length]}`;
    }),
  );
  await writeFile(join(root, "manifest.csv"), ["path,label,group,fold", ...rows].join("\n"));
  return { root, out: join(root, "out") };
}

const refused = (code: string) => expect.objectContaining({ name: "AndroscopeError", code });

test("options that contradict each other, and folds that are not there", async () => {
  const { root, out } = await made(["a", "b", "c"]);
  const run = (options: object) =>
    command.run({ positionals: [root], options: { ...defaults, out, ...options }, progress: silent });
  await expect(run({ "test-fold": "a", k: 3 })).rejects.toEqual(refused("usage/bad-value"));
  await expect(run({ "test-fold": "a", group: "group" })).rejects.toEqual(refused("usage/bad-value"));
  await expect(run({ "train-folds": "a" })).rejects.toEqual(refused("usage/missing-argument"));
  await expect(run({ "test-fold": "d" })).rejects.toEqual(refused("data/no-fold"));
  await expect(run({ "test-fold": "a", "train-folds": "b,d" })).rejects.toEqual(refused("data/no-fold"));
  await expect(run({ "test-fold": "a", "train-folds": "a" })).rejects.toEqual(refused("usage/bad-value"));
});
