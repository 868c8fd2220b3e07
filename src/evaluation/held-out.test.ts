/** One part tested, one learned from: what the networks saw, and what the result says of it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { phantomDataset } from "../datasets/index.ts";
import { resolveConfig } from "../learning/index.ts";
import { silent } from "../runs/index.ts";
import { crossValidate } from "./crossval.ts";
import { writeCrossvalReport } from "./crossval-report.ts";
import { foldsInTurn } from "./fold-task.ts";
import { officialSplit } from "./splits.ts";

const TINY = resolveConfig({
  network: { widths: [4, 4, 8, 8], blocks: [1, 1, 1, 1], viewSize: 32 },
  distill: { steps: 2, batch: 4, teacher: { enabled: false } },
  tune: { steps: 2, batch: 4 },
});

test("the test part is tested once, the validation part is not touched, divided groups are told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-held-out-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const phantoms = phantomDataset({ count: 24, seed: 3, size: 72 });
  const place = ["train", "train", "valid", "test"];
  const samples = phantoms.samples.map((s, i) => ({ ...s, fold: place[i % 4]!, group: `g${i % 8 < 4 ? 0 : i}` }));
  const idsOf = (fold: string) => samples.filter((s) => s.fold === fold).map(({ id }) => id);
  const [train, tested] = [idsOf("train"), idsOf("test")];

  const seen: string[][] = [];
  const run = await crossValidate({
    dataset: { ...phantoms, samples },
    config: TINY,
    seed: 1,
    split: officialSplit(samples)!,
    out: join(folder, "run"),
    threads: 1,
    version: "0",
    licence: "",
    progress: silent,
    runFolds: async (tasks, folds) => {
      for (const task of tasks) {
        const names = (members: readonly number[]) => members.map((i) => folds.place.set.ids[i]!);
        seen.push(names(task.train), names(task.unlabelled), names(task.test));
      }
      await foldsInTurn(tasks, folds);
    },
  });
  expect(seen).toEqual([train, [], tested]);
  expect(run.rows.map(({ id }) => id)).toEqual(tested);
  expect(run.result).toMatchObject({
    count: tested.length,
    split: { kind: "held-out", test: "test", train: ["train"] },
    dataset: { images: train.length + tested.length },
  });
  expect(run.result.protocol).toContain("Trained on the part train alone, tested once on the part test");
  // g0 has images in both parts; every other group is of one image.
  expect(run.result.grouping).toEqual([{ key: "group", count: expect.any(Number), divided: 1 }]);

  const report = await readFile(await writeCrossvalReport(run, folder, { version: "0", command: "" }), "utf8");
  expect(report).toContain("Held-out test on phantoms");
  expect(report).toContain("The parts train, test come with the data; no other part was used.");
  expect(report).toContain("one part was held out and tested once");
  expect(report).not.toContain("NaN");
}, 60_000);
