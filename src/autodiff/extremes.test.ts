/** Extreme inputs: what has a finite value and slope must get one, not NaN by way of infinity times zero. */
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import {
  batchNorm,
  bceWithLogits,
  constant,
  diceLoss,
  div,
  dropout,
  gelu,
  grad,
  InferenceRunner,
  input,
  klDivergence,
  layerNorm,
  logSoftmax,
  maxPool2d,
  mean,
  mul,
  relu,
  Scope,
  sigmoid,
  silu,
  smoothL1,
  softmax,
  softplus,
  softTargetCrossEntropy,
  square,
  sum,
  type Tensor,
  TrainingSession,
  tanh,
  trainingStep,
  variable,
} from "./index.ts";

/** Values and gradient of a function of some numbers. */
async function evaluate(f: (x: Tensor) => Tensor, shape: readonly number[], values: readonly number[]) {
  const x = variable("x", shape);
  const y = f(x);
  const [g] = grad(sum(y), [x]);
  const runner = await InferenceRunner.create({ y, g: g! }, { threads: 1 });
  const out = await runner.run({ x: Float32Array.from(values) });
  runner.dispose();
  return { y: [...(out.y!.data as Float32Array)], g: [...(out.g!.data as Float32Array)] };
}

const SIZES = [0, 1e-30, 1, 50, 1e4, 1e18, 1e30];
const ALL = SIZES.flatMap((size) => [size, -size]);
const f32 = Math.fround;

describe("element by element", () => {
  const cases: [string, (x: Tensor) => Tensor, (x: number) => number, (x: number) => number][] = [
    ["relu", relu, (x) => Math.max(0, x), (x) => (x > 0 ? 1 : 0)],
    ["sigmoid", sigmoid, (x) => 1 / (1 + Math.exp(-x)), (x) => 1 / (2 + Math.exp(x) + Math.exp(-x))],
    ["tanh", tanh, Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
    ["softplus", softplus, (x) => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x))), (x) => 1 / (1 + Math.exp(-x))],
    [
      "silu",
      silu,
      (x) => (x < -700 ? 0 : x / (1 + Math.exp(-x))),
      (x) => 1 / (1 + Math.exp(-x)) + (Math.abs(x) > 700 ? 0 : x / (2 + Math.exp(x) + Math.exp(-x))),
    ],
  ];
  test.each(cases)("%s", async (_, f, value, slope) => {
    const { y, g } = await evaluate(f, [ALL.length], ALL);
    for (const [k, x] of ALL.entries()) {
      expect(Math.abs(y[k]! - value(f32(x))), `value at ${x}`).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(x)));
      expect(Math.abs(g[k]! - slope(f32(x))), `slope at ${x}`).toBeLessThanOrEqual(1e-6);
    }
  });

  test("gelu", async () => {
    const { y, g } = await evaluate(gelu, [ALL.length], ALL);
    for (const [k, x] of ALL.entries()) {
      if (Math.abs(x) < 10) continue;
      expect([y[k], g[k]], `at ${x}`).toEqual([x > 0 ? f32(x) : -0, x > 0 ? 1 : 0].map((v) => expect.closeTo(v, 6)));
    }
  });
});

