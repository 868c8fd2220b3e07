/**
 * What learning a model's last layer from corrections is worth: the networks of a finished cross-validation on HuSHeM meet
 * their own unseen fold as another laboratory would show it (altered stain, lamp, focus, detail); two thirds of these images
 * are given with their true class as corrections, and the third that is left is judged before and after. Every image is in
 * that third once, so that each is judged by a network that has seen it in no form.
 *
 *     androscope crossval data/hushem --folds data/hushem/folds.csv --out runs/hushem
 *     node scripts/with-node.mjs experiments/adaptation.ts data/hushem runs/hushem
 *
 * About fifteen minutes on one core. Writes experiments/results/adaptation.json; adaptation-network.json is the same of
 * networks without wavelets beside them (seed 2, no --config, `adaptation-network` as a third argument).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataset } from "../src/datasets/index.ts";
import {
  ALTERATIONS,
  type AlterationName,
  adaptLastLayer,
  compareModels,
  drawFolds,
  type JudgedHead,
} from "../src/evaluation/index.ts";
import { pseudoMask } from "../src/heads/index.ts";
import { lastLayer, Model, withLastLayer } from "../src/learning/index.ts";
import { Random, readJson, terminalProgress, writeJson } from "../src/runs/index.ts";
import type { AdaptationRow } from "./adaptation-section.ts";

const SEED = 7;
const PARTS = 3;
const [data, run, result = "adaptation"] = process.argv.slice(2);
if (!data || !run) throw new Error("usage: adaptation.ts HUSHEM_FOLDER CROSSVAL_RUN [RESULT]");

const dataset = await openDataset(data, { folds: join(data, "folds.csv") });
const { folds, images } = await readJson<{ folds: string[]; images: Record<string, string> }>(join(run, "splits.json"));
const specimens = await Promise.all(
  dataset.samples.map(async (sample) => {
    const image = await sample.load();
    return { id: sample.id, label: sample.label!, image, mask: pseudoMask(image).mask, fold: images[sample.id]! };
  }),
);
const shifts = Object.entries(ALTERATIONS).filter(([, { kind }]) => kind === "shift") as [
  AlterationName,
  { what: string; apply: (typeof ALTERATIONS)[AlterationName]["apply"] },
][];
const versions = [{ name: "none", what: "as they are" }, ...shifts.map(([name, { what }]) => ({ name, what }))];

const progress = terminalProgress();
progress.start("Adapting networks", versions.length * folds.length);
const rows: AdaptationRow[] = [];
for (const [v, { name, what }] of versions.entries()) {
  const judged: JudgedHead[] = [];
  const strengths: AdaptationRow["strengths"] = [];
  let corrections = 0;
  for (const [f, fold] of folds.entries()) {
    const file = join(run, "models", `fold-${fold}.onnx`);
    const bytes = await readFile(file);
    const { layer, metadata } = lastLayer(bytes, file);
    const members = specimens.filter((one) => one.fold === fold);
    const crops = await Promise.all(
      members.map((one) =>
        name === "none"
          ? one.image
          : ALTERATIONS[name as AlterationName].apply(
              one,
              Random.seeded(SEED).stream("alteration", name, one.id),
              members,
            ),
      ),
    );
    const model = await Model.from(bytes, file, { threads: 1 });
    const before = await model.predict(crops);
    model.dispose();
    const heads = members.map(({ id, label }, i) => ({ id, label, group: id, features: before[i]!.features }));
    const parts = drawFolds(
      heads.map(({ id, label }) => ({ id, label, load: () => Promise.reject(new Error("not needed")) })),
      { k: PARTS, seed: SEED },
    );
    for (const part of parts.names.keys()) {
      const seen = heads.filter((_, i) => parts.fold[i] !== part);
      const rest = [...heads.keys()].filter((i) => parts.fold[i] === part);
      const adapted = await adaptLastLayer(layer, seen, { temperature: metadata.temperature, seed: SEED });
      strengths.push(Number.isFinite(adapted.strength) ? adapted.strength : null);
      corrections += seen.length / (PARTS * folds.length);
      const next = await Model.from(
        await withLastLayer(bytes, file, adapted.layer, {
          ...{ program: "experiment", heads: seen.length, strength: Math.min(adapted.strength, 1e9) },
        }),
        "adapted",
        { threads: 1 },
      );
      const after = await next.predict(rest.map((i) => crops[i]!));
      next.dispose();
      for (const [k, i] of rest.entries()) {
        const { label, group } = heads[i]!;
        judged.push({ label, group, before: before[i]!.probabilities, after: after[k]!.probabilities });
      }
    }
    progress.update(v * folds.length + f + 1, what);
  }
  const comparison = compareModels(judged, dataset.classes.length);
  rows.push({ name, what, corrections: Math.round(corrections), strengths, comparison });
  const { heads, correct, mended, spoilt, interval } = comparison;
  progress.log(
    `${what}: ${correct.before} → ${correct.after} of ${heads} (${mended} mended, ${spoilt} spoilt, ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})`,
  );
  await writeJson(new URL(`results/${result}.json`, import.meta.url).pathname, rows);
}
progress.finish();
