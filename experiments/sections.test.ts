/** Tables of results that can be counted by hand. */
import { expect, test } from "vitest";
import { packProbabilities, type StudyEntry, type StudyResults } from "../src/evaluation/index.ts";
import { coverageOf, robustnessSection, searchSection } from "./sections.ts";

const CLASSES = ["x", "y"];
/** Probabilities that say class 0 or 1. */
const packed = (labels: readonly number[]) =>
  packProbabilities(
    labels.map((label) => ({ id: "", label: 0, fold: "", probabilities: [0.9 - 0.8 * label, 0.1 + 0.8 * label] })),
  );
const entry = (row: string, said: readonly number[], more: Partial<StudyEntry> = {}): StudyEntry => ({
  ...{ row, seed: 1, id: row, version: "", correct: 0, accuracy: 0.75, balancedAccuracy: 0, logLoss: 0 },
  ...{ calibrationError: 0, seconds: 0, probabilities: packed(said) },
  ...more,
});
const results = (images: StudyResults["images"], entries: StudyEntry[]): StudyResults => ({
  ...{ study: "s", dataset: { kind: "k", hash: "h" }, classes: CLASSES },
  ...{ images, entries },
});
const image = (id: string, label: number, fold: string) => ({ id, label, fold });

test("altered images: right and changed, beside the unaltered ones", () => {
  const images = ["a", "b", "c", "d"].map((id, i) => image(id, i % 2, "F"));
  // Right: three of four; grey: two right, and two of the four say something else than before.
  const table = robustnessSection(
    results(images, [entry("r", [0, 1, 0, 0], { altered: { grey: packed([0, 0, 0, 0]) } })]),
    ["r"],
  );
  expect(table).toContain("`r` (1 seed)");
  expect(table).toContain("| as they are | 75.0 % |");
  expect(table).toContain("| without colour | 50.0 %, 25.0 % |");
  expect(table.split("\n")).toHaveLength(4);
  expect(robustnessSection(results(images, [entry("r", [0, 1, 0, 0])]), ["r"])).toBe("Not computed yet.");
});

test("the search: each fold's column counts the others' images, and the chosen recipe is bold", () => {
  const images = [
    image("a", 0, "A+B"),
    image("a", 0, "A+C"),
    image("b", 1, "A+B"),
    image("b", 1, "B+C"),
    image("c", 0, "A+C"),
    image("c", 0, "B+C"),
  ];
  const rows = ["one", "two", "three"].map((name) => ({ name, what: `recipe ${name}`, config: {} }));
  // "one" is wrong for b without A and for c without B, "two" for a, everywhere.
  const inner = results(images, [entry("one", [0, 0, 0, 1, 0, 1]), entry("two", [1, 1, 1, 1, 0, 0])]);
  const outer = results(
    [image("a", 0, "A"), image("b", 1, "B"), image("c", 0, "C")],
    [entry("one", [0, 1, 1]), entry("two", [0, 1, 0])],
  );
  const text = searchSection({ about: "About.", rows, inner, outer });
  // Without A: b and c. "one" has b wrong, "two" both right; without B: a and c; without C: a and b.
  expect(text).toContain("| `one` | recipe one | 66.7 % |  | 50.0 | **50.0** | **100.0** |");
  expect(text).toMatch(/\| `two` \| recipe two \| 66\.7 % \| \+0\.0 \([^)]+\) \| \*\*100\.0\*\* \| 50\.0 \| 50\.0 \|/);
  expect(text).toContain("not computed: `three`");
  // A by "two", B and C by "one": a and b right, c not.
  expect(text).toContain("66.7 % (seed 1)");
  // What the entries themselves say, 75 % in this test, is told of the recipes that were computed outside.
  expect(text).toContain("Outside, by which nothing was chosen: `one` 75.0 % (1 seed), `two` 75.0 % (1 seed).");
});

test("coverage over seeds counts every prediction", () => {
  const images = ["a", "b", "c", "d"].map((id, i) => image(id, i % 2, i < 2 ? "F" : "G"));
  const found = coverageOf(results(images, [entry("r", [0, 1, 0, 0]), entry("r", [0, 1, 0, 1], { seed: 2 })]), "r");
  expect(found).toHaveLength(8);
  expect(found.at(-1)).toEqual({ share: 1, accuracy: 7 / 8 });
});
