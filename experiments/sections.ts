/** Parts of docs/results.md that are more than a study's table. */
import {
  ALTERATIONS,
  type AlterationName,
  argmax,
  bootstrap,
  calibrateFolds,
  chooseInside,
  computeMetrics,
  hitsOf,
  type Metrics,
  nestedAccuracies,
  type PredictionRow,
  probabilitiesOf,
  type StudyEntry,
  type StudyResults,
  type StudyRow,
} from "../src/evaluation/index.ts";

export const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
export const points = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`;
export const seedsOf = (count: number) => `${count} ${count === 1 ? "seed" : "seeds"}`;
export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Recipes compared inside training folds. */
export interface Search {
  about: string;
  rows: readonly StudyRow[];
  inner: StudyResults;
  /** The same rows on single folds, as far as they were computed. */
  outer: StudyResults;
}

function choicesOf({ rows, inner }: Search) {
  const done = rows.filter(({ name }) => inner.entries.some(({ row }) => row === name));
  const names = done.map(({ name }) => name);
  return { done, choices: chooseInside(inner, names) };
}

/** What choosing inside training folds is worth outside, seed by seed; undefined as long as what folds choose is not computed. */
export function nestedTold(search: Search): string | undefined {
  const nested = nestedAccuracies(choicesOf(search).choices, search.outer);
  if (nested.length === 0) return undefined;
  return nested.map(({ seed, accuracy }) => `${percent(accuracy)} (seed ${seed})`).join(", ");
}

/** What each recipe scores on single folds, where it was computed: every look at test images is told. */
function outsideTold({ rows, outer }: Search): string {
  return rows
    .flatMap(({ name }) => {
      const found = outer.entries.filter(({ row }) => row === name).map(({ accuracy }) => accuracy);
      return found.length > 0 ? [`\`${name}\` ${percent(mean(found))} (${seedsOf(found.length)})`] : [];
    })
    .join(", ");
}

/** Recipes compared inside training folds, and what choosing by that is worth outside. */
export function searchSection(search: Search): string {
  const { about, rows, inner } = search;
  const { done, choices } = choicesOf(search);
  const scoreOf = (fold: (typeof choices)[number], name: string) =>
    fold.scores.find(({ row }) => row === name)!.accuracy;
  const average = (name: string) => mean(choices.map((fold) => scoreOf(fold, name)));
  const first = done[0]!.name;
  const gain = (name: string) => {
    const entries = (row: string) => inner.entries.filter((entry) => entry.row === row);
    const pairs = entries(name).flatMap((a) => {
      const b = entries(first).find(({ seed }) => seed === a.seed);
      return b ? [[hitsOf(inner, a), hitsOf(inner, b)] as const] : [];
    });
    // By image, over the folds that it was predicted without: its four predictions are no four images.
    const ids = [...new Set(inner.images.map(({ id }) => id))];
    const byImage = pairs.map(([a, b]) =>
      ids.map((id) => {
        const at = inner.images.flatMap((image, i) => (image.id === id ? [i] : []));
        return mean(at.map((i) => Number(a[i]) - Number(b[i])));
      }),
    );
    const { low, high } = bootstrap(byImage);
    return `${points(mean(byImage.map(mean)))} (${points(low)} to ${points(high)})`;
  };
  const cells = done.map(({ name, what }) => {
    const folds = choices.map((fold) => {
      const value = (100 * scoreOf(fold, name)).toFixed(1);
      return fold.chosen === name ? `**${value}**` : value;
    });
    return `| \`${name}\` | ${what} | ${percent(average(name))} | ${name === first ? "" : gain(name)} | ${folds.join(" | ")} |`;
  });
  const left = rows.filter((row) => !done.includes(row)).map(({ name }) => `\`${name}\``);
  const nested = nestedTold(search);
  const outside = outsideTold(search);
  return [
    about,
    "",
    `| recipe | what | inside, mean of folds | against \`${first}\`, 95 % interval | ${choices.map(({ fold }) => `for ${fold}`).join(" | ")} |`,
    `|---|---|---|---|${choices.map(() => "---|").join("")}`,
    ...cells,
    "",
    "Bold: what the fold of that column would choose. Only the other folds' images count there, predicted by networks that saw neither.",
    ...(left.length > 0 ? ["", `Listed in the study and not computed: ${left.join(", ")}.`] : []),
    ...(nested ? ["", `**Nested accuracy**, each fold with the recipe it would choose: ${nested}.`] : []),
    ...(outside ? ["", `Outside, by which nothing was chosen: ${outside}.`] : []),
  ].join("\n");
}

function hitRate(results: StudyResults, packed: string): number {
  return mean(hitsOf(results, { probabilities: packed }).map(Number));
}

