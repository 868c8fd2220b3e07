/**
 * The studies on MHSMA as Markdown. Their networks learn the combination of head, acrosome and vacuole as one of eight
 * classes; here each structure's share is added up again.
 */
import { combinedClasses, MHSMA_STRUCTURES } from "../src/datasets/index.ts";
import {
  computeMetrics,
  type Metrics,
  type PredictionRow,
  probabilitiesOf,
  type StudyResults,
} from "../src/evaluation/index.ts";
import type { Choice } from "./mhsma-choices.ts";

export type Structure = (typeof MHSMA_STRUCTURES)[number];

const CLASSES = ["normal", "abnormal"];

/** Each image's answer for one structure, normal or abnormal; members as in {@link structureMetrics}. */
export function structureRows(
  results: Pick<StudyResults, "images" | "classes">,
  members: readonly StudyResults["entries"][number][],
  structure: Structure,
): PredictionRow[] {
  const abnormal = combinedClasses(structure);
  const all = members.map((entry) => probabilitiesOf(results as StudyResults, entry));
  return results.images.map(({ id, label, fold }, i) => {
    const shares = all.map((probabilities) => probabilities[i]!.reduce((sum, p, c) => sum + (abnormal[c] ? p : 0), 0));
    const share = Math.min(1, shares.reduce((a, b) => a + b, 0) / shares.length);
    return { id, fold, label: Number(abnormal[label]), probabilities: [1 - share, share] };
  });
}

/**
 * Figures of one structure. @param members entries of one row: a seed alone, or several whose probabilities are averaged
 */
export function structureMetrics(
  results: Pick<StudyResults, "images" | "classes">,
  members: readonly StudyResults["entries"][number][],
  structure: Structure,
): Metrics {
  return computeMetrics(structureRows(results, members, structure), CLASSES);
}

const FIGURES = ["accuracy", "balancedAccuracy", "matthews", "rocArea"] as const;
type Figure = (typeof FIGURES)[number] | "fHalf";
const figureOf = (metrics: Metrics, figure: Figure): number =>
  figure === "fHalf" ? metrics.perClass[0]!.fHalf : metrics[figure]!;

const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
const shown = (value: number, figure: Figure) =>
  figure === "accuracy" || figure === "balancedAccuracy" ? percent(value) : value.toFixed(3);

/** Mean over seeds, and the deviation where there are several. */
function overSeeds(each: readonly Metrics[], figure: Figure): string {
  const values = each.map((metrics) => figureOf(metrics, figure));
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
  if (values.length === 1) return shown(mean, figure);
  const spread = shown(deviation, figure).replace(" %", "");
  return `${shown(mean, figure)} ± ${spread}`;
}

/** What others report: a figure, and who. */
export interface Published {
  structure: Structure;
  who: string;
  accuracy?: string;
  fHalf?: string;
}

const COLUMNS = "| | accuracy | 95 % interval | balanced | MCC | area under ROC | F0.5, normal positive |";

const cells = (label: string, values: readonly string[]) => `| ${label} | ${values.join(" | ")} |`;

/** A table of every structure: the frequent class, what is published, and each row of some studies. */
export function mhsmaTables(
  studies: readonly { results: StudyResults; rows: readonly { name: string; what: string }[] }[],
  published: readonly Published[] = [],
): string {
  return MHSMA_STRUCTURES.flatMap((structure) => {
    const lines = [
      `**${structure[0]!.toUpperCase()}${structure.slice(1)}**`,
      "",
      COLUMNS,
      "|---|---|---|---|---|---|---|",
    ];
    const abnormal = combinedClasses(structure);
    const { images } = studies[0]!.results;
    const normal = images.filter(({ label }) => !abnormal[label]).length / images.length;
    // Precision is the share of the normal ones, recall is 1.
    const fHalf = (1.25 * normal) / (0.25 * normal + 1);
    lines.push(cells("always normal", [percent(normal), "", percent(0.5), "0", "0.5", fHalf.toFixed(3)]));
    for (const { who, accuracy = "", fHalf: f = "" } of published.filter((p) => p.structure === structure)) {
      lines.push(cells(who, [accuracy, "", "", "", "", f]));
    }
    for (const { results, rows } of studies) {
      for (const { name, what } of rows) {
        const entries = results.entries.filter((entry) => entry.row === name);
        if (entries.length === 0) continue;
        const each = entries.map((entry) => structureMetrics(results, [entry], structure));
        const seeds = entries.length > 1 ? `mean of ${entries.length} seeds ± deviation` : `seed ${entries[0]!.seed}`;
        const several = [
          overSeeds(each, "accuracy"),
          "",
          ...(["balancedAccuracy", "matthews", "rocArea", "fHalf"] as const).map((f) => overSeeds(each, f)),
        ];
        lines.push(cells(`${what}, ${seeds}`, several));
        if (entries.length > 1) lines.push(ensembleLine(what, structureMetrics(results, entries, structure)));
      }
    }
    return [...lines, ""];
  })
    .join("\n")
    .trimEnd();
}

function ensembleLine(what: string, metrics: Metrics): string {
  const { low, high } = metrics.accuracyInterval;
  const rest = (["balancedAccuracy", "matthews", "rocArea", "fHalf"] as const).map((f) =>
    shown(figureOf(metrics, f), f),
  );
  return cells(`${what}, the seeds' mean probabilities`, [
    percent(metrics.accuracy),
    `${percent(low)} to ${percent(high)}`,
    ...rest,
  ]);
}

/**
 * `79.0 / 78.7 / 89.8 % (2 seeds; together 80.3 / 79.7 / 90.3 %)`: head, acrosome and vacuole, mean over the seeds of a row
 * and by their mean probabilities; nothing where it has none.
 */
export function accuraciesOf(results: StudyResults, row: string): string {
  const entries = results.entries.filter((entry) => entry.row === row);
  if (entries.length === 0) return "";
  const told = (ofStructure: (structure: Structure) => number) =>
    `${MHSMA_STRUCTURES.map((structure) => (100 * ofStructure(structure)).toFixed(1)).join(" / ")} %`;
  const means = told((structure) => {
    const each = entries.map((entry) => structureMetrics(results, [entry], structure).accuracy);
    return each.reduce((a, b) => a + b, 0) / each.length;
  });
  if (entries.length === 1) return `${means} (1 seed)`;
  const together = told((structure) => structureMetrics(results, entries, structure).accuracy);
  return `${means} (${entries.length} seeds; together ${together})`;
}

/** What was tried, in its order. */
export function choicesTable(choices: readonly Choice[]): string {
  const score = ({ scores }: Choice, structure: Structure) => {
    const found = scores[structure];
    if (!found) return "";
    return `${found.correct}, ${percent(found.balancedAccuracy)}, ${found.rocArea.toFixed(3)}`;
  };
  return [
    `| recipe | what | ${MHSMA_STRUCTURES.join(" | ")} |`,
    `|---|---|${MHSMA_STRUCTURES.map(() => "---").join("|")}|`,
    ...choices.map((choice) =>
      cells(`\`${choice.name}\``, [choice.what, ...MHSMA_STRUCTURES.map((structure) => score(choice, structure))]),
    ),
  ].join("\n");
}
