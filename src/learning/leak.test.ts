/** A training of 2 000 steps: what it takes of memory does not grow with them. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { phantomDataset } from "../datasets/index.ts";
import { silent } from "../runs/index.ts";
import { resolveConfig } from "./config.ts";
import { train } from "./fold.ts";
import { prepare } from "./prepare.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const STEPS = 1000;

test("both stages together, 2 000 steps", async () => {
  const set = await prepare(phantomDataset({ count: 20, seed: 1, size: 64 }), silent);
  const config = resolveConfig({
    network: { widths: [8, 8, 16, 16], blocks: [1, 1, 1, 1], viewSize: 32 },
    distill: { steps: STEPS, batch: 8, teacher: { rounds: [0.1] } },
    tune: { steps: STEPS, batch: 8, testViews: { rotations: [0] } },
  });
  // Resident megabytes over a stage, by step. The second stage begins anew, with another session.
  const stages: Map<number, number>[] = [];
  const progress = {
    ...silent,
    start: () => void stages.push(new Map()),
    update: (done: number) => {
      const stage = stages.at(-1)!;
      if (done < 50 * (stage.size + 1)) return;
      collect();
      stage.set(done, process.memoryUsage().rss / 2 ** 20);
    },
  };
  await train({ set, train: [...set.ids.keys()], config, seed: 1, name: "all", threads: 1, progress });
  expect(stages).toHaveLength(2);
  for (const sizes of stages) {
    // Allocators and compilers settle in the first part. The smallest of several: what is being freed does not count.
    const least = (from: number, to: number) =>
      Math.min(...[...sizes].filter(([step]) => step > from && step <= to).map(([, size]) => size));
    const grown = least(STEPS - 300, STEPS) - least(200, 500);
    // Were only the feeds of a step kept, some 100 kB, it would be 50 MB; with the state, 200 and more.
    expect(grown, JSON.stringify([...sizes])).toBeLessThan(25);
  }
});
