/** What the recipe of the model that comes with the program confuses, out of fold: for models/hushem.confusion.json. */
import { fileURLToPath } from "node:url";
import { argmax, probabilitiesOf, type StudyResults } from "../src/evaluation/index.ts";
import { readJson, writeJson } from "../src/runs/index.ts";
import { DEFAULT } from "./aims.ts";

const STUDY = fileURLToPath(new URL("results/studies/ablation.json", import.meta.url));
const FILE = fileURLToPath(new URL("../models/hushem.confusion.json", import.meta.url));

/** Rows true, columns predicted: the recipe and seed of the shipped model, over the published folds. */
export async function bundledConfusion() {
  const results = await readJson<StudyResults>(STUDY);
  const entry = results.entries.find(({ row, seed }) => row === DEFAULT && seed === 1)!;
  const confusion = results.classes.map(() => results.classes.map(() => 0));
  for (const [i, p] of probabilitiesOf(results, entry).entries()) confusion[results.images[i]!.label]![argmax(p)]!++;
  return {
    about:
      "Out-of-fold confusion of the recipe and seed of hushem.onnx on HuSHeM's published folds: rows true classes, columns predicted ones.",
    classes: results.classes,
    confusion,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeJson(FILE, await bundledConfusion());
