/** What experiments have left in experiments/results. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RowSummary, type Study, type StudyResults, summarizeStudy } from "../src/evaluation/index.ts";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));

/** Undefined where it was not computed. @param path in experiments/results */
export function readResults<T>(path: string): T | undefined {
  const file = join(RESULTS, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

const summaries = new Map<Study, RowSummary[]>();

/** The rows of a study that were computed. Summed up once: intervals and temperatures take seconds, and several documents tell them. */
export function summaryOf(study: Study): RowSummary[] {
  const known = summaries.get(study);
  if (known) return known;
  const results = readResults<StudyResults>(`studies/${study.name}.json`);
  const rows = results ? summarizeStudy(study, results) : [];
  summaries.set(study, rows);
  return rows;
}
