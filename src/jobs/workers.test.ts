import { expect, test } from "vitest";
import { type PreparedSet, resolveConfig } from "../learning/index.ts";
import { trainingBytes, workersFor } from "./workers.ts";

const need = { tasks: 5, threads: 1, bytes: 1e9 };

test.each([
  ["cores", { cores: 4, freeBytes: 64e9 }, need, 4],
  ["cores for the threads of a task", { cores: 4, freeBytes: 64e9 }, { ...need, threads: 2 }, 2],
  ["cores, of which one is left over", { cores: 3, freeBytes: 64e9 }, { ...need, threads: 2 }, 1],
  ["tasks", { cores: 16, freeBytes: 64e9 }, need, 5],
  ["memory, not to its last byte", { cores: 8, freeBytes: 3.3e9 }, need, 2],
  ["one, however little there is", { cores: 1, freeBytes: 1e8 }, { ...need, threads: 2 }, 1],
])("auto: as many as there are %s", (_, machine, what, expected) => {
  expect(workersFor("auto", what, machine)).toBe(expected);
});

test("a number is taken, up to the tasks", () => {
  const small = { cores: 1, freeBytes: 1e8 };
  expect(workersFor(3, need, small)).toBe(3);
  expect(workersFor(9, need, small)).toBe(5);
  expect(workersFor(1, { ...need, tasks: 0 }, small)).toBe(1);
});

test("what wavelets see in many heads takes more than a training step, in few it does not", () => {
  const needed = (heads: number, tune: object) => {
    const set = { ids: Array(heads).fill(""), pixels: new Uint8Array(0), targets: new Uint8Array(0) };
    return trainingBytes(resolveConfig({ tune }), set as unknown as PreparedSet);
  };
  expect(needed(216, {})).toBe(needed(216, { wavelets: null }));
  // 3 904 numbers of four bytes, of each head as it is and under two Gaussians.
  const seen = 10_000 * 3 * 3904 * 4;
  expect(needed(10_000, {})).toBeGreaterThan(needed(10_000, { wavelets: null }));
  expect(needed(10_000, {})).toBeGreaterThan(6 * seen);
  expect(needed(10_000, { wavelets: { blur: [] } })).toBeLessThan(needed(10_000, {}) / 2);
});
