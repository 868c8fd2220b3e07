/**
 * Stage 1 against experts: a network distilled from the pseudo-masks of half of the evaluation fields, without any
 * label, draws the masks of the other half, and the other way round; with `same` it learns from all of them and draws
 * the same ones, which no label forbids. Research use only.
 *
 *   androscope's Node: node experiments/stage1-masks.ts ../shared/data/fields halves|same [KEY=VALUE…]
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDataset } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";
import { distill } from "../src/learning/distill.ts";
import { colourStatistics } from "../src/learning/fold.ts";
import { loadConfig, prepare, pseudoMaskOf } from "../src/learning/index.ts";
import { Segmenter } from "../src/learning/segmenter.ts";
import { Random, terminalProgress, writeJson } from "../src/runs/index.ts";
import { dice, type FieldCrop, fieldCrops, summarize } from "./field-crops.ts";

const [fields, mode, ...settings] = process.argv.slice(2);
if (!fields || (mode !== "halves" && mode !== "same"))
  throw new Error("usage: stage1-masks.ts FIELDS_FOLDER halves|same [KEY=VALUE…]");
const config = await loadConfig(undefined, settings);
const threads = 2;
const seed = 1;
const progress = terminalProgress();

const folder = await mkdtemp(join(tmpdir(), "androscope-fields-"));
try {
  const crops: FieldCrop[] = [];
  for await (const crop of fieldCrops(fields)) {
    crops.push(crop);
    await writeFile(join(folder, `${crop.id}.png`), await encodePng(crop.image));
  }
  const set = await prepare(await openDataset(folder), progress);
  const byId = new Map(crops.map((crop) => [`${crop.id}.png`, crop]));
  const rows = set.ids.map((id, index) => ({ index, ...byId.get(id)! }));
  const measured: { field: number; stage0: number; stage1: number }[] = [];
  const trainings: { heads: number; seconds: number; replaced: number }[] = [];
  for (const half of mode === "same" ? [undefined] : [0, 1]) {
    const learned = ({ field }: { field: number }) => half === undefined || field % 2 === half;
    const members = rows.filter(learned).map(({ index }) => index);
    const geometry = { frameExtent: set.frameExtent, viewExtent: set.frameExtent, ...colourStatistics(set, members) };
    const begun = performance.now();
    progress.start(`Distilling from ${["even", "odd"][half ?? 2] ?? "all"} fields`, config.distill.steps);
    const { weights, replaced } = await distill({
      set,
      members,
      geometry,
      config,
      random: Random.seeded(seed).stream("fields", half ?? "all"),
      threads,
      onStep: (step, { loss }) => progress.update(step, `loss ${loss!.toFixed(3)}`),
    });
    progress.finish();
    trainings.push({
      heads: members.length,
      seconds: (performance.now() - begun) / 1000,
      replaced: replaced.length,
    });
    const others = rows.filter((row) => half === undefined || !learned(row));
    const segmenter = await Segmenter.create(weights, geometry, config.network, set.side, { threads });
    const expert = new Map(others.map((row) => [row.index, row]));
    for await (const { index, head } of segmenter.each(set, [...expert.keys()])) {
      const row = expert.get(index)!;
      measured.push({
        field: row.field,
        stage0: dice(pseudoMaskOf(set, index), row.expert),
        stage1: dice(head.cropMask("mask"), row.expert),
      });
    }
    segmenter.dispose();
  }
  const of = (stage: "stage0" | "stage1", chosen = measured) => summarize(chosen.map((row) => row[stage]));
  const results = {
    what: `Dice with the expert's head, crops of 160×160; stage 1 learned from the pseudo-masks of ${mode === "same" ? "the same crops" : "the other half of the fields"}`,
    config: config.distill,
    network: config.network,
    seed,
    threads,
    trainings,
    stage0: of("stage0"),
    stage1: of("stage1"),
    stage1OnEvenFields: of(
      "stage1",
      measured.filter(({ field }) => field % 2 === 0),
    ),
    stage1OnOddFields: of(
      "stage1",
      measured.filter(({ field }) => field % 2 === 1),
    ),
  };
  await writeJson(join(import.meta.dirname, `results/stage1-masks-${mode}.json`), results);
  console.log(JSON.stringify({ ...results, config: undefined }, null, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}
