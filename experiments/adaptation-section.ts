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

/** @param network the same of networks without wavelets beside them */
export function adaptationSection(rows: readonly AdaptationRow[], network: readonly AdaptationRow[]): string {
  return [
    "| the laboratory's images | network alone: before, after | with wavelets beside it: before, after | difference | mended / spoilt | old layer kept |",
    "|---|---|---|---|---|---|",
    ...rows.map(({ name, what, strengths, comparison: { heads, correct, interval, mended, spoilt } }) => {
      const gain = (correct.after - correct.before) / heads;
      const kept = strengths.filter((strength) => strength === null).length;
      return `| ${what} | ${beforeAndAfter(network, name)} | ${beforeAndAfter(rows, name)} | ${points(gain)} (${points(interval.low)} to ${points(interval.high)}) | ${mended} / ${spoilt} | ${kept} of ${strengths.length} |`;
    }),
    "",
    `Each network learned from ${rows[0]!.corrections} corrections on average; ${rows[0]!.comparison.heads} images.`,
  ].join("\n");
}

function shares(rows: readonly AdaptationRow[], name: string): { before: string; after: string } {
  const { correct, heads } = rows.find((row) => row.name === name)!.comparison;
  return { before: percent(correct.before / heads), after: percent(correct.after / heads) };
}

function beforeAndAfter(rows: readonly AdaptationRow[], name: string): string {
  const { before, after } = shares(rows, name);
  return `${before}, ${after}`;
}

/** README.md's paragraph. */
export function adaptationHeadline(rows: readonly AdaptationRow[], network: readonly AdaptationRow[]): string {
  const told = (name: string) => {
    const { before, after } = shares(network, name);
    return `from ${before} to ${after}`;
  };
  const [hue, grey, same] = ["other-stain", "grey", "none"].map((name) => shares(rows, name));
  return [
    `A network that meets a stain it does not know can be taught: ${network[0]!.corrections} corrected heads bring it ${told("other-stain")} where the stain has another hue,`,
    `and ${told("grey")} where there is no colour. With wavelets beside it, as by default, it has ${hue!.before} and ${grey!.before} there`,
    `before it is taught anything, and about the same after (${hue!.after}, ${grey!.after}; ${same!.before} and ${same!.after} where nothing has changed; 216 images of`,
    "HuSHeM, altered, each judged by a network that saw it in no form). `androscope adapt`, and *Learn from corrections* in the app.",
  ].join("\n");
}
