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
import { openDataset } from "../src/datasets/index.ts";
import type { TrainingChange } from "../src/evaluation/index.ts";
import { defaultConfig, prepare, type RefinementSettings } from "../src/learning/index.ts";
import { Random, readJson, terminalProgress, writeJson } from "../src/runs/index.ts";
import { ALIKE } from "./baselines.ts";
import type { RareClassCount, RefinementCount } from "./label-refinement-section.ts";
import { drawnLabels, featuresOf, likeliestLabels, stage1Of } from "./stage1-features.ts";

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
  const network = await stage1Of(run, fold, { set, train, config });
  const heads = await network.headsOf(set, train);
  const stage1 = await featuresOf(set, heads, { weights: network.weights, network: config.network }, config);
  const wavelets = await featuresOf(set, heads, { viewSize: 64 }, config);

  /** The likeliest class of each member; those with a label come first. */
  const refined = (
    members: readonly number[],
    given: readonly number[],
    by: RefinementCount["by"],
    settings?: RefinementSettings,
  ) => {
    const seen = { stage1: by === "wavelets" ? undefined : stage1, wavelets: by === "stage 1" ? undefined : wavelets };
    return likeliestLabels(members, given, classes, seen, settings);
  };
  const drawn = (members: readonly number[], change: TrainingChange, repeat: number) =>
    drawnLabels({ set, fold, members, change, repeat });

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
