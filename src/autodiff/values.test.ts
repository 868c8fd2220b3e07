/**
 * Values of what gradients.test.ts does not see: inference, sampling, running statistics, convolutions of the size that
 * networks have. Expected are loops in double precision, testing/reference.ts.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import {
  batchNorm,
  constant,
  conv2d,
  convNorm,
  gridSample,
  InferenceRunner,
  input,
  mean,
  mul,
  Scope,
  type State,
  sizeOf,
  square,
  sum,
  type Tensor,
  TrainingSession,
  trainingStep,
} from "./index.ts";
import { type ConvParameters, convParameters, optionsOf } from "./testing/cases-images.ts";
import { compareForward } from "./testing/differences.ts";
import { drawn } from "./testing/properties.ts";
import { convolve, sample } from "./testing/reference.ts";

const uniform = (random: Random, shape: readonly number[], low = -1, high = 1) =>
  Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(low, high));
const doubles = (values: Float32Array) => Float64Array.from(values);

async function values(y: Tensor, feeds: Record<string, Float32Array>): Promise<Float32Array> {
  const runner = await InferenceRunner.create({ y }, { threads: 1 });
  const out = await runner.run(feeds);
  runner.dispose();
  return out.y!.data as Float32Array;
}

describe("convolution", () => {
  test.each([false, true])("as inference computes it; depthwise %s", async (depthwise) => {
    const property = fc.asyncProperty(convParameters, fc.nat(), async (p: ConvParameters, seed) => {
      const random = Random.seeded(seed);
      const [x, w] = [uniform(random, [p.n, p.h, p.w, p.c]), uniform(random, weightShape(p, depthwise))];
      const options = { ...optionsOf(p), groups: depthwise ? p.c : 1 };
      // The batch's size is not known beforehand, and the weights are constants.
      const weights = constant(w, weightShape(p, depthwise));
      const y = conv2d(input("x", [-1, p.h, p.w, p.c]), weights, { ...options, lowering: "conv" });
      const expected = convolve(doubles(x), [p.n, p.h, p.w, p.c], doubles(w), weightShape(p, depthwise), options);
      compareForward(await values(y, { x }), expected);
    });
    await fc.assert(property, drawn(40));
  });

  const weightShape = ({ kh, kw, c, k }: ConvParameters, depthwise: boolean) => [
    kh,
    kw,
    depthwise ? 1 : c,
    depthwise ? c : k,
  ];

  test.each([
    { shape: [2, 16, 16, 24], kernel: 3, out: 20, stride: 1 },
    { shape: [2, 16, 16, 16], kernel: 3, out: 24, stride: 2 },
    { shape: [2, 8, 8, 48], kernel: 3, out: 32, stride: 1 },
    { shape: [1, 4, 4, 96], kernel: 3, out: 64, stride: 1 },
    { shape: [3, 2, 2, 96], kernel: 3, out: 64, stride: 1 },
    { shape: [3, 2, 2, 512], kernel: 3, out: 256, stride: 1 },
    { shape: [3, 2, 2, 64], kernel: 3, out: 64, stride: 2 },
    { shape: [2, 32, 32, 3], kernel: 7, out: 16, stride: 2 },
    { shape: [2, 9, 11, 32], kernel: 1, out: 48, stride: 2 },
  ])("of the size that networks have: $shape by $kernel×$kernel", async ({ shape, kernel, out, stride }) => {
    const random = Random.seeded(17).stream(String(shape));
    const weightShape = [kernel, kernel, shape[3]!, out];
    const x = uniform(random, shape);
    // As He et al. draw them: outputs are of order one.
    const w = uniform(random, weightShape).map((value) => value * Math.sqrt(6 / (kernel * kernel * shape[3]!)));
    const expected = convolve(doubles(x), shape, doubles(w), weightShape, { stride });
    const anyBatch = [-1, ...shape.slice(1)];
    for (const [lowering, given] of [
      ["product", shape],
      ["conv", shape],
      ["conv", anyBatch],
    ] as const) {
      const y = conv2d(input("x", given), input("w", weightShape), { stride, lowering });
      compareForward(await values(y, { x, w }), expected);
    }
  });
});

describe("sampling", () => {
  const size = fc.integer({ min: 1, max: 6 });
  const parameters = fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    h: size,
    w: size,
    c: size,
    rows: size,
    columns: size,
    mode: fc.constantFrom<("bilinear" | "nearest")[]>("bilinear", "nearest"),
    padding: fc.constantFrom<("border" | "zeros")[]>("border", "zeros"),
    reach: fc.constantFrom(0.9, 1.5, 20),
  });

  test("bilinear and nearest, inside and far outside, images of any size", async () => {
    const property = fc.asyncProperty(
      parameters,
      fc.nat(),
      async ({ n, h, w, c, rows, columns, reach, ...o }, seed) => {
        const random = Random.seeded(seed);
        const image = uniform(random, [n, h, w, c]);
        const grid = uniform(random, [n, rows, columns, 2], -reach, reach);
        const runner = await InferenceRunner.create({
          y: gridSample(input("image", [-1, -1, -1, c]), input("grid", [-1, rows, columns, 2]), o),
        });
        const { y } = await runner.run({ image, grid }, { image: [n, h, w, c] });
        runner.dispose();
        const expected = sample(doubles(image), [n, h, w, c], doubles(grid), [n, rows, columns, 2], o);
        compareForward(y!.data as Float32Array, expected);
      },
    );
    await fc.assert(property, drawn(60));
  });

  test("nothing but numbers where a position is none", async () => {
    const y = gridSample(input("image", [1, 3, 3, 1]), input("grid", [1, 1, 3, 2]), { padding: "border" });
    const grid = Float32Array.of(1e30, -1e30, 3e38, 0, -3e38, 3e38);
    expect([...(await values(y, { image: new Float32Array(9).fill(0.5), grid }))]).toEqual([0.5, 0.5, 0.5]);
  });
});

describe("normalisation", () => {
  const shapes = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 6 })),
    fc.tuple(...[3, 4, 4, 6].map((max) => fc.integer({ min: 1, max }))),
  );

  /** Batch statistics as Ioffe and Szegedy define them; the running variance is the unbiased one. */
  function statistics(x: Float32Array, channels: number) {
    return Array.from({ length: channels }, (_, c) => {
      const all = Array.from(x).filter((_, k) => k % channels === c);
      const average = all.reduce((a, b) => a + b, 0) / all.length;
      const squares = all.reduce((total, value) => total + (value - average) ** 2, 0);
      return { average, unbiased: squares / Math.max(1, all.length - 1) };
    });
  }

  test("running statistics follow the batches", async () => {
    const property = fc.asyncProperty(shapes, fc.nat(), async (shape, seed) => {
      const random = Random.seeded(seed);
      const channels = shape.at(-1)!;
      const scope = new Scope();
      const loss = mean(square(batchNorm(scope.sub("norm"), input("x", shape))));
      const session = await TrainingSession.create(trainingStep({ scope, loss }), { threads: 1 });
      session.initialize(Random.seeded(1));
      const expected = { mean: new Array(channels).fill(0), variance: new Array(channels).fill(1) };
      const averages = { mean: expected.mean.slice(), variance: expected.variance.slice() };
      for (let step = 0; step < 3; step++) {
        const x = uniform(random, shape, -1, 3);
        await session.run({ x }, { learningRate: 0, emaDecay: 0.6 });
        for (const [c, { average, unbiased }] of statistics(x, channels).entries()) {
          expected.mean[c] = 0.9 * expected.mean[c] + 0.1 * average;
          expected.variance[c] = 0.9 * expected.variance[c] + 0.1 * unbiased;
          for (const kind of ["mean", "variance"] as const)
            averages[kind][c] = 0.6 * averages[kind][c] + 0.4 * expected[kind][c];
        }
      }
      const state = session.state();
      session.dispose();
      for (const kind of ["mean", "variance"] as const) {
        compareForward(state.get(`buffer/norm/${kind}`)!.data, expected[kind]);
        compareForward(state.get(`ema/norm/${kind}`)!.data, averages[kind]);
      }
    });
    await fc.assert(property, drawn(12));
  });

  test("in inference they are what is used, folded into the convolution or not", async () => {
    const parameters = fc.record({
      n: fc.integer({ min: 1, max: 3 }),
      side: fc.integer({ min: 2, max: 7 }),
      c: fc.integer({ min: 1, max: 5 }),
      out: fc.integer({ min: 1, max: 6 }),
      kernel: fc.constantFrom(1, 3, 5),
      stride: fc.constantFrom(1, 2),
      depthwise: fc.boolean(),
      epsilon: fc.constantFrom(1e-5, 1e-3),
      activation: fc.constantFrom("relu" as const, "relu6" as const),
    });
    const property = fc.asyncProperty(
      parameters,
      fc.nat(),
      async ({ n, side, c, out: k, kernel, stride, depthwise, epsilon, activation }, seed) => {
        const random = Random.seeded(seed);
        const out = depthwise ? c : k;
        const shape = [n, side, side, c];
        const weightShape = [kernel, kernel, depthwise ? 1 : c, out];
        const state: State = new Map([
          ["conv/weight", { shape: weightShape, data: uniform(random, weightShape) }],
          ["norm/scale", { shape: [out], data: uniform(random, [out], -2, 2) }],
          ["norm/shift", { shape: [out], data: uniform(random, [out]) }],
          ["norm/mean", { shape: [out], data: uniform(random, [out]) }],
          ["norm/variance", { shape: [out], data: uniform(random, [out], 0.01, 3) }],
        ]);
        const x = uniform(random, shape);
        const of = (name: string) => state.get(name)!.data;
        const plain = convolve(doubles(x), shape, doubles(of("conv/weight")), weightShape, {
          stride,
          groups: depthwise ? c : 1,
        });
        const expected = plain.map((value, i) => {
          const j = i % out;
          const deviation = Math.sqrt(of("norm/variance")[j]! + epsilon);
          const normal = (value - of("norm/mean")[j]!) / deviation;
          const y = Math.max(0, normal * of("norm/scale")[j]! + of("norm/shift")[j]!);
          return activation === "relu6" ? Math.min(6, y) : y;
        });
        const options = { kernel, stride, depthwise, epsilon, activation };
        const frozen = convNorm(Scope.frozenWith(state), input("x", shape), out, options);
        compareForward(await values(frozen, { x }), expected);
        const given = convNorm(new Scope("eval"), input("x", shape), out, options);
        const named = [...state].map(([name, { data }]) => [
          `${/mean|variance/.test(name) ? "buffer" : "param"}/${name}`,
          data,
        ]);
        compareForward(await values(given, { x, ...Object.fromEntries(named) }), expected);
      },
    );
    await fc.assert(property, drawn(25));
  });

  test("the average network, inside a training step, uses the averaged statistics", async () => {
    const scope = new Scope();
    const x = input("x", [3, 2]);
    const now = batchNorm(scope.sub("norm"), x);
    const averaged = batchNorm(scope.average().sub("norm"), x);
    const step = trainingStep({ scope, loss: sum(mul(now, now)), metrics: { averaged: sum(averaged) } });
    const session = await TrainingSession.create(step, { threads: 1 });
    session.initialize(Random.seeded(1));
    const values: [string, number[]][] = [
      ["ema/norm/scale", [2, 0.5]],
      ["ema/norm/shift", [0.1, -0.3]],
      ["ema/norm/mean", [1, -1]],
      ["ema/norm/variance", [4, 0.25]],
    ];
    session.load(
      new Map([
        ...session.state(),
        ...values.map(([name, v]) => [name, { shape: [2], data: Float32Array.from(v) }] as const),
      ]),
    );
    const rows = [0.5, 2, -1, 0.3, 4, 1];
    const out = await session.run({ x: Float32Array.from(rows) }, { learningRate: 0 });
    const expected = rows.reduce((total, value, k) => {
      const c = k % 2;
      const [scale, shift, average, variance] = values.map(([, v]) => v[c]!) as [number, number, number, number];
      return total + ((value - average) / Math.sqrt(variance + 1e-5)) * scale + shift;
    }, 0);
    expect(out.averaged).toBeCloseTo(expected, 4);
    session.dispose();
  });
});
