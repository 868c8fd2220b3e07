/** Studies on phantoms: what is there is not computed again, what was stopped goes on, and sharing stage 1 changes nothing. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Dataset, phantomDataset } from "../datasets/index.ts";
import { readArrays, silent } from "../runs/index.ts";
import { crossValidate } from "./crossval.ts";
import { foldsInTurn } from "./fold-task.ts";
import { chooseInside } from "./nested.ts";
import { configOf, probabilitiesOf, runStudy, type Study, type StudyRow } from "./study.ts";
import type { TrainingChange } from "./training-change.ts";

const TINY = {
  network: { widths: [4, 4, 8, 8], blocks: [1, 1, 1, 1], viewSize: 32 },
  distill: { steps: 3, batch: 4, teacher: { enabled: false } },
};
/** What all studies here have in common. */
const ALIKE = { threads: 1, version: "0", licence: "", progress: silent };
const study: Study = {
  name: "tiny",
  title: "Tiny",
  about: "",
  seeds: [1, 2],
  rows: [
    { name: "few-steps", what: "one step", config: { ...TINY, tune: { wavelets: null, steps: 1, batch: 4 } } },
    {
      name: "more-steps",
      what: "three steps, a third of the labels wrong",
      config: { ...TINY, tune: { wavelets: null, steps: 3, batch: 4 } },
      change: { flipped: { share: 0.3 } },
    },
    {
      name: "other-rate",
      what: "another rate",
      config: { ...TINY, tune: { wavelets: null, steps: 1, batch: 4, learningRate: 0.01 } },
    },
  ],
};

function phantoms(): Dataset {
  const dataset = phantomDataset({ count: 24, seed: 3, size: 72 });
  return { ...dataset, samples: dataset.samples.map((s, i) => ({ ...s, fold: `${Math.floor(i / 4) % 2}` })) };
}

test("computes what is missing, keeps what is there, and shares stage 1 without changing a bit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-study-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const dataset = phantoms();
  let folds = 0;
  let fail = Number.POSITIVE_INFINITY;
  const common = {
    dataset,
    ...ALIKE,
    runFolds: async (...[tasks, run]: Parameters<typeof foldsInTurn>) => {
      for (const task of tasks) {
        if (folds >= fail) throw new Error("stopped");
        folds++;
        await foldsInTurn([task], run);
      }
    },
  };
  const run = { ...common, study, results: join(folder, "results.json"), folder: join(folder, "runs") };

  // Stopped in the middle: what was finished is in the file, and only the rest is computed afterwards.
  fail = 5;
  await expect(runStudy(run)).rejects.toThrow("stopped");
  fail = Number.POSITIVE_INFINITY;
  const whole = await runStudy(run);
  expect(whole.entries.map(({ row, seed }) => `${row} ${seed}`)).toEqual(
    study.rows.flatMap(({ name }) => [`${name} 1`, `${name} 2`]),
  );
  // Two folds each of three rows with two seeds, none of them twice.
  expect(folds).toBe(12);
  expect(await readdir(join(folder, "runs"))).toEqual(["stage1"]);

  const before = await readFile(run.results, "utf8");
  expect((await runStudy(run)).entries).toEqual(whole.entries);
  expect(folds).toBe(12);
  expect(await readFile(run.results, "utf8")).toBe(before);

  // A changed row is computed again, the others are not.
  const changed = structuredClone(study) as { rows: { config: unknown }[] } & Study;
  changed.rows[2]!.config = { ...TINY, tune: { wavelets: null, steps: 2, batch: 4 } };
  const again = await runStudy({ ...run, study: changed, seeds: [2] });
  expect(folds).toBe(14);
  expect(again.entries).toHaveLength(6);
  expect(again.entries.slice(0, 4)).toEqual(whole.entries.slice(0, 4));

  // The row whose stage 1 came from another run, alone and without sharing: the same probabilities.
  const row = study.rows[2]!;
  const alone = await crossValidate({
    ...common,
    config: configOf(study, row),
    seed: 1,
    split: { kind: "published" },
    out: join(folder, "alone"),
  });
  const kept = whole.entries.find((entry) => entry.row === row.name && entry.seed === 1)!;
  const found = new Map(alone.rows.map(({ id, probabilities }) => [id, probabilities]));
  for (const [i, probabilities] of probabilitiesOf(whole, kept).entries()) {
    const expected = found.get(whole.images[i]!.id)!;
    for (const [c, p] of probabilities.entries()) expect(Math.abs(p - expected[c]!)).toBeLessThan(1 / 65535);
  }
}, 120_000);

