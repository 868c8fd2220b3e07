/** MHSMA's search as Markdown: what each recipe has of all structures, and how it differs from the first. */
import { MHSMA_STRUCTURES } from "../src/datasets/index.ts";
import { argmax, bootstrap, type StudyResults, type StudyRow } from "../src/evaluation/index.ts";
import { type Structure, structureMetrics, structureRows } from "./mhsma.ts";
import { mean, percent, points } from "./sections.ts";

/** @param rows the first is what the others are compared with; those with a result are told, by their first seed */
export function mhsmaSearchSection(results: StudyResults, rows: readonly Pick<StudyRow, "name" | "what">[]): string {
  const done = rows.flatMap(({ name, what }) => {
    const entry = results.entries.find(({ row }) => row === name);
    return entry ? [{ name, what, entry }] : [];
  });
  const [first] = done;
  if (!first) return "Not computed yet.";
  const hits = ({ entry }: typeof first, structure: Structure) =>
    structureRows(results, [entry], structure).map(({ probabilities, label }) =>
      Number(argmax(probabilities) === label),
    );
  const against = (row: typeof first, structure: Structure) => {
    const others = hits(first, structure);
    const gains = hits(row, structure).map((hit, i) => hit - others[i]!);
    const { low, high } = bootstrap([gains]);
    return ` ${points(mean(gains))} (${points(low)} to ${points(high)}),`;
  };
  const lines = done.map((row) => {
    const figures = MHSMA_STRUCTURES.map((structure) => structureMetrics(results, [row.entry], structure));
    const cells = figures.map(({ accuracy, rocArea }, s) => {
      const difference = row === first ? "" : against(row, MHSMA_STRUCTURES[s]!);
      return `${percent(accuracy)},${difference} ${rocArea!.toFixed(3)}`;
    });
    const area = mean(figures.map(({ rocArea }) => rocArea!));
    return `| \`${row.name}\` | ${row.what} | ${cells.join(" | ")} | ${area.toFixed(3)} |`;
  });
  return [
    `| recipe | what | ${MHSMA_STRUCTURES.join(" | ")} | mean area |`,
    `|---|---|${MHSMA_STRUCTURES.map(() => "---|").join("")}---|`,
    ...lines,
  ].join("\n");
}

/** A fifth of the images, by the reliability of their pseudo-masks; shares of each structure. */
export interface ReliabilityFifth {
  images: number;
  /** Least and largest. */
  reliability: [number, number];
  abnormal: number[];
  right: number[];
}

export function reliabilitySection(fifths: readonly ReliabilityFifth[]): string {
  return [
    `| reliability of the pseudo-mask | images | ${MHSMA_STRUCTURES.map((name) => `${name}: right, abnormal`).join(" | ")} |`,
    `|---|---|${MHSMA_STRUCTURES.map(() => "---|").join("")}`,
    ...fifths.map(({ images, reliability: [least, largest], abnormal, right }) => {
      const cells = right.map((share, s) => `${percent(share)}, ${percent(abnormal[s]!)}`);
      return `| ${least.toFixed(2)} to ${largest.toFixed(2)} | ${images} | ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}
