/**
 * What the votes of SCIAN's three experts allow: how far an expert gets who is judged by the others, and what the
 * published labels are worth. No image is needed.
 *
 *   node experiments/scian-votes.ts ../shared/data/scian/votes_and_folds.csv
 */
import { join } from "node:path";
import { SCIAN_CLASSES } from "../src/datasets/index.ts";
import { type RaterSummary, summarizeRaters } from "../src/evaluation/index.ts";
import { parseCsv, readText, writeJson } from "../src/runs/index.ts";

export interface ScianVotes {
  classes: readonly string[];
  sets: { name: string; summary: RaterSummary }[];
}

if (process.argv[1] === import.meta.filename) {
  const [file] = process.argv.slice(2);
  if (!file) throw new Error("usage: scian-votes.ts VOTES_AND_FOLDS_CSV");
  const { rows } = parseCsv(await readText(file));
  const votesOf = (chosen: typeof rows) =>
    chosen.map(({ cells }) => ["expert1", "expert2", "expert3"].map((name) => Number(cells[name])));
  const results: ScianVotes = {
    classes: SCIAN_CLASSES,
    sets: [{ name: "partial agreement", summary: summarizeRaters(votesOf(rows), SCIAN_CLASSES.length) }],
  };
  await writeJson(join(import.meta.dirname, "results/scian-votes.json"), results);
}
