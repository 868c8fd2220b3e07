import { expect, test } from "vitest";
import { packProbabilities } from "../src/evaluation/index.ts";
import { seedsSection } from "./seeds-section.ts";

test("counts by seed and fold, sums what is mistaken for what, and tells which errors all seeds share", () => {
  const images = [0, 0, 1, 1].map((label, i) => ({ id: `${i}`, label, fold: i % 2 === 0 ? "F1" : "F2" }));
  const entry = (seed: number, said: number[]) => {
    const rows = images.map((image, i) => ({ ...image, probabilities: said[i] === 0 ? [0.9, 0.1] : [0.1, 0.9] }));
    return { row: "a", seed, probabilities: packProbabilities(rows) };
  };
  // Image 1 is wrong twice, image 2 once; another row does not count.
  const entries = [entry(1, [0, 1, 1, 1]), entry(2, [0, 1, 0, 1]), { ...entry(1, [1, 1, 0, 0]), row: "b" }];
  const results = { study: "", dataset: { kind: "", hash: "" }, classes: ["A", "B"], images, entries };
  const lines = seedsSection(results as never, "a").split("\n");
  expect(lines[2]).toMatch(/^\| 1 \| 75\.0 % \(3 of 4\) \| .* \| 75\.0 % \|.*\| 2, 1 \|$/);
  expect(lines[3]).toMatch(/^\| 2 \| 50\.0 % \(2 of 4\) \| .*\| 1, 1 \|$/);
  expect(lines).toContain("| A | 2 | 2 |");
  expect(lines).toContain("| B | 1 | 3 |");
  expect(lines.at(-1)).toContain("2 images are wrong with at least one of the 2 seeds, 1 of them with all.");
});