function changedRate(results: StudyResults, entry: StudyEntry, packed: string): number {
  const [plain, altered] = [probabilitiesOf(results, entry), probabilitiesOf(results, { probabilities: packed })];
  return mean(plain.map((p, i) => Number(argmax(p) !== argmax(altered[i]!))));
}

const withAltered = (results: StudyResults, row: string) =>
  results.entries.filter((entry) => entry.row === row && entry.altered);

/** Mean over the seeds of a row. */
export function alteredAccuracy(results: StudyResults, row: string, name: AlterationName): number {
  return mean(withAltered(results, row).map(({ altered }) => hitRate(results, altered![name]!)));
}

/** Share of the predictions that an alteration changes, mean over the seeds of a row. */
export function changedOnAverage(results: StudyResults, row: string, name: AlterationName): number {
  return mean(withAltered(results, row).map((entry) => changedRate(results, entry, entry.altered![name]!)));
}

/** What one row is better by than another on altered images, seed by seed, with an interval over images and seeds. */
function alteredGain(results: StudyResults, row: string, against: string, name: AlterationName): string {
  const differences = withAltered(results, row).flatMap(({ seed, altered }) => {
    const other = withAltered(results, against).find((entry) => entry.seed === seed);
    if (!other) return [];
    const [a, b] = [altered, other.altered].map((all) => hitsOf(results, { probabilities: all![name]! }));
    return [a!.map((hit, i) => Number(hit) - Number(b![i]))];
  });
  const { low, high } = bootstrap(differences);
  return `${points(mean(differences.map(mean)))} (${points(low)} to ${points(high)})`;
}

/** Altered test images, a column of accuracy and of changed predictions for each of the rows. */
export function robustnessSection(results: StudyResults, rows: readonly string[]): string {
  const entries = rows.map((row) => withAltered(results, row));
  if (entries.some((found) => found.length === 0)) return "Not computed yet.";
  const names = (Object.keys(ALTERATIONS) as AlterationName[]).filter((name) =>
    entries.every((found) => found.every(({ altered }) => altered?.[name])),
  );
  const cells = names.map((name) => {
    const { what, kind } = ALTERATIONS[name];
    const columns = rows.map(
      (row) => `${percent(alteredAccuracy(results, row, name))}, ${percent(changedOnAverage(results, row, name))}`,
    );
    return `| ${kind === "shortcut" ? "*shortcut* " : ""}${what} | ${columns.join(" | ")} |`;
  });
  const plain = entries.map((found) => percent(mean(found.map(({ accuracy }) => accuracy))));
  return [
    `| test images | ${rows.map((row, r) => `\`${row}\` (${seedsOf(entries[r]!.length)}): right, changed`).join(" | ")} |`,
    `|---|${rows.map(() => "---|").join("")}`,
    `| as they are | ${plain.join(" | ")} |`,
    ...cells,
    ...comparisonLines(results, rows),
  ].join("\n");
}

/** What a part of the method is there for, if for anything: the row that has it, one without it, and where it should show. */
const COMPARED: readonly { row: string; against: string; names: readonly AlterationName[] }[] = [
  { row: "whole", against: "posed", names: ["other-background", "other-stain", "tinted", "turned"] },
  {
    row: "wavelets-blur",
    against: "whole",
    names: ["other-stain", "grey", "35-pixels", "blurred", "other-background"],
  },
];

function comparisonLines(results: StudyResults, rows: readonly string[]): string[] {
  return COMPARED.flatMap(({ row, against, names }) => {
    const there = [row, against].every(
      (one) =>
        rows.includes(one) && withAltered(results, one).some(({ altered }) => names.every((name) => altered?.[name])),
    );
    if (!there) return [];
    const gains = names.map((name) => `${ALTERATIONS[name].what} ${alteredGain(results, row, against, name)}`);
    return ["", `\`${row}\` less \`${against}\`, points, 95 % interval over images and seeds: ${gains.join("; ")}.`];
  });
}

/**
 * Accuracy of the most certain images, over all predictions of a row's seeds, each fold with the temperature of the
 * others.
 */
export function coverageOf(results: StudyResults, row: string): Metrics["coverage"] {
  const entries = results.entries.filter((entry) => entry.row === row);
  const of = (entry: StudyEntry): PredictionRow[] => {
    const probabilities = probabilitiesOf(results, entry);
    return results.images.map((image, i) => ({ ...image, probabilities: probabilities[i]! }));
  };
  return computeMetrics(
    entries.flatMap((entry) => calibrateFolds(of(entry)).rows),
    results.classes,
  ).coverage;
}
