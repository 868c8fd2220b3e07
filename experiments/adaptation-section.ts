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

/** README.md's paragraph. */
export function adaptationHeadline(rows: readonly AdaptationRow[]): string {
  const told = (name: string) => {
    const { correct, heads } = rows.find((row) => row.name === name)!.comparison;
    return `from ${percent(correct.before / heads)} to ${percent(correct.after / heads)}`;
  };
  const { correct, heads } = rows.find(({ name }) => name === "none")!.comparison;
  return [
    `A model that meets a stain it does not know can be taught: ${rows[0]!.corrections} corrected heads bring it ${told("other-stain")} where the stain has another hue,`,
    `${told("grey")} where there is no colour, and ${told("none")} where nothing has changed (${correct.before - correct.after} of ${heads} images;`,
    "HuSHeM's, altered, each judged by a network that saw it in no form). `androscope adapt`, and *Learn from corrections* in the app.",
  ].join("\n");
}
