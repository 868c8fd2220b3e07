/**
 * Nested cross-validation over the pairs of a study (`split: "pairs"`): the score that chooses a recipe for fold A comes
 * from networks that saw neither A nor the fold they were tested on, and from that other fold's images alone. So no image
 * of A, seen or tested, has a say in what A is then tested with. (Varma and Simon 2006 on why that matters.)
 */
import { hitsOf, type StudyResults } from "./study.ts";

export interface InnerScores {
  fold: string;
  /** Row → share of right predictions on the other folds' images, over seeds. */
  scores: { row: string; accuracy: number }[];
  /** The best row; of equals the one that stands first in the study. */
  chosen: string;
}

/** The two folds in a pair's name. The image is in one of them: in all pairs' names that it occurs with. */
function partners(images: StudyResults["images"]): { own: string; other: string }[] {
  const names = new Map<string, string[]>();
  for (const { id, fold } of images) names.set(id, [...(names.get(id) ?? []), fold]);
  return images.map(({ id, fold }) => {
    const pair = fold.split("+");
    const own = pair.find((name) => names.get(id)!.every((other) => other.split("+").includes(name)));
    if (pair.length !== 2 || own === undefined) throw new Error(`${fold} is not a pair of folds`);
    return { own, other: pair.find((name) => name !== own)! };
  });
}

/** What each fold would choose, knowing the others only. @param rows in the study's order */
export function chooseInside(results: StudyResults, rows: readonly string[]): InnerScores[] {
  const places = partners(results.images);
  const folds = [...new Set(places.map(({ own }) => own))].sort();
  const hits = rows.map((row) => results.entries.filter((entry) => entry.row === row).map((e) => hitsOf(results, e)));
  return folds.map((fold) => {
    const seen = places.flatMap(({ other }, i) => (other === fold ? [i] : []));
    const scores = rows.flatMap((row, r) => {
      const all = hits[r]!.flatMap((hit) => seen.map((i) => Number(hit[i])));
      return all.length ? [{ row, accuracy: all.reduce((sum, hit) => sum + hit, 0) / all.length }] : [];
    });
    const best = Math.max(...scores.map(({ accuracy }) => accuracy));
    return { fold, scores, chosen: scores.find(({ accuracy }) => accuracy === best)!.row };
  });
}

/**
 * The accuracy of choosing inside: each fold predicted by the row that was chosen for it.
 * @param outer the same rows on single folds
 * @returns one accuracy per seed that every chosen row has
 */
export function nestedAccuracies(
  choices: readonly InnerScores[],
  outer: StudyResults,
): { seed: number; accuracy: number }[] {
  const rowOf = new Map(choices.map(({ fold, chosen }) => [fold, chosen]));
  const seeds = [...new Set(outer.entries.map(({ seed }) => seed))].sort((a, b) => a - b);
  return seeds.flatMap((seed) => {
    const entries = new Map(outer.entries.filter((entry) => entry.seed === seed).map((entry) => [entry.row, entry]));
    if (![...rowOf.values()].every((row) => entries.has(row))) return [];
    const hits = new Map([...entries].map(([row, entry]) => [row, hitsOf(outer, entry)]));
    const right = outer.images.filter(({ fold }, i) => hits.get(rowOf.get(fold)!)![i]).length;
    return [{ seed, accuracy: right / outer.images.length }];
  });
}
