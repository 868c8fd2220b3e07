/** Choices inside training folds, on results made up so that the right choice is known. */
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { chooseInside, nestedAccuracies } from "./nested.ts";
import { packProbabilities, type StudyResults } from "./study.ts";

const FOLDS = ["A", "B", "C", "D"];
const PER_FOLD = 3;

type Hit = (image: string, own: string, other: string) => boolean;

function results(
  parts: readonly { own: string; name: string; other: string }[],
  rows: Record<string, Hit>,
): StudyResults {
  const images = parts
    .flatMap(({ own, name, other }) =>
      Array.from({ length: PER_FOLD }, (_, k) => ({ id: `${own}${k}`, label: k % 2, fold: name, own, other })),
    )
    .sort((a, b) => ((a.id === b.id ? a.fold < b.fold : a.id < b.id) ? -1 : 1));
  return {
    study: "made up",
    dataset: { kind: "made up", hash: "" },
    classes: ["x", "y"],
    images: images.map(({ id, label, fold }) => ({ id, label, fold })),
    entries: Object.entries(rows).map(([row, hit]) => ({
      ...{ row, seed: 1, id: row, version: "", correct: 0, accuracy: 0, balancedAccuracy: 0, logLoss: 0 },
      ...{ calibrationError: 0, seconds: 0 },
      probabilities: packProbabilities(
        images.map(({ id, label, fold, own, other }) => {
          const right = hit(id, own, other) ? label : 1 - label;
          return { id, label, fold, probabilities: [1 - right, right] };
        }),
      ),
    })),
  };
}
const pairs = FOLDS.flatMap((a, i) =>
  FOLDS.slice(i + 1).flatMap((b) => [
    { own: a, name: `${a}+${b}`, other: b },
    { own: b, name: `${a}+${b}`, other: a },
  ]),
);
const singles = FOLDS.map((own) => ({ own, name: own, other: own }));

test("a fold's choice counts the other folds' images, predicted without the fold", () => {
  // Recipe "one" is right wherever A was left out and the image is another fold's, "two" everywhere else.
  const inner = results(pairs, { one: (_, __, other) => other === "A", two: (_, __, other) => other !== "A" });
  const choices = chooseInside(inner, ["one", "two"]);
  expect(choices.map(({ fold, chosen }) => `${fold} ${chosen}`)).toEqual(["A one", "B two", "C two", "D two"]);
  expect(choices[0]!.scores).toEqual([
    { row: "one", accuracy: 1 },
    { row: "two", accuracy: 0 },
  ]);
  const outer = results(singles, { one: (_, own) => own === "A", two: (image) => image !== "B1" });
  expect(nestedAccuracies(choices, outer)).toEqual([{ seed: 1, accuracy: 11 / 12 }]);
  // A seed for which a chosen row has not been computed has no nested score.
  expect(nestedAccuracies(choices, { ...outer, entries: outer.entries.slice(0, 1) })).toEqual([]);
});

test("nothing that is known of a fold's own images changes its choice", () => {
  const random = Random.seeded(4);
  for (let round = 0; round < 20; round++) {
    const seed = random.integer(1e6);
    const hit =
      (row: string, changed?: string): Hit =>
      (image, own, other) =>
        Random.seeded(own === changed ? seed + 1 : seed)
          .stream(row, image, other)
          .uniform() < 0.6;
    const of = (changed?: string) =>
      chooseInside(results(pairs, { one: hit("one", changed), two: hit("two", changed) }), ["one", "two"]);
    for (const [f, fold] of FOLDS.entries()) expect(of(fold)[f]).toEqual(of()[f]);
  }
});
