import { expect, test } from "vitest";
import { spatialTasksSection, type TaskCount } from "./spatial-tasks-section.ts";

test("one line for each choice of tasks, the fewest first, seeds together", () => {
  const count: TaskCount = {
    ...{ tasks: { mask: 1, distance: 1, parts: 0.5, rotation: 0.2 }, seed: 1, unlabelled: 100, spread: 80 },
    ...{ labels: 200, refined: 190, heads: 20, dice: 0.96, turn: 0.5, reversed: 1 },
  };
  const masks = { ...count, tasks: { mask: 1, distance: 0, parts: 0, rotation: 0 } };
  const text = spatialTasksSection([
    count,
    masks,
    { ...masks, seed: 2, spread: 60, dice: 0.94, turn: 0.7, reversed: 0 },
  ]);
  expect(text.split("\n").slice(2)).toEqual([
    "| mask | 1, 2 | 70.0 % | 95.0 % | 0.950 | 0.6° | 1 of 40 |",
    "| all four: the default | 1 | 80.0 % | 95.0 % | 0.960 | 0.5° | 1 of 20 |",
  ]);
});
