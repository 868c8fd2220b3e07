/** What experiments have left in experiments/results. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Study, type StudyResults, summarizeStudy } from "../src/evaluation/index.ts";

const RESULTS = fileURLToPath(new URL("results/", import.meta.url));

/** Undefined where it was not computed. @param path in experiments/results */
export function readResults<T>(path: string): T | undefined {
  const file = join(RESULTS, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The rows of a study that were computed. */
export const summaryOf = (study: Study) => {
  const results = readResults<StudyResults>(`studies/${study.name}.json`);
  return results ? summarizeStudy(study, results) : [];
};
