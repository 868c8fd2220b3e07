/**
 * How the settings of label refinement were chosen: inside the training folds of HuSHeM. For each fold, of the labels of its
 * training images some are flipped, or most are hidden; stage 1 of that fold, which saw these images without any label, has
 * its say; and counted is how many of the training images then have their published label. Test images take no part.
 * And what it does to a rare class: all but a few images of one class are taken away.
 *
 *     androscope crossval data/hushem --folds data/hushem/folds.csv --seed 2 --out runs/whole-2
 *     node scripts/with-node.mjs experiments/label-refinement.ts data/hushem runs/whole-2
 *
 * Some minutes on one core. Writes experiments/results/label-refinement.json and rare-classes.json.
 */
import { join } from "node:path";
import { parseState } from "../src/autodiff/index.ts";
import { openDataset } from "../src/datasets/index.ts";
import { changedTraining, type TrainingChange } from "../src/evaluation/index.ts";
import {
  colourStatistics,
  defaultConfig,
  headFeatures,
  prepare,
  type RefinementSettings,
  refineLabels,
  type SegmentedHead,
  Segmenter,
  viewExtentOf,
} from "../src/learning/index.ts";
import { Random, readArrays, readJson, terminalProgress, writeJson } from "../src/runs/index.ts";
import { ALIKE } from "./baselines.ts";
import type { RareClassCount, RefinementCount } from "./label-refinement-section.ts";

const CHANGES: Record<string, TrainingChange> = {
  "as published": {},
  "20 % flipped": { flipped: { share: 0.2 } },
  "40 % flipped": { flipped: { share: 0.4 } },
  "20 % flipped to the class they resemble": { flipped: { share: 0.2, to: ALIKE } },
  "90 % hidden": { labelled: 0.1 },
  "75 % hidden": { labelled: 0.25 },
};
const SETTINGS: RefinementSettings[] = [0.03, 0.1, 0.3].flatMap((ridge) =>
  [4, 8, 16].map((sharpness) => ({ ridge, sharpness })),
);
const BY = ["stage 1", "wavelets", "both"] as const;
const REPEATS = 3;
const RARE = [5, 10, 20];

const [data, run] = process.argv.slice(2);
if (!data || !run) throw new Error("usage: label-refinement.ts HUSHEM_FOLDER CROSSVAL_RUN");
const config = defaultConfig;
const session = { threads: 1 };
const progress = terminalProgress();
const dataset = await openDataset(data, { folds: join(data, "folds.csv") });
const set = await prepare(dataset, progress);
const { folds, images } = await readJson<{ folds: string[]; images: Record<string, string> }>(join(run, "splits.json"));
const classes = set.classes.length;

