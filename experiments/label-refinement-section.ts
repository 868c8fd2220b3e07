/** What label refinement does to training labels, and which settings each fold would choose, as Markdown. */
import { REFINEMENT, type RefinementSettings } from "../src/learning/index.ts";
import { percent } from "./sections.ts";

/** One fold, change and pair of settings of label-refinement.ts; numbers of images over the repeats. */
export interface RefinementCount extends RefinementSettings {
  fold: string;
  change: string;
  /** Whose features say which heads look alike. */
  by: "stage 1" | "wavelets" | "both";
  /** With a label; of these the given one is the published one; and the likeliest one after refinement is. */
  labels: number;
  given: number;
  refined: number;
  /** Without a label; of these the likeliest one is the published one. */
  unlabelled: number;
  spread: number;
}

/** One class with a few images only: all of these and of all images how many have their published label after refinement. */
export interface RareClassCount {
  fold: string;
  left: number;
  by: RefinementCount["by"];
  flipped: number;
  rare: number;
  kept: number;
  images: number;
  right: number;
}

const total = <T>(counts: readonly T[], of: (count: T) => number) => counts.reduce((sum, count) => sum + of(count), 0);

/** Of all images the share whose likeliest label is the published one, changes alike. */
function score(counts: readonly RefinementCount[]): number {
  const changes = [...new Set(counts.map(({ change }) => change))];
  const shares = changes.map((name) => {
    const chosen = counts.filter(({ change }) => change === name);
    return (
      total(chosen, ({ refined, spread }) => refined + spread) /
      total(chosen, ({ labels, unlabelled }) => labels + unlabelled)
    );
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

export function refinementSection(all: readonly RefinementCount[]): string {
  const counts = all.filter(({ by }) => by === "stage 1");
  const isChosen = ({ ridge, sharpness }: RefinementSettings) =>
    ridge === REFINEMENT.ridge && sharpness === REFINEMENT.sharpness;
  const changes = [...new Set(counts.map(({ change }) => change))];
  const folds = [...new Set(counts.map(({ fold }) => fold))];
  const ridges = [...new Set(counts.map(({ ridge }) => ridge))];
  const sharpnesses = [...new Set(counts.map(({ sharpness }) => sharpness))];
  const cell = (settings: RefinementSettings, of = counts) =>
    score(of.filter(({ ridge, sharpness }) => ridge === settings.ridge && sharpness === settings.sharpness));
  const cells = ridges.flatMap((ridge) => sharpnesses.map((sharpness) => ({ ridge, sharpness })));
  const behind = folds.map((fold) => {
    const own = counts.filter((count) => count.fold === fold);
    return Math.max(...cells.map((settings) => cell(settings, own))) - cell(REFINEMENT, own);
  });
  const sources = [...new Set(all.map(({ by }) => by))];
  return [
    `| labels of the training images | right as given | right when refined by: ${sources.join(" / ")} | without a label, right by: ${sources.join(" / ")} |`,
    "|---|---|---|---|",
    ...changes.map((name) => {
      const chosen = sources.map((source) =>
        all.filter((count) => count.change === name && count.by === source && isChosen(count)),
      );
      const share = (of: keyof RefinementCount, among: "labels" | "unlabelled", own: readonly RefinementCount[]) => {
        const images = total(own, (count) => count[among]);
        return images > 0 ? percent(total(own, (count) => count[of] as number) / images) : "";
      };
      const each = (of: keyof RefinementCount, among: "labels" | "unlabelled") =>
        chosen.map((own) => share(of, among, own)).join(" / ");
      const spread = total(chosen.flat(), ({ unlabelled }) => unlabelled) > 0 ? each("spread", "unlabelled") : "";
      return `| ${name} | ${share("given", "labels", chosen[0]!)} | ${each("refined", "labels")} | ${spread} |`;
    }),
    "",
    "Of all training images, the share that is right after refinement by stage 1, mean over the lines above:",
    "",
    `| ridge | ${sharpnesses.map((sharpness) => `sharpness ${sharpness}`).join(" | ")} |`,
    `|---|${sharpnesses.map(() => "---").join("|")}|`,
    ...ridges.map((ridge) => {
      const values = sharpnesses.map((sharpness) => {
        const text = percent(cell({ ridge, sharpness }));
        return isChosen({ ridge, sharpness }) ? `**${text}**` : text;
      });
      return `| ${ridge} | ${values.join(" | ")} |`;
    }),
    "",
    `Bold: what is used. No fold's own best pair of settings is more than ${percent(Math.max(...behind))} better on that fold's training images.`,
  ].join("\n");
}

export function rareClassSection(counts: readonly RareClassCount[]): string {
  const lefts = [...new Set(counts.map(({ left }) => left))];
  const shares = [...new Set(counts.map(({ flipped }) => flipped))];
  const sources = [...new Set(counts.map(({ by }) => by))];
  const labels = (share: number) => (share === 0 ? "labels as published" : `${Math.round(100 * share)} % flipped`);
  return [
    `| images of the rare class | ${shares.map((share) => `${labels(share)}: right when refined by ${sources.join(" / ")}`).join(" | ")} |`,
    `|---|${shares.map(() => "---").join("|")}|`,
    ...lefts.map((left) => {
      const cells = shares.map((share) =>
        sources
          .map((source) => {
            const chosen = counts.filter((c) => c.left === left && c.flipped === share && c.by === source);
            return percent(total(chosen, ({ kept }) => kept) / total(chosen, ({ rare }) => rare));
          })
          .join(" / "),
      );
      return `| ${left} | ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}
