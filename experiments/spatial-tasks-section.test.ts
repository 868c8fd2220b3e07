import { expect, test } from "vitest";
import type { PreparedSet } from "../src/learning/index.ts";
import { spatialTasksSection, type TaskCount } from "./spatial-tasks-section.ts";
import { turned } from "./turned.ts";

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

test("a quarter turn takes what is right of the middle below it; four of them are none", () => {
  const [side, width, height] = [5, 4, 3];
  const pixels = new Uint8Array(side * side * 3);
  const red = (of: Uint8Array, x: number, y: number) => of[(y * side + x) * 3];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) pixels[(y * side + x) * 3 + c] = 1 + 20 * y + 3 * x + c;
  const set = {
    ids: ["a"],
    side,
    sizes: Float32Array.of(width, height),
    pixels,
  } as Partial<PreparedSet> as PreparedSet;
  const once = turned(set);
  expect([...once.sizes]).toEqual([height, width]);
  // The right end of the middle row becomes the lower end of the middle column.
  expect(red(once.pixels, 1, width - 1)).toBe(red(pixels, width - 1, 1));
  expect(red(once.pixels, height - 1, 0)).toBe(red(pixels, 0, 0));
  const whole = turned(turned(turned(once)));
  expect([...whole.sizes]).toEqual([width, height]);
  expect(whole.pixels).toEqual(pixels);
});
