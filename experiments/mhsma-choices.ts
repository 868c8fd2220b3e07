/**
 * The choice of a recipe for MHSMA: trained on the part train, scored on the part valid; the part test is not read.
 *
 * Run: node scripts/with-node.mjs experiments/mhsma-choices.ts DATA [--init FOLDER] [RECIPE …]; results/mhsma-choices.json gets what is
 * missing. One seed, one thread.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { combinedClasses, MHSMA_STRUCTURES, openDataset } from "../src/datasets/index.ts";
import { computeMetrics } from "../src/evaluation/index.ts";
import { classify, networkForInit, prepare, readInit, resolveConfig, train } from "../src/learning/index.ts";
import { readJson, silent, writeJson } from "../src/runs/index.ts";
import { MHSMA_RECIPES, type MhsmaRecipe } from "./mhsma-recipes.ts";

export const CHOICES = fileURLToPath(new URL("results/mhsma-choices.json", import.meta.url));

export interface Choice extends MhsmaRecipe {
  seed: number;
  seconds: number;
  /** Of the 240 images of valid; absent for a structure that was not learned. */
  scores: Partial<Record<string, { correct: number; balancedAccuracy: number; rocArea: number; logLoss: number }>>;
}

const SEED = 1;

async function score(root: string, recipe: MhsmaRecipe, weights: string | undefined): Promise<Choice> {
  const { attribute = "all", size } = recipe;
  const config = resolveConfig(recipe.config);
  if (recipe.init && weights === undefined) throw new Error(`${recipe.name} needs --init FOLDER`);
  const init = recipe.init && (await readInit(weights!, networkForInit(config))).weights;
  const dataset = await openDataset(root, { attribute, size });
  const samples = dataset.samples.filter(({ fold }) => fold !== "test");
  const set = await prepare({ ...dataset, samples }, silent);
  const part = (name: string) => [...samples.keys()].filter((i) => samples[i]!.fold === name);
  const folder = await mkdtemp(join(tmpdir(), "androscope-choice-"));
  const begun = Date.now();
  const { parts } = await train({
    set,
    train: part("train"),
    config,
    ...(init ? { init } : {}),
    seed: SEED,
    // Part of the random streams: with another name the figures differ.
    name: "x",
    threads: 1,
    folder,
    progress: silent,
  });
  await rm(folder, { recursive: true });
  const classified = await classify(set, part("valid"), parts, { threads: 1 });
  const structures = attribute === "all" ? MHSMA_STRUCTURES : [attribute];
  const scores = structures.map((structure) => {
    const abnormal =
      attribute === "all" ? combinedClasses(structure as (typeof MHSMA_STRUCTURES)[number]) : [false, true];
    const rows = classified.map(({ index, probabilities }) => {
      const share = Math.min(
        1,
        probabilities.reduce((sum, p, c) => sum + (abnormal[c] ? p : 0), 0),
      );
      return {
        id: set.ids[index]!,
        fold: "",
        label: Number(abnormal[set.labels[index]!]),
        probabilities: [1 - share, share],
      };
    });
    const { correct, balancedAccuracy, rocArea, logLoss } = computeMetrics(rows, ["normal", "abnormal"]);
    return [structure, { correct, balancedAccuracy, rocArea: rocArea!, logLoss }] as const;
  });
  return {
    ...recipe,
    seed: SEED,
    seconds: Math.round((Date.now() - begun) / 1000),
    scores: Object.fromEntries(scores),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { init: { type: "string" } } });
  const [root, ...names] = positionals;
  if (root === undefined) throw new Error("DATA is missing");
  const done = existsSync(CHOICES) ? await readJson<Choice[]>(CHOICES) : [];
  for (const recipe of MHSMA_RECIPES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    if (
      done.some(({ name, config }) => name === recipe.name && JSON.stringify(config) === JSON.stringify(recipe.config))
    )
      continue;
    const found = await score(root, recipe, values.init);
    done.splice(0, done.length, ...done.filter(({ name }) => name !== recipe.name), found);
    await writeJson(CHOICES, done);
    process.stderr.write(`${recipe.name}: ${JSON.stringify(found.scores)}\n`);
  }
}
