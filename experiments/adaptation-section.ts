/** What learning from corrections is worth, as Markdown. */
import type { ModelComparison } from "../src/evaluation/index.ts";
import { percent, points } from "./sections.ts";

/** One alteration of adaptation.ts. */
export interface AdaptationRow {
  name: string;
  what: string;
  /** Corrections that each network learned from, and strengths that were chosen (null: the old layer was kept). */
  corrections: number;
  strengths: (number | null)[];
  comparison: ModelComparison;
}

export function adaptationSection(rows: readonly AdaptationRow[]): string {
  return [
    "| the laboratory's images | before | after | difference | mended / spoilt | old layer kept |",
    "|---|---|---|---|---|---|",
    ...rows.map(({ what, strengths, comparison: { heads, correct, interval, mended, spoilt } }) => {
      const gain = (correct.after - correct.before) / heads;
      const kept = strengths.filter((strength) => strength === null).length;
      return `| ${what} | ${percent(correct.before / heads)} | ${percent(correct.after / heads)} | ${points(gain)} (${points(interval.low)} to ${points(interval.high)}) | ${mended} / ${spoilt} | ${kept} of ${strengths.length} |`;
    }),
    "",
    `Each network learned from ${rows[0]!.corrections} corrections on average; ${rows[0]!.comparison.heads} images.`,
  ].join("\n");
}
