/** What a study says: means over seeds, ensembles of seeds, and differences between rows with paired intervals. */
import { bootstrap } from "./bootstrap.ts";
import { calibrateFolds } from "./calibration.ts";
import { argmax, computeMetrics, type Interval, wilson } from "./metrics.ts";
import { hitsOf, probabilitiesOf, type Study, type StudyEntry, type StudyResults } from "./study.ts";

export interface RowSummary {
  name: string;
  what: string;
  seeds: number[];
  accuracies: number[];
  mean: number;
  /** Over seeds; NaN with one. */
  deviation: number;
  calibrationError: number;
  /** The same, each fold with the temperature that suits the others. */
  calibratedError: number;
  /**
   * Mean probabilities of the seeds; absent with fewer than two, and where training images are changed: each seed draws its
   * own change, so that the mean would know labels that no single run was given.
   */
  ensemble?: { accuracy: number; interval: Interval };
  /** Against another row, over the seeds that both have. */
  difference?: { against: string; seeds: number; mean: number; interval: Interval };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function summarizeStudy(study: Study, results: StudyResults): RowSummary[] {
  return study.rows.flatMap((row) => {
    const entries = results.entries.filter((entry) => entry.row === row.name);
    if (entries.length === 0) return [];
    const accuracies = entries.map(({ accuracy }) => accuracy);
    const average = mean(accuracies);
    const deviation = Math.sqrt(
      accuracies.reduce((sum, value) => sum + (value - average) ** 2, 0) / (accuracies.length - 1),
    );
    const against = row.against ?? study.rows[0]!.name;
    return {
      name: row.name,
      what: row.what,
      seeds: entries.map(({ seed }) => seed),
      accuracies,
      mean: average,
      deviation,
      calibrationError: mean(entries.map(({ calibrationError }) => calibrationError)),
      calibratedError: mean(entries.map((entry) => calibratedError(results, entry))),
      ...(entries.length > 1 && !row.change ? { ensemble: ensembleOf(results, entries) } : {}),
      ...(against === row.name ? {} : { difference: differenceOf(results, row.name, against) }),
    };
  });
}

function calibratedError(results: StudyResults, entry: StudyEntry): number {
  const probabilities = probabilitiesOf(results, entry);
  const rows = results.images.map((image, i) => ({ ...image, probabilities: probabilities[i]! }));
  return computeMetrics(calibrateFolds(rows).rows, results.classes).calibrationError;
}

function ensembleOf(results: StudyResults, entries: StudyResults["entries"]) {
  const members = entries.map((entry) => probabilitiesOf(results, entry));
  const hits = results.images.filter(({ label }, i) => {
    const sums = results.classes.map((_, c) => members.reduce((sum, member) => sum + member[i]![c]!, 0));
    return argmax(sums) === label;
  }).length;
  return { accuracy: hits / results.images.length, interval: wilson(hits, results.images.length) };
}

/**
 * Mean difference of accuracy over the seeds that both rows have, and its 95 % bootstrap interval: images and seeds are
 * drawn with replacement, the same ones for both rows, so that what is hard for both does not widen it.
 */
function differenceOf(results: StudyResults, name: string, against: string): RowSummary["difference"] {
  const of = (row: string) => new Map(results.entries.filter((e) => e.row === row).map((e) => [e.seed, e]));
  const [mine, theirs] = [of(name), of(against)];
  const seeds = [...mine.keys()].filter((seed) => theirs.has(seed));
  if (seeds.length === 0) return undefined;
  const gains = seeds.map((seed) => {
    const [a, b] = [hitsOf(results, mine.get(seed)!), hitsOf(results, theirs.get(seed)!)];
    return a.map((hit, i) => Number(hit) - Number(b[i]));
  });
  return { against, seeds: seeds.length, mean: mean(gains.map(mean)), interval: bootstrap(gains) };
}
