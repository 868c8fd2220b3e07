/**
 * What each spatial task of stage 1 earns, asked where it can show: in the heads that its features find alike, in the masks of
 * heads it never saw, and in how its pose follows a head that is turned. Accuracy at all labels cannot tell (docs/results.md).
 * Labels of training images alone take part; of test images there is no label in it.
 *
 *     androscope crossval data/hushem --folds data/hushem/folds.csv --seed 2 --set tune.steps=1 --set tune.wavelets=null \
 *       --out runs/tasks-all
 *     … and the same with distill.tasks.distance=0, .parts=0 and .rotation=0, two or three of them at a time
 *     node scripts/with-node.mjs experiments/spatial-tasks.ts data/hushem runs/tasks-*
 *
 * A minute for each run. What its tasks were, and its seed, a run says itself. Writes experiments/results/spatial-tasks.json.
 */
import { join } from "node:path";
import { openDataset } from "../src/datasets/index.ts";
import { quarterTurned } from "../src/evaluation/alterations.ts";
import type { TrainingChange } from "../src/evaluation/index.ts";
import {
  cropOf,
  type PreparedSet,
  prepare,
  pseudoMaskOf,
  resolveConfig,
  type SegmentedHead,
} from "../src/learning/index.ts";
import { median } from "../src/reports/index.ts";
import { readJson, terminalProgress, writeJson } from "../src/runs/index.ts";
import { dice } from "./field-crops.ts";
import type { TaskCount } from "./spatial-tasks-section.ts";
import { drawnLabels, featuresOf, likeliestLabels, stage1Of } from "./stage1-features.ts";

const REPEATS = 3;
const HIDDEN: TrainingChange = { labelled: 0.1 };
const FLIPPED: TrainingChange = { flipped: { share: 0.2 } };

const [data, ...runs] = process.argv.slice(2);
if (!data || runs.length === 0) throw new Error("usage: spatial-tasks.ts HUSHEM_FOLDER CROSSVAL_RUN…");
const progress = terminalProgress();
const dataset = await openDataset(data, { folds: join(data, "folds.csv") });
const set = await prepare(dataset, progress);
const quarter = turned();

/** The set with every crop turned clockwise by a right angle. */
function turned(): PreparedSet {
  const { side } = set;
  const pixels = new Uint8Array(set.pixels.length);
  const sizes = set.sizes.slice();
  for (const index of set.ids.keys()) {
    const { width, height, data } = quarterTurned(cropOf(set, index), 1);
    sizes.set([width, height], index * 2);
    for (let y = 0; y < height; y++)
      pixels.set(data.subarray(y * width * 3, (y + 1) * width * 3), (index * side + y) * side * 3);
  }
  return { ...set, pixels, sizes };
}

/** Degrees between two directions, 0 to 180. */
function between(a: SegmentedHead["pose"], b: SegmentedHead["pose"]): number {
  const cosine = a.axisX * b.axisX + a.axisY * b.axisY;
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}

const counts: TaskCount[] = [];
progress.start("Measuring", runs.length * 5);
for (const [r, run] of runs.entries()) {
  const { seed, ...how } = await readJson<{ seed: number; config: unknown }>(join(run, "config.json"));
  const config = resolveConfig(how.config);
  const { folds, images } = await readJson<{ folds: string[]; images: Record<string, string> }>(
    join(run, "splits.json"),
  );
  const labels = { unlabelled: 0, spread: 0, labels: 0, refined: 0 };
  const dices: number[] = [];
  const turns: number[] = [];
  for (const [f, fold] of folds.entries()) {
    const all = [...set.ids.keys()];
    const train = all.filter((i) => images[set.ids[i]!] !== fold);
    const test = all.filter((i) => images[set.ids[i]!] === fold);
    const network = await stage1Of(run, fold, { set, train, config });
    const heads = await network.headsOf(set, train);
    const stage1 = await featuresOf(set, heads, { weights: network.weights, network: config.network }, config);
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      for (const change of [HIDDEN, FLIPPED]) {
        const { train: labelled, unlabelled, given } = drawnLabels({ set, fold, members: train, change, repeat });
        const members = [...labelled, ...unlabelled];
        const likeliest = await likeliestLabels(members, given, set.classes.length, { stage1 });
        const right = members.map((index, i) => likeliest[i] === set.labels[index]);
        labels.unlabelled += unlabelled.length;
        labels.spread += right.slice(given.length).filter(Boolean).length;
        if (change === HIDDEN) continue;
        labels.labels += given.length;
        labels.refined += right.filter(Boolean).length;
      }
    }
    const [seen, seenTurned] = [await network.headsOf(set, test), await network.headsOf(quarter, test)];
    for (const index of test) {
      const { pose, cropMask } = seen.get(index)!;
      dices.push(dice(pseudoMaskOf(set, index), cropMask("mask")));
      // A quarter turn takes (x, y) to (−y, x).
      const expected = { ...pose, axisX: -pose.axisY, axisY: pose.axisX };
      turns.push(between(expected, seenTurned.get(index)!.pose));
    }
    progress.update(r * folds.length + f + 1, `${run}, ${fold}`);
  }
  const [heads, reversed] = [turns.length, turns.filter((degrees) => degrees > 90).length];
  const { tasks } = config.distill;
  counts.push({ tasks, seed, ...labels, heads, dice: median(dices), turn: median(turns), reversed });
  await writeJson(new URL("results/spatial-tasks.json", import.meta.url).pathname, counts);
}
progress.finish();