const counts: RefinementCount[] = [];
const rare: RareClassCount[] = [];
progress.start("Refining labels", folds.length * (Object.keys(CHANGES).length + 1));
for (const [f, fold] of folds.entries()) {
  const train = [...set.ids.keys()].filter((i) => images[set.ids[i]!] !== fold);
  const { stage1, wavelets: seenByWavelets } = await featuresOf(fold, train);

  /** The likeliest class of each member; those with a label come first. */
  const refined = async (
    members: readonly number[],
    given: readonly number[],
    by: RefinementCount["by"],
    settings?: RefinementSettings,
  ) => {
    const of = (seen: ReadonlyMap<number, Float32Array>) => flat(members.map((index) => seen.get(index)!));
    const features = by === "wavelets" ? undefined : of(stage1);
    const wavelets = by === "stage 1" ? undefined : of(seenByWavelets);
    const targets = Float32Array.from(
      given.flatMap((label) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0))),
    );
    const found = await refineLabels(
      { heads: members.length, features, wavelets, targets, classes },
      session,
      settings,
    );
    return members.map((_, i) => {
      const shares = [...found.targets.subarray(i * classes, (i + 1) * classes)];
      return shares.indexOf(Math.max(...shares));
    });
  };
  const drawn = (members: readonly number[], change: TrainingChange, repeat: number) => {
    const random = Random.seeded(100 + repeat).stream("training change", fold);
    const changed = changedTraining(members, (i) => set.labels[i]!, set.classes, change, random);
    const flipped = new Map(changed.relabelled);
    return { ...changed, given: changed.train.map((index) => flipped.get(index) ?? set.labels[index]!) };
  };

  for (const [c, [change, how]] of Object.entries(CHANGES).entries()) {
    for (const [by, settings] of BY.flatMap((one) => SETTINGS.map((pair) => [one, pair] as const))) {
      const total = { labels: 0, given: 0, refined: 0, unlabelled: 0, spread: 0 };
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const { train: labelled, unlabelled, given } = drawn(train, how, repeat);
        const members = [...labelled, ...unlabelled];
        const likeliest = await refined(members, given, by, settings);
        const right = members.map((index, i) => likeliest[i] === set.labels[index]);
        total.labels += given.length;
        total.given += given.filter((label, i) => label === set.labels[labelled[i]!]).length;
        total.refined += right.slice(0, given.length).filter(Boolean).length;
        total.unlabelled += unlabelled.length;
        total.spread += right.slice(given.length).filter(Boolean).length;
      }
      counts.push({ fold, change, by, ...settings, ...total });
    }
    progress.update(f * (Object.keys(CHANGES).length + 1) + c + 1, `${fold}, ${change}`);
  }
  await writeJson(new URL("results/label-refinement.json", import.meta.url).pathname, counts);

  for (const left of RARE) {
    for (const [by, share] of BY.flatMap((one) => [0, 0.2].map((part) => [one, part] as const))) {
      const total = { rare: 0, kept: 0, images: 0, right: 0 };
      for (let one = 0; one < classes; one++) {
        for (let repeat = 0; repeat < REPEATS; repeat++) {
          const few = Random.seeded(200 + repeat)
            .stream("rare", fold, one)
            .shuffle(train.filter((i) => set.labels[i] === one))
            .slice(0, left);
          const members = train.filter((i) => set.labels[i] !== one || few.includes(i));
          const { train: labelled, given } = drawn(members, { flipped: { share } }, repeat);
          const right = (await refined(labelled, given, by)).map((label, i) => label === set.labels[labelled[i]!]);
          total.images += labelled.length;
          total.right += right.filter(Boolean).length;
          total.rare += left;
          total.kept += right.filter((yes, i) => yes && set.labels[labelled[i]!] === one).length;
        }
      }
      rare.push({ fold, left, by, flipped: share, ...total });
    }
  }
  progress.update((f + 1) * (Object.keys(CHANGES).length + 1), `${fold}, rare classes`);
  await writeJson(new URL("results/rare-classes.json", import.meta.url).pathname, rare);
}
progress.finish();

type Seen = ReadonlyMap<number, Float32Array>;

/** What stage 1 of a fold, and wavelets, see in its training images, by sample. */
async function featuresOf(fold: string, train: readonly number[]): Promise<{ stage1: Seen; wavelets: Seen }> {
  const { arrays } = await readArrays(join(run!, "checkpoint", `fold-${fold}.distilled`));
  const distilled = parseState(arrays.weights as Uint8Array);
  const frame = { frameExtent: set.frameExtent, viewExtent: set.frameExtent, ...colourStatistics(set, train) };
  const segmenter = await Segmenter.create(distilled, frame, config.network, set.side, session);
  const heads = new Map<number, SegmentedHead>();
  for await (const { index, head } of segmenter.each(set, train)) heads.set(index, head);
  segmenter.dispose();
  const geometry = { ...frame, viewExtent: viewExtentOf(heads.values(), config.tune.margin) };
  const seenBy = async (source: Parameters<typeof headFeatures>[2]) => {
    const features = await headFeatures({ set, heads, geometry }, train, source, config, session);
    const width = features.length / train.length;
    return new Map(train.map((index, i) => [index, features.subarray(i * width, (i + 1) * width)]));
  };
  return {
    stage1: await seenBy({ weights: distilled, network: config.network }),
    wavelets: await seenBy({ viewSize: 64 }),
  };
}

function flat(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]!.length;
  const all = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}