test("stage 1 is computed once for a fold, whichever of its labels are kept or right", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-study-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const config = { ...TINY, tune: { wavelets: null, steps: 1, batch: 4 } };
  const row = (name: string, change: TrainingChange): StudyRow => ({ name, what: name, config, change });
  const labels = [row("all", {}), row("half", { labelled: 0.5 }), row("flipped", { flipped: { share: 0.5 } })];
  const run = async (name: string, rows: StudyRow[]) => {
    const runs = join(folder, name);
    await runStudy({
      study: { ...study, seeds: [1], rows },
      dataset: phantoms(),
      ...ALIKE,
      results: join(folder, `${name}.json`),
      folder: runs,
    });
    const kept = (await readdir(join(runs, "stage1"))).sort();
    return Promise.all(kept.map(async (file) => (await readArrays(join(runs, "stage1", file))).arrays));
  };

  const shared = await run("shared", labels);
  expect(shared).toHaveLength(2);
  // The one that keeps half of its labels, alone: what it computes is what the others computed.
  const alone = await run("alone", labels.slice(1, 2));
  expect(alone).toEqual(shared);

  // Fewer images are another stage 1.
  expect(await run("fewer", [labels[0]!, row("fewer", { images: 0.5 })])).toHaveLength(4);
}, 120_000);

test("with only some folds, images of the others are neither trained on nor tested", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-study-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const dataset = phantomDataset({ count: 24, seed: 3, size: 72 });
  const parts = ["train", "valid", "test"];
  const samples = dataset.samples.map((sample, i) => ({ ...sample, fold: parts[Math.floor(i / 4) % 3]! }));
  const seen = new Set<number>();
  const results = await runStudy({
    study: {
      ...study,
      seeds: [1],
      rows: study.rows.slice(0, 1),
      only: ["train", "valid"],
      split: { kind: "drawn", k: 2 },
    },
    dataset: { ...dataset, samples },
    ...ALIKE,
    results: join(folder, "results.json"),
    folder: join(folder, "runs"),
    runFolds: async (tasks, run) => {
      for (const { train, test } of tasks) for (const i of [...train, ...test]) seen.add(i);
      await foldsInTurn(tasks, run);
    },
  });
  const kept = samples.filter(({ fold }) => fold !== "test");
  expect(seen.size).toBe(kept.length);
  expect(results.images.map(({ id }) => id).sort()).toEqual(kept.map(({ id }) => id).sort());
}, 120_000);

test("in pairs every image is predicted once for each other fold, by a network that saw neither", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-study-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const phantom = phantomDataset({ count: 24, seed: 3, size: 72 });
  const samples = phantom.samples.map((s, i) => ({ ...s, fold: `F${Math.floor(i / 4) % 3}` }));
  const foldOf = new Map(samples.map(({ id, fold }) => [id, fold]));
  const found = await runStudy({
    study: { ...study, split: "pairs", seeds: [1], rows: study.rows.slice(0, 1) },
    dataset: { ...phantom, samples },
    ...ALIKE,
    results: join(folder, "results.json"),
    folder: join(folder, "runs"),
    runFolds: async (tasks, run) => {
      for (const { fold, train, test: tested } of tasks) {
        const held = fold.split("+");
        for (const i of train) expect(held).not.toContain(foldOf.get(run.place.set.ids[i]!));
        for (const i of tested) expect(held).toContain(foldOf.get(run.place.set.ids[i]!));
        expect(train.length + tested.length).toBe(24);
      }
      await foldsInTurn(tasks, run);
    },
  });
  expect(found.images).toHaveLength(48);
  expect(new Set(found.images.map(({ id, fold }) => `${id} ${fold}`)).size).toBe(48);
  const choices = chooseInside(found, ["few-steps"]);
  expect(choices.map(({ fold }) => fold)).toEqual(["F0", "F1", "F2"]);
  const { correct } = found.entries[0]!;
  expect(choices.reduce((sum, { scores }) => sum + scores[0]!.accuracy * 16, 0)).toBeCloseTo(correct, 9);
}, 120_000);
