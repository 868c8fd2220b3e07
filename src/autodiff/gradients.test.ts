/** Every op's gradient against central differences. */
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import {
  abs,
  add,
  avgPool2d,
  batchNorm,
  bceWithLogits,
  broadcastTo,
  clip,
  concat,
  constant,
  conv,
  conv2d,
  convNorm,
  cos,
  depthToSpace,
  diceLoss,
  div,
  dropout,
  exp,
  gather,
  gelu,
  globalAveragePool,
  grad,
  greater,
  InferenceRunner,
  klDivergence,
  layerNorm,
  linear,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mul,
  neg,
  pow,
  relu,
  reshape,
  Scope,
  scale,
  sigmoid,
  silu,
  sin,
  slice,
  smoothL1,
  softmax,
  softplus,
  softTargetCrossEntropy,
  spaceToDepth,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  sumOfSquares,
  type Tensor,
  tanh,
  transpose,
  upsample2x,
  variable,
  where,
} from "./index.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/**
 * Compares d(Σ c·f(x))/dx with central differences along random directions. float32 leaves about 1e-3 of relative
 * accuracy at a step of 1e-2, so inputs are of order one and functions smooth around them.
 */
async function check(
  shapes: readonly (readonly number[])[],
  f: (...xs: Tensor[]) => Tensor,
  { low = -1, high = 1, step = 1e-2, tolerance = 4e-3, directions = 4, jitter = 0.1 } = {},
): Promise<void> {
  const random = Random.seeded(7).stream("gradient", JSON.stringify(shapes));
  const xs = shapes.map((shape, i) => variable(`x${i}`, shape));
  const y = f(...xs);
  const weights = constant(
    Float32Array.from({ length: size(y.shape) }, () => random.uniform(-1, 1)),
    y.shape,
  );
  const loss = sum(mul(y, weights));
  const gradients = grad(loss, xs);
  const runner = await InferenceRunner.create(
    { loss, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) },
    { threads: 1 },
  );
  try {
    // Values on a lattice with gaps, away from kinks and ties.
    const values = shapes.map((shape) => {
      const n = size(shape);
      const order = random.shuffle(Array.from({ length: n }, (_, k) => k));
      return Float32Array.from(order, (k) => low + ((high - low) * (k + 0.5 + random.uniform(-jitter, jitter))) / n);
    });
    const feeds = (v: readonly Float32Array[]) => Object.fromEntries(v.map((value, i) => [`x${i}`, value]));
    const at = await runner.run(feeds(values));
    for (let d = 0; d < directions; d++) {
      const direction = values.map((v) => v.map(() => (random.uniform() < 0.5 ? -1 : 1)));
      const moved = (h: number) => values.map((v, i) => v.map((value, k) => value + h * direction[i]![k]!));
      const smallest = Math.min(step, ...shapes.map((shape) => (0.2 * (high - low)) / size(shape)));
      const lossAt = async (h: number) => ((await runner.run(feeds(moved(h)))).loss!.data as Float32Array)[0]!;
      const numeric = ((await lossAt(smallest)) - (await lossAt(-smallest))) / (2 * smallest);
      let analytic = 0;
      let norm = 0;
      for (const [i, dir] of direction.entries()) {
        const g = at[`g${i}`]!.data as Float32Array;
        for (let k = 0; k < dir.length; k++) {
          analytic += g[k]! * dir[k]!;
          norm += Math.abs(g[k]!);
        }
      }
      // float32 rounding of the loss divided by the step bounds what differences can show.
      const rounding =
        ((Math.abs((at.loss!.data as Float32Array)[0]!) + 1) * 2e-7 * Math.sqrt(size(y.shape))) / smallest;
      expect(Math.abs(numeric - analytic)).toBeLessThan(tolerance * Math.max(1, norm) + rounding);
      expect(Number.isFinite(analytic)).toBe(true);
    }
  } finally {
    runner.dispose();
  }
}

const unary: [string, (x: Tensor) => Tensor, number, number][] = [
  ["neg", neg, -1, 1],
  ["exp", exp, -1, 1],
  ["log", log, 0.5, 2],
  ["sqrt", sqrt, 0.5, 2],
  ["abs", abs, -1, 1],
  ["sin", sin, -2, 2],
  ["cos", cos, -2, 2],
  ["tanh", tanh, -2, 2],
  ["sigmoid", sigmoid, -3, 3],
  ["softplus", softplus, -3, 3],
  ["relu", relu, -1, 1],
  ["silu", silu, -3, 3],
  ["gelu", gelu, -3, 3],
  ["square", square, -1, 1],
  ["scale", (x) => scale(x, -2.5), -1, 1],
  ["pow", (x) => pow(x, 2.5), 0.5, 2],
  ["clip", (x) => clip(x, -0.52, 0.52), -1, 1],
];

