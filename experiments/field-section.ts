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
