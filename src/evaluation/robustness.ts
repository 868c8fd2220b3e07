/**
 * Robustness and shortcut tests: the networks of a cross-validation on altered versions of the images that each of them
 * never saw. Nothing is trained again.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "../datasets/index.ts";
import { pseudoMask } from "../heads/index.ts";
import type { Image } from "../imaging/index.ts";
import { Model } from "../learning/index.ts";
import { AndroscopeError, isAndroscopeError, type Progress, Random, readJson } from "../runs/index.ts";
import { ALTERATIONS, type AlterationName, type Specimen } from "./alterations.ts";
import type { CrossvalOptions } from "./crossval.ts";
import { foldModelFile } from "./fold-task.ts";
import { argmax, type Interval, wilson } from "./metrics.ts";
import { pairsOf } from "./splits.ts";

/** An image and a network that never saw it: every two folds kept out together, it is tested by several. */
export interface TestedImage {
  id: string;
  label: number;
  fold: string;
}

export interface AlteredPredictions {
  images: TestedImage[];
  /** Of the unaltered images, [image][class]. */
  plain: number[][];
  altered: Partial<Record<AlterationName, number[][]>>;
}

export interface RobustnessRow {
  name: AlterationName;
  what: string;
  kind: "shift" | "shortcut";
  accuracy: number;
  interval: Interval;
  /** Share of the images of which the class is another than without the alteration. */
  changed: number;
}

const BATCH = 16;

/** All alterations, in the order of tables. */
export const ALTERATION_NAMES = Object.keys(ALTERATIONS) as AlterationName[];

/**
 * @param folder of a finished cross-validation @param dataset the one that it was run on
 * @param options `threads` per operator; `seed` of what the alterations draw, the same for all networks
 * @throws `run/not-a-run` where models or folds are missing, `run/different` where the images are others
 */
export async function testRobustness(
  folder: string,
  dataset: Dataset,
  names: readonly AlterationName[],
  { threads, seed = 1, progress }: { threads: number; seed?: number; progress: Progress },
): Promise<AlteredPredictions> {
  const networks = await networksOf(folder, dataset);
  const concerned = new Set(networks.flatMap(({ tested }) => tested));
  const specimens = new Map<string, Specimen>();
  progress.start("Outlining heads", dataset.samples.length);
  for (const [i, { id, label, load }] of dataset.samples.entries()) {
    // What could not be read was told of when the run was made.
    const image = concerned.has(id) ? await load().catch(unlessBroken) : undefined;
    if (image && label !== undefined) specimens.set(id, { image, label, mask: pseudoMask(image).mask });
    progress.update(i + 1);
  }
  progress.finish();
  const images = networks
    .flatMap(({ fold, tested }) =>
      tested.flatMap((id) => (specimens.has(id) ? { id, label: specimens.get(id)!.label, fold } : [])),
    )
    .sort((a, b) => ((a.id === b.id ? a.fold < b.fold : a.id < b.id) ? -1 : 1));
  const versions = [undefined, ...names];
  const found = new Map(versions.map((name) => [name, new Map<TestedImage, number[]>()]));
  progress.start("Testing altered images", images.length * versions.length);
  let done = 0;
  for (const { fold } of networks) {
    const model = await Model.load(foldModelFile(folder, fold), { threads });
    try {
      const tested = images.filter((image) => image.fold === fold);
      // Backgrounds come from images of the same fold: those of the others were learnt from, with their class.
      const others = tested.map(({ id }) => specimens.get(id)!);
      for (const name of versions) {
        for (let from = 0; from < tested.length; from += BATCH) {
          const batch = tested.slice(from, from + BATCH);
          const crops: Image[] = [];
          for (const { id } of batch) {
            const specimen = specimens.get(id)!;
            const random = Random.seeded(seed).stream("alteration", name ?? "", id);
            crops.push(name ? await ALTERATIONS[name].apply(specimen, random, others) : specimen.image);
          }
          const predictions = await model.predict(crops);
          for (const [i, image] of batch.entries()) found.get(name)!.set(image, predictions[i]!.probabilities);
          progress.update((done += batch.length), `fold ${fold}, ${name ?? "as they are"}`);
        }
      }
    } finally {
      model.dispose();
    }
  }
  progress.finish();
  const probabilities = (name: AlterationName | undefined) => images.map((image) => found.get(name)!.get(image)!);
  return {
    images,
    plain: probabilities(undefined),
    altered: Object.fromEntries(names.map((name) => [name, probabilities(name)])),
  };
}

/** Accuracy on each alteration, and how many predictions it changes. */
export function robustnessRows({ images, plain, altered }: AlteredPredictions): RobustnessRow[] {
  return ALTERATION_NAMES.flatMap((name) => {
    const probabilities = altered[name];
    if (!probabilities) return [];
    const right = images.filter(({ label }, i) => argmax(probabilities[i]!) === label).length;
    const changed = images.filter((_, i) => argmax(probabilities[i]!) !== argmax(plain[i]!)).length;
    const { what, kind } = ALTERATIONS[name];
    return {
      ...{ name, what, kind, accuracy: right / images.length, interval: wilson(right, images.length) },
      changed: changed / images.length,
    };
  });
}

/** An image that cannot be read is passed over; anything else that goes wrong is told. */
function unlessBroken(error: unknown): undefined {
  if (!isAndroscopeError(error)) throw error;
}

/** The networks of a cross-validation by the folds that they never saw, and the images of these. */
async function networksOf(folder: string, dataset: Dataset): Promise<{ fold: string; tested: string[] }[]> {
  const [config, splits] = [join(folder, "config.json"), join(folder, "splits.json")];
  const notARun = (found: string) =>
    new AndroscopeError("run/not-a-run", {
      expected: "a finished cross-validation with the models of its folds",
      found,
      where: folder,
      fix: "Finish it with androscope crossval … --resume.",
    });
  if (!existsSync(config) || !existsSync(splits)) throw notARun("a folder without splits.json");
  const { folds, images } = await readJson<{ folds: string[]; images: Record<string, string> }>(splits);
  const run = await readJson<{ dataset?: { hash?: string }; split?: CrossvalOptions["split"] }>(config);
  const networks = testedBy(folds, run.split);
  const missing = networks.find(({ fold }) => !existsSync(foldModelFile(folder, fold)));
  if (missing !== undefined) throw notARun(`no model of fold ${missing.fold}`);
  if (run.dataset?.hash !== dataset.hash) {
    throw new AndroscopeError("run/different", {
      expected: "the images that the run was made with",
      found: "other images, labels or folds",
      where: dataset.root,
      fix: "Give the same dataset with the same options (--folds, --attribute, --agreement) as crossval got.",
    });
  }
  const all = Object.entries(images);
  return networks.map(({ fold, unseen }) => ({
    fold,
    tested: all.flatMap(([id, own]) => (unseen.includes(own) ? [id] : [])),
  }));
}

function testedBy(folds: readonly string[], split?: CrossvalOptions["split"]): { fold: string; unseen: string[] }[] {
  // Of a held-out split only one part was tested.
  if (split?.kind === "held-out") return [{ fold: split.test, unseen: [split.test] }];
  if (split?.kind === "pairs") {
    return pairsOf(folds).map(({ name, folds: pair }) => ({ fold: name, unseen: pair.map((f) => folds[f]!) }));
  }
  return folds.map((fold) => ({ fold, unseen: [fold] }));
}
