/** Whether several recipes know more than one: means of all choices of a few, on the stored probabilities inside training folds. */
import { argmax, probabilitiesOf, type StudyResults } from "../src/evaluation/index.ts";
import { mean, percent } from "./sections.ts";

/** [image][class] */
type Probabilities = readonly (readonly number[])[];

/** Every choice of so many, in the order in which they stand. */
function choicesOf<T>(from: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return from.flatMap((one, i) => choicesOf(from.slice(i + 1), size - 1).map((rest) => [one, ...rest]));
}

const meanOf = (members: readonly Probabilities[]): Probabilities =>
  members[0]!.map((image, i) => image.map((_, c) => mean(members.map((member) => member[i]![c]!))));

/**
 * @param networks rows of the results, each of one network
 * @param beside row that takes the other half of the mean in the last columns
 * @param most networks in a mean
 */
export function ensemblesSection(
  results: StudyResults,
  networks: readonly string[],
  beside: string,
  most: number,
): string {
  const [seed] = results.entries.map((entry) => entry.seed);
  const said = (row: string) => results.entries.find((entry) => entry.row === row && entry.seed === seed);
  const members = networks.flatMap((row) => said(row) ?? []).map((entry) => probabilitiesOf(results, entry));
  const other = said(beside);
  if (!other || members.length < most) return "Not computed yet.";
  const half = probabilitiesOf(results, other);
  const accuracy = (all: Probabilities) => mean(all.map((p, i) => Number(argmax(p) === results.images[i]!.label)));
  const told = (accuracies: readonly number[]) => `${percent(mean(accuracies))}, ${percent(Math.max(...accuracies))}`;
  const lines = Array.from({ length: most }, (_, i) => {
    const means = choicesOf(members, i + 1).map(meanOf);
    const [alone, both] = [means.map(accuracy), means.map((all) => accuracy(meanOf([all, half])))];
    return `| ${i + 1} | ${means.length} | ${told(alone)} | ${told(both)} |`;
  });
  return [
    `| networks in the mean, of ${members.length} | choices | by themselves: mean, best | \`${beside}\` the other half: mean, best |`,
    "|---|---|---|---|",
    ...lines,
  ].join("\n");
}
