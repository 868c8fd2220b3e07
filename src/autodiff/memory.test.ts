/** Nothing is left behind: neither by steps nor by sessions. A leak here would end a night's training. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Random } from "../runs/random.ts";
import {
  conv,
  globalAveragePool,
  InferenceRunner,
  input,
  Scope,
  sigmoid,
  softTargetCrossEntropy,
  TrainingSession,
  trainingStep,
} from "./index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function residentMegabytes(): Promise<number> {
  collect();
  // Tensors that ONNX Runtime owns are freed by finalisers, which run in later turns.
  await new Promise((done) => setTimeout(done, 20));
  collect();
  return process.memoryUsage().rss / 2 ** 20;
}

/** Resident megabytes that `work` leaves behind, after running it once to fill pools and caches. */
async function growth(work: () => Promise<void>): Promise<number> {
  await work();
  const before = await residentMegabytes();
  await work();
  return (await residentMegabytes()) - before;
}

/** Two convolutions: few operations, some 170 000 parameters. */
function step() {
  const scope = new Scope();
  const hidden = conv(scope.sub("first"), input("x", [8, 8, 8, 16]), 64, { stride: 2 });
  const logits = globalAveragePool(conv(scope.sub("second"), hidden, 256, { stride: 2 }));
  return trainingStep({ scope, loss: softTargetCrossEntropy(logits, input("targets", [8, 256])) });
}
const feeds = { x: new Float32Array(8 * 8 * 8 * 16).fill(0.5), targets: new Float32Array(8 * 256).fill(1 / 256) };

test("300 training steps", async () => {
  const session = await TrainingSession.create(step(), { threads: 1 });
  session.initialize(Random.seeded(1));
  const stateMegabytes = [...session.state().values()].reduce((sum, { data }) => sum + data.byteLength, 0) / 2 ** 20;
  const grown = await growth(async () => {
    for (let k = 0; k < 300; k++) await session.run(feeds, { learningRate: 1e-4 });
  });
  session.dispose();
  // One state left behind per step would be 600 MB and more.
  expect(stateMegabytes).toBeGreaterThan(2);
  expect(grown).toBeLessThan(100);
});

test("300 inferences", async () => {
  const length = 2 ** 18;
  const runner = await InferenceRunner.create({ y: sigmoid(input("x", [-1, length])) }, { threads: 1 });
  const x = new Float32Array(length);
  const grown = await growth(async () => {
    for (let k = 0; k < 300; k++) await runner.run({ x });
  });
  runner.dispose();
  // The outputs alone are 300 MB.
  expect(grown).toBeLessThan(100);
});

test("15 sessions", async () => {
  const compiled = step();
  const grown = await growth(async () => {
    for (let k = 0; k < 15; k++) {
      const session = await TrainingSession.create(compiled, { threads: 1 });
      session.initialize(Random.seeded(k));
      await session.run(feeds, { learningRate: 1e-4 });
      session.dispose();
    }
  });
  // State and work space of one are about 5 MB.
  expect(grown).toBeLessThan(50);
});