describe("gradients of element-wise ops", () => {
  test.each(unary)("%s", async (_, f, low, high) => check([[3, 4]], f, { low, high }));

  const binary: [string, (a: Tensor, b: Tensor) => Tensor][] = [
    ["add", add],
    ["sub", sub],
    ["mul", mul],
    ["div", div],
    // Half a lattice apart where the lattices would coincide: away from ties.
    ["maximum", (a, b) => maximum(a, a.shape.join() === b.shape.join() ? sub(b, 0.03125) : b)],
    ["minimum", (a, b) => minimum(a, a.shape.join() === b.shape.join() ? sub(b, 0.03125) : b)],
    ["where", (a, b) => where(greater(constant([1, 0, 1, 0]), 0.5), a, b)],
  ];
  for (const [name, f] of binary) {
    test.each([
      [
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
      ],
      [[[2, 3, 4], [4]]],
      [
        [
          [3, 1],
          [2, 3, 4],
        ],
      ],
      [
        [
          [2, 1, 4],
          [1, 3, 1],
        ],
      ],
    ])(`${name} %j`, async (shapes) => check(shapes, f, { low: 0.5, high: 2, jitter: 0 }));
  }
});

describe("gradients of shape ops", () => {
  test("reshape", async () => check([[2, 6]], (x) => mul(reshape(x, [3, -1]), reshape(x, [3, 4]))));
  test("transpose", async () => check([[2, 3, 4]], (x) => transpose(x, [2, 0, 1])));
  test("concat", async () =>
    check(
      [
        [2, 3],
        [2, 2],
      ],
      (a, b) => square(concat([a, b], 1)),
    ));
  test("slice", async () => check([[4, 5]], (x) => square(slice(x, [1, -3], [3, 5], [0, 1]))));
  test("gather with repeats", async () =>
    check([[3, 4]], (x) => square(gather(x, constant([2, 0, 2, 1, 2], [5], "int64"), 1))));
  test("broadcastTo", async () => check([[3, 1]], (x) => square(broadcastTo(x, [2, 3, 4]))));
  test("space to depth and back", async () => check([[1, 4, 4, 2]], (x) => square(spaceToDepth(x, 2))));
  test("depth to space", async () => check([[1, 2, 2, 8]], (x) => square(depthToSpace(x, 2))));
});

describe("gradients of reductions and products", () => {
  test("sum", async () => check([[2, 3, 4]], (x) => square(sum(x, [0, 2]))));
  test("mean", async () => check([[2, 3, 4]], (x) => square(mean(x, [1], { keepDims: true }))));
  test("max", async () => check([[2, 3, 4]], (x) => square(max(x, [1]))));
  test("sumOfSquares", async () => check([[2, 3]], (x) => sumOfSquares(x, [1])));
  test("softmax", async () => check([[3, 4]], (x) => softmax(x, 1)));
  test("logSoftmax", async () => check([[3, 4]], (x) => logSoftmax(x, 1)));
  test("matmul", async () =>
    check(
      [
        [3, 4],
        [4, 2],
      ],
      matmul,
    ));
  test("matmul of batches", async () =>
    check(
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
      matmul,
    ));
  test("matmul of a batch with a matrix", async () =>
    check(
      [
        [2, 3, 4],
        [4, 2],
      ],
      matmul,
    ));
  test("matmul of a matrix with a batch", async () =>
    check(
      [
        [3, 4],
        [2, 4, 2],
      ],
      matmul,
    ));
});

