/**
 * What the model that comes with the program does with what it was not made for: crops without a head, heads of another
 * stain and scale, drawn heads. And how many heads like those it knows are refused, by networks that never saw them.
 *
 *   node scripts/with-node.mjs experiments/shipped-model.ts CROSSVAL-RUN HUSHEM FIELDS
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generatePhantoms, openDataset } from "../src/datasets/index.ts";
import { foldModelFile } from "../src/evaluation/fold-task.ts";
import type { CrossvalResult } from "../src/evaluation/index.ts";
import { type Image, resized } from "../src/imaging/index.ts";
import {
  BUNDLED_MODEL,
  fitAcceptance,
  Model,
  type Prediction,
  type Refusal,
  refusalOf,
} from "../src/learning/index.ts";
import { readJson, writeJson } from "../src/runs/index.ts";
import { fieldCrops } from "./field-crops.ts";
import { nonHeads } from "./non-heads.ts";

/** Of crops of one kind. */
export interface Behaviour {
  what: string;
  images: number;
  refused: Record<Refusal, number>;
  /** How often each class is named among those that are not refused. */
  named: Record<string, number>;
  /** Of those, where the class is known. */
  right?: number;
}

export interface ShippedModel {
  training: Model["metadata"]["training"];
  temperature: number;
  acceptance: Model["metadata"]["acceptance"];
  bytes: number;
  crossval: Pick<
    CrossvalResult,
    "seed" | "count" | "correct" | "accuracy" | "accuracyInterval" | "balancedAccuracy" | "macroF1"
  > & {
    classes: { name: string; support: number; recall: number; precision: number }[];
    calibrationError: number;
  };
  /** Heads that their fold's network never saw, by its limits. */
  known: { images: number; refused: Record<Refusal, number>; rightOfAccepted: number };
  others: Behaviour[];
}

export const SHIPPED = fileURLToPath(new URL("results/shipped-model.json", import.meta.url));
const BATCH = 16;

async function behaviour(
  model: Model,
  what: string,
  images: readonly Image[],
  labels?: readonly string[],
): Promise<Behaviour> {
  const { classes } = model.metadata;
  const found: Behaviour = {
    what,
    images: images.length,
    refused: { mask: 0, size: 0 },
    named: Object.fromEntries(classes.map((name) => [name, 0])),
    ...(labels ? { right: 0 } : {}),
  };
  for (let from = 0; from < images.length; from += BATCH) {
    const predictions = await model.predict(images.slice(from, from + BATCH));
    for (const [i, { label, refused }] of predictions.entries()) {
      if (refused) found.refused[refused]++;
      else {
        found.named[classes[label]!]!++;
        if (labels && labels[from + i] === classes[label]) found.right!++;
      }
    }
  }
  return found;
}

/** Every fold's images by the network that never saw them, with its limits: those of the heads that it learned from. */
async function knownHeads(run: string, hushem: string): Promise<ShippedModel["known"]> {
  const dataset = await openDataset(hushem, { folds: join(hushem, "folds.csv") });
  const images = await Promise.all(dataset.samples.map(({ load }) => load()));
  const refused = { mask: 0, size: 0 };
  let [right, accepted] = [0, 0];
  for (const fold of new Set(dataset.samples.map((sample) => sample.fold!))) {
    const model = await Model.load(foldModelFile(run, fold), { threads: 1 });
    const seen: Prediction[] = [];
    for (let from = 0; from < images.length; from += BATCH) {
      seen.push(...(await model.predict(images.slice(from, from + BATCH))));
    }
    model.dispose();
    const limits = fitAcceptance(seen.filter((_, i) => dataset.samples[i]!.fold !== fold));
    for (const [i, sample] of dataset.samples.entries()) {
      if (sample.fold !== fold) continue;
      const why = refusalOf(seen[i]!, limits);
      if (why) refused[why]++;
      else {
        accepted++;
        if (seen[i]!.label === sample.label) right++;
      }
    }
  }
  return { images: images.length, refused, rightOfAccepted: right / accepted };
}

/** The middle of a crop, so many pixels wide. */
function middle({ width, height, data }: Image, side: number): Image {
  const [left, top] = [(width - side) >> 1, (height - side) >> 1];
  const out = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * 3;
    out.set(data.subarray(from, from + side * 3), y * side * 3);
  }
  return { width: side, height: side, data: out };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [run, hushem, fields] = process.argv.slice(2) as [string, string, string];
  const result = await readJson<CrossvalResult>(join(run, "metrics.json"));
  const model = await Model.load(BUNDLED_MODEL, { threads: 1 });
  const { training, temperature, acceptance, frameExtent } = model.metadata;
  const side = Math.round(frameExtent / 2) * 2;
  const places = { debris: [] as Image[], ground: [] as Image[] };
  for await (const { kind, image } of nonHeads(fields, side, 2)) places[kind].push(image);
  const heads: Image[] = [];
  for await (const { image } of fieldCrops(fields)) heads.push(image);
  // Their heads are 1.7 times as long in pixels as HuSHeM's.
  const scaled: Image[] = [];
  for (const image of heads) scaled.push(await resized(image, 96, 96));
  const phantoms = [...generatePhantoms({ count: 300, seed: 11 })].filter(({ kind }) =>
    model.metadata.classes.includes(kind),
  );
  const document: ShippedModel = {
    training,
    temperature,
    acceptance,
    bytes: (await readFile(BUNDLED_MODEL)).length,
    crossval: {
      seed: result.seed,
      count: result.count,
      correct: result.correct,
      accuracy: result.accuracy,
      accuracyInterval: result.accuracyInterval,
      balancedAccuracy: result.balancedAccuracy,
      macroF1: result.macroF1,
      classes: result.perClass.map(({ name, support, recall, precision }) => ({ name, support, recall, precision })),
      calibrationError: result.calibrated.calibrationError,
    },
    known: await knownHeads(run, hushem),
    others: [
      await behaviour(model, "debris, stain drops and other cells of another laboratory's smears", places.debris),
      await behaviour(model, "bare ground of these smears", places.ground),
      await behaviour(
        model,
        "heads of these smears (another stain, 1.7 times as many pixels long)",
        heads.map((image) => middle(image, side)),
      ),
      await behaviour(model, "the same heads, brought to HuSHeM's scale", scaled),
      await behaviour(
        model,
        "heads drawn by the phantom generator",
        phantoms.map(({ image }) => image),
        phantoms.map(({ kind }) => kind),
      ),
    ],
  };
  model.dispose();
  await writeJson(SHIPPED, document);
  console.log(JSON.stringify(document, null, 1));
}
