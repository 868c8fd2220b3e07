/** What refined labels say of the labels as given: which of them to look at again. */
import { formatCsv } from "../runs/index.ts";

export interface LabelOpinion {
  /** Sample of the set. */
  index: number;
  /** Class as given; −1 without a label. */
  given: number;
  /** What the head is likely to be: shares of the classes. */
  likely: readonly number[];
}

/** Index of the likeliest class; of several, the given one if it is among them. */
export function likeliest({ given, likely }: Pick<LabelOpinion, "given" | "likely">): number {
  const most = Math.max(...likely);
  return likely[given] === most ? given : likely.indexOf(most);
}

/** How far the given label is believed; undefined without one. */
export const belief = ({ given, likely }: Pick<LabelOpinion, "given" | "likely">): number | undefined =>
  given < 0 ? undefined : likely[given];

/**
 * Several opinions of one head, of networks that learned from different others, are averaged; in the order of samples. Those
 * of networks that were told its label alone, where there are any: without it an opinion is of another kind.
 */
export function meanOpinions(opinions: readonly LabelOpinion[]): LabelOpinion[] {
  const bySample = Map.groupBy(opinions, ({ index }) => index);
  return [...bySample.values()]
    .flatMap((all) => {
      const told = all.filter(({ given }) => given >= 0);
      // In studies of wrong labels a head may be told as one class in one fold and as another in the next.
      const byLabel = Map.groupBy(told.length > 0 ? told : all, ({ given }) => given);
      return [...byLabel].map(([given, own]) => ({
        index: own[0]!.index,
        given,
        likely: own[0]!.likely.map((_, c) => own.reduce((sum, { likely }) => sum + likely[c]!, 0) / own.length),
      }));
    })
    .sort((a, b) => a.index - b.index || a.given - b.given);
}

/** Those whose label is likelier another, the least believed first. */
export function doubted(opinions: readonly LabelOpinion[]): LabelOpinion[] {
  return opinions
    .filter((one) => one.given >= 0 && likeliest(one) !== one.given)
    .sort((a, b) => belief(a)! - belief(b)! || a.index - b.index);
}

/** labels.csv of a run: every training image, the least believed label first. */
export function labelsCsv(
  opinions: readonly LabelOpinion[],
  ids: readonly string[],
  classes: readonly string[],
): string {
  const order = opinions.toSorted((a, b) => (belief(a) ?? 1) - (belief(b) ?? 1) || a.index - b.index);
  return formatCsv(
    ["path", "label", "likely", "belief", ...classes.map((name) => `prob_${name}`)],
    order.map((one) => ({
      path: ids[one.index],
      label: classes[one.given] ?? "",
      likely: classes[likeliest(one)],
      belief: belief(one)?.toFixed(4) ?? "",
      ...Object.fromEntries(classes.map((name, c) => [`prob_${name}`, one.likely[c]!.toFixed(6)])),
    })),
  );
}