describe("gradients of convolution and pooling", () => {
  test.each([
    [[2, 5, 5, 3], [3, 3, 3, 4], {}],
    [[1, 6, 6, 2], [3, 3, 2, 3], { stride: 2 }],
    [[1, 7, 5, 2], [3, 3, 2, 3], { stride: 2 }],
    [[1, 6, 6, 2], [1, 1, 2, 3], {}],
    [[1, 6, 6, 2], [1, 1, 2, 3], { stride: 2 }],
    [[1, 7, 7, 2], [3, 3, 2, 2], { dilation: 2 }],
    [[1, 8, 8, 2], [5, 5, 2, 2], { stride: 2, padding: 2 }],
    [[1, 6, 6, 2], [4, 4, 2, 2], { stride: 2, padding: 1 }],
    [[2, 4, 6, 3], [3, 3, 3, 2], {}],
    [[1, 6, 4, 2], [3, 3, 2, 3], { padding: 1 }],
    [[2, 2, 2, 3], [3, 3, 3, 2], {}],
    [[1, 1, 2, 2], [3, 3, 2, 3], {}],
    [[2, 2, 2, 2], [5, 5, 2, 2], { stride: 2 }],
    [[1, 3, 3, 2], [3, 3, 2, 2], { dilation: 2 }],
    [[1, 5, 5, 3], [3, 3, 1, 3], { groups: 3 }],
    [[1, 6, 6, 3], [3, 3, 1, 3], { groups: 3, stride: 2 }],
  ] as const)("conv2d %j with %j %j", async (x, w, options) => check([x, w], (a, b) => conv2d(a, b, options)));
  test("avgPool2d", async () => check([[1, 4, 4, 2]], (x) => square(avgPool2d(x, { size: 2 }))));
  test("globalAveragePool", async () => check([[2, 3, 3, 2]], (x) => square(globalAveragePool(x))));
  test("maxPool2d", async () => check([[1, 4, 4, 2]], (x) => square(maxPool2d(x, { size: 2 }))));
  test("overlapping maxPool2d", async () =>
    check([[1, 5, 5, 2]], (x) => square(maxPool2d(x, { size: 3, stride: 2, padding: 1 }))));
  test("upsample2x", async () => check([[1, 3, 2, 2]], (x) => square(upsample2x(x))));
});

describe("gradients of losses", () => {
  const targets = constant([0.7, 0.2, 0.1, 0, 1, 0], [2, 3]);
  const pixels = constant([1, 0, 0.5, 1, 0, 0.2], [2, 3]);
  const weights = constant([1, 0.3]);
  test("softTargetCrossEntropy", async () => check([[2, 3]], (x) => softTargetCrossEntropy(x, targets, weights)));
  test("klDivergence", async () => check([[2, 3]], (x) => klDivergence(x, targets)));
  test("bceWithLogits", async () => check([[2, 3]], (x) => bceWithLogits(x, pixels, weights), { low: -3, high: 3 }));
  test("diceLoss", async () => check([[2, 3]], (x) => diceLoss(sigmoid(x), pixels, weights)));
  test("smoothL1", async () => check([[2, 3]], (x) => smoothL1(x, pixels, 0.45, weights), { low: -2, high: 2 }));
});

describe("gradients of layers", () => {
  const scoped = (f: (scope: Scope, x: Tensor) => Tensor) => async () => {
    // The layer's own parameters become inputs of the check beside x.
    const probe = new Scope("train");
    f(probe, variable("probe", [2, 4, 4, 3]));
    const shapes = probe.parameters.map((p) => p.shape);
    await check([[2, 4, 4, 3], ...shapes], (x, ...given) => f(givenScope(given), x), {
      low: 0.2,
      high: 1.2,
      tolerance: 8e-3,
    });
  };
  const givenScope = (given: Tensor[]) => {
    const queue = given.slice();
    const scope = new Scope("train");
    const serve = (inner: Scope): Scope =>
      new Proxy(inner, {
        get(target, key) {
          if (key === "parameter") {
            return (name: string, shape: readonly number[], initialize: never) => {
              target.parameter(name, shape, initialize);
              return queue.shift()!;
            };
          }
          if (key === "sub") return (name: string) => serve(target.sub(name));
          const value = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    return serve(scope);
  };
  test(
    "conv with bias",
    scoped((s, x) => conv(s, x, 2, { bias: true })),
  );
  test(
    "batchNorm",
    scoped((s, x) => batchNorm(s, x)),
  );
  test(
    "layerNorm",
    scoped((s, x) => layerNorm(s, x)),
  );
  test(
    "convNorm",
    scoped((s, x) => convNorm(s, x, 2, { activation: "silu" })),
  );
  test(
    "linear",
    scoped((s, x) => linear(s, reshape(x, [2, 48]), 3)),
  );
  test("dropout", async () =>
    check([[2, 3]], (x) => dropout(x, 0.5, constant([0.1, 0.6, 0.7, 0.2, 0.9, 0.4], [2, 3]))));
});

test("no gradient flows through stopGradient", async () => {
  const x = variable("x", [2]);
  const [g] = grad(sum(mul(x, stopGradient(x))), [x]);
  const runner = await InferenceRunner.create({ g: g! });
  expect([...((await runner.run({ x: Float32Array.of(3, -2) })).g!.data as Float32Array)]).toEqual([3, -2]);
  runner.dispose();
});
