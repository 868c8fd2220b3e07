/** Whole photographs against experts' outlines, as Markdown. */
import type { Interval } from "../src/evaluation/index.ts";
import { percent } from "./sections.ts";

/** One run of field-detection.ts. */
export interface FieldDetection {
  name: string;
  remainders: readonly number[];
  fields: number;
  headLength: number;
  found: number;
  missed: number;
  wrong: number;
  precision: number;
  recall: number;
  recallInterval: Interval;
  f1: number;
  touching: number;
  separated: number;
  dice: number;
  length: number;
  width: number;
  acrosome: number;
  refusedByModel: number;
}

const NAMES: Readonly<Record<string, string>> = {
  bundled: "the program's own, learned from HuSHeM's crops",
  own: "learned from 84 other fields of these, without labels",
};

/** Thresholds were settled on the first quarter. */
const PARTS: Readonly<Record<string, string>> = {
  "0": "quarter on which the two thresholds were settled",
  "1,2,3": "the other three quarters",
  "2": "one of these quarters, on which neither was learned",
};

export function fieldSection(rows: readonly FieldDetection[]): string {
  const sorted = [...rows].sort(
    (a, b) => a.remainders.join().localeCompare(b.remainders.join()) || (a.name < b.name ? -1 : 1),
  );
  return [
    "| detector | fields | heads found / missed | found and none | F1 | precision | recall | touching heads told apart | outline, median Dice | length, width: median error | acrosome's share, points |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...sorted.map((row) => {
      const { low, high } = row.recallInterval;
      return `| ${NAMES[row.name] ?? row.name} | ${row.fields}: ${PARTS[row.remainders.join()] ?? row.remainders.join()} | ${row.found} / ${row.missed} | ${row.wrong} | **${row.f1.toFixed(3)}** | ${percent(row.precision)} | ${percent(row.recall)} (${percent(low)} to ${percent(high)}) | ${row.separated} of ${row.touching} | ${row.dice.toFixed(3)} | ${percent(row.length)}, ${percent(row.width)} | ${(100 * row.acrosome).toFixed(1)} |`;
    }),
  ].join("\n");
}

/** README.md's paragraph. */
export function fieldHeadline(rows: readonly FieldDetection[]): string {
  const unseen = rows.find(({ name, remainders }) => name === "bundled" && remainders.length === 3)!;
  const own = rows.find(({ name }) => name === "own");
  return [
    `${unseen.found + unseen.missed} heads in ${unseen.fields} photographs of another laboratory: the detector that comes with the program, learned from HuSHeM's crops without`,
    `labels, finds ${percent(unseen.recall)} of them, and ${percent(unseen.precision)} of what it finds are heads (F1 ${unseen.f1.toFixed(3)}); median Dice of the outlines ${unseen.dice.toFixed(3)}, of their length and width`,
    `the error is ${percent(unseen.length)} and ${percent(unseen.width)}.${own ? ` Learned from other photographs of that laboratory, without labels either, F1 ${own.f1.toFixed(3)}.` : ""} Its classes there were checked by nobody.`,
  ].join("\n");
}
