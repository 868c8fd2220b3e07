/**
 * Stage 0 against experts: Dice of the pseudo-mask of every head in the evaluation fields. Settings were chosen on the
 * even fields only; the odd ones were held out. Research use only.
 *
 *   androscope's Node: node experiments/stage0-masks.ts ../shared/data/fields
 */
import { join } from "node:path";
import { DEFAULT_OPTIONS, pseudoMask } from "../src/heads/index.ts";
import { terminalProgress, writeJson } from "../src/runs/index.ts";
import { dice, fieldCrops, summarize } from "./field-crops.ts";

const fields = process.argv[2];
if (!fields) throw new Error("usage: stage0-masks.ts FIELDS_FOLDER");
const progress = terminalProgress();
const rows: { id: string; field: number; dice: number; reliability: number; accepted: boolean }[] = [];
const begun = performance.now();
let computing = 0;
progress.start("Stage 0 on the evaluation fields", 928);
for await (const { id, field, image, expert } of fieldCrops(fields)) {
  const from = performance.now();
  const { mask, reliability, accepted } = pseudoMask(image);
  computing += performance.now() - from;
  rows.push({ id, field, dice: dice(mask, expert), reliability, accepted });
  progress.update(rows.length);
}
progress.finish();
const of = (chosen: typeof rows) => summarize(chosen.map((row) => row.dice));
const results = {
  what: "Dice of stage 0's mask with the expert's head (vacuole, acrosome and nucleus), crops of 160×160",
  options: DEFAULT_OPTIONS,
  development: of(rows.filter(({ field }) => field % 2 === 0)),
  heldOut: of(rows.filter(({ field }) => field % 2 === 1)),
  all: of(rows),
  accepted: rows.filter(({ accepted }) => accepted).length / rows.length,
  correlationOfReliabilityWithDice: correlation(
    rows.map((row) => row.reliability),
    rows.map((row) => row.dice),
  ),
  millisecondsPerCrop: computing / rows.length,
  seconds: (performance.now() - begun) / 1000,
};
await writeJson(join(import.meta.dirname, "results/stage0-masks.json"), results);
console.log(JSON.stringify(results, null, 2));

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]) => v.reduce((sum, x) => sum + x, 0) / v.length;
  const [ma, mb] = [mean(a), mean(b)];
  const moment = (u: readonly number[], mu: number, v: readonly number[], mv: number) =>
    mean(u.map((x, i) => (x - mu) * (v[i]! - mv)));
  return moment(a, ma, b, mb) / Math.sqrt(moment(a, ma, a, ma) * moment(b, mb, b, mb));
}