describe("classes", () => {
  // Rows of one huge logit, of huge ones alike, and of both signs.
  const rows = [1, 1e4, 1e18, 1e30].flatMap((s) => [
    [s, 0, 0],
    [s, s, s],
    [-s, s, 0],
    [-s, -s, -s],
  ]);
  const shape = [rows.length, 3];

  test.each([
    ["softmax", (x: Tensor) => square(softmax(x, 1))],
    ["logSoftmax", (x: Tensor) => logSoftmax(x, 1)],
    ["logSoftmax along samples", (x: Tensor) => logSoftmax(x, 0)],
  ] as const)("%s of huge logits is finite", async (_, f) => {
    const { y, g } = await evaluate(f, shape, rows.flat());
    expect([...y, ...g].filter((value) => !Number.isFinite(value))).toEqual([]);
  });

  test("losses of huge logits are finite, right or wrong, for hard and soft targets and none", async () => {
    for (const target of [
      [1, 0, 0],
      [0, 0.5, 0.5],
      [0, 0, 0],
    ]) {
      const targets = constant(
        rows.flatMap(() => target),
        shape,
      );
      for (const loss of [softTargetCrossEntropy, klDivergence]) {
        const { y, g } = await evaluate((x) => loss(x, targets), shape, rows.flat());
        expect([...y, ...g].filter((value) => !Number.isFinite(value))).toEqual([]);
        // The slope is the mean of softmax less target times the target's sum: never above one.
        expect(Math.max(...g.map(Math.abs))).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe("pixels", () => {
  const logits = ALL;
  test.each([0, 1, 0.5])("losses of huge logits with targets of %f are finite", async (target) => {
    const targets = constant(target, [1, logits.length]);
    for (const loss of [
      (x: Tensor) => bceWithLogits(x, targets),
      (x: Tensor) => diceLoss(sigmoid(x), targets),
      (x: Tensor) => smoothL1(x, targets, 0.1),
    ]) {
      const { y, g } = await evaluate(loss, [1, logits.length], logits);
      expect([...y, ...g].filter((value) => !Number.isFinite(value))).toEqual([]);
      expect(Math.max(...g.map(Math.abs))).toBeLessThanOrEqual(1);
    }
  });

  test("weights that are all zero make a loss of zero without slope", async () => {
    const targets = constant([0, 1, 1, 0], [2, 2]);
    for (const weights of [constant(0, [2]), constant(0, [2, 2])]) {
      for (const loss of [bceWithLogits, (x: Tensor, t: Tensor, w: Tensor) => smoothL1(x, t, 1, w)]) {
        expect(await evaluate((x) => loss(x, targets, weights), [2, 2], [3, -2, 0, 1])).toEqual({
          y: [expect.closeTo(0, 9)],
          g: [0, 0, 0, 0].map((zero) => expect.closeTo(zero, 9)),
        });
      }
    }
  });

  test("Dice of nothing found where nothing is: no loss; of everything where everything is: hardly any", async () => {
    const dice = (p: number, t: number) => evaluate((x) => diceLoss(x, constant(t, [1, 9])), [1, 9], Array(9).fill(p));
    expect((await dice(0, 0)).y[0]).toBeCloseTo(0, 6);
    expect((await dice(1, 1)).y[0]).toBeCloseTo(0, 6);
    expect((await dice(0, 1)).y[0]).toBeCloseTo(0.9, 6);
  });
});

describe("normalisation of what does not vary", () => {
  test.each([
    ["batchNorm", batchNorm, [4, 3]],
    ["batchNorm of a single row", batchNorm, [1, 3]],
    ["layerNorm", layerNorm, [4, 3]],
    ["layerNorm of a single channel", layerNorm, [4, 1]],
  ] as const)("%s gives the shift", async (_, layer, shape) => {
    for (const value of [0, 0.7, 255, -1e4]) {
      const scope = new Scope();
      const loss = mean(square(layer(scope, input("x", shape))));
      const session = await TrainingSession.create(trainingStep({ scope, loss }), { threads: 1 });
      session.initialize(Random.seeded(1));
      for (let k = 0; k < 2; k++) {
        const values = await session.run(
          { x: new Float32Array(shape[0] * shape[1]).fill(value) },
          { learningRate: 0.1 },
        );
        // Rounding of a mean over the root of epsilon: nothing where the numbers are of order one.
        expect(values.loss).toBeLessThan(Math.abs(value) > 1e3 ? 2 : 1e-3);
      }
      for (const [name, { data }] of session.state()) expect(data.every(Number.isFinite), name).toBe(true);
      session.dispose();
    }
  });
});

describe("others", () => {
  test("dropout of everything is zero, even for a random number that float32 rounds up to 1", async () => {
    const random = constant([0, 0.5, 1 - 2 ** -24, 1], [4]);
    expect(await evaluate((x) => dropout(x, 1, random), [4], [1, -2, 3, 4])).toEqual({
      y: Array(4)
        .fill(0)
        .map(() => expect.closeTo(0, 9)),
      g: [0, 0, 0, 0],
    });
  });

  test("equal elements of a pooling window share the gradient", async () => {
    const { y, g } = await evaluate((x) => maxPool2d(x, { size: 2 }), [1, 2, 2, 1], [5, 5, 5, 5]);
    expect({ y, g }).toEqual({ y: [5], g: [0.25, 0.25, 0.25, 0.25] });
  });

  test("a gradient of any size is clipped to a finite step", async () => {
    for (const size of [1e-30, 1e-10, 1, 1e15, 1e18]) {
      const scope = new Scope();
      const weight = scope.parameter("w", [4], (_, s) => new Float32Array(s[0]!).fill(1));
      const loss = sum(mul(weight, input("g", [4])));
      const session = await TrainingSession.create(trainingStep({ scope, loss, optimizer: { clipNorm: 1 } }));
      session.initialize(Random.seeded(1));
      await session.run({ g: new Float32Array(4).fill(size) }, { learningRate: 0.1 });
      for (const [name, { data }] of session.state())
        expect(data.every(Number.isFinite), `${name} at ${size}`).toBe(true);
      session.dispose();
    }
  });

  test("division of zero by zero is not hidden", async () => {
    const { y } = await evaluate((x) => div(x, constant(0)), [1], [0]);
    expect(y).toEqual([Number.NaN]);
  });
});
