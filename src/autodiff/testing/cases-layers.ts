/** Layers, differentiated by their input and by every parameter, and dropout. */
import fc from "fast-check";
import { type Activation, batchNorm, conv, convNorm, dropout, layerNorm, linear } from "../layers.ts";
import { type RandomSource, Scope } from "../scope.ts";
import { input, type Tensor, variable } from "../tensor.ts";
import { type Example, type Given, POLYNOMIAL, shuffle } from "./differences.ts";
import { type OpCase, opCase, size } from "./properties.ts";
import { convolve, forEachIndex, normalise } from "./reference.ts";

/**
 * A layer on x. Scales are kept away from zero, where nothing can be seen, and so are weights before a normalisation: it
 * undoes their size, so that it jumps where they become zero.
 */
function layer(x: Given, f: (scope: Scope, x: Tensor) => Tensor, rest: Partial<Example> = {}): Example {
  const scope = new Scope("train");
  const y = f(scope, x.tensor);
  const parameters = scope.parameters.map(({ name, tensor }) => ({
    tensor,
    ...(name.endsWith("scale") || name.endsWith("conv/weight") ? { low: 0.4, high: 1.4 } : {}),
  }));
  return { given: [x, ...parameters], y, ...rest };
}

/**
 * Values for a normalisation: in every group that is normalised together they are half apart, so that no group is
 * nearly constant, where the function bends within a step.
 */
function spread(shape: readonly number[], along: "rows" | "last"): (random: RandomSource) => Float32Array {
  const channels = shape.at(-1)!;
  const rows = size(shape) / channels;
  const length = along === "rows" ? rows : channels;
  return (random) => {
    const out = new Float32Array(rows * channels);
    for (let group = 0; group < out.length / length; group++) {
      const order = Array.from({ length }, (_, k) => (k - length / 2 + random.uniform(-0.2, 0.2)) * 0.5);
      shuffle(order, random);
      for (const [k, value] of order.entries()) {
        out[along === "rows" ? k * channels + group : group * channels + k] = value;
      }
    }
    return out;
  };
}

const NORMALISATION = { step: 0.01, tolerance: 1e-3 };

/** [rows, channels] or [N, H, W, C]. */
const normalised = fc.oneof(
  fc
    .record({ rows: fc.integer({ min: 3, max: 16 }), c: fc.integer({ min: 1, max: 5 }) })
    .map(({ rows, c }) => [rows, c]),
  fc
    .record({
      n: fc.integer({ min: 1, max: 3 }),
      h: fc.constantFrom(1, 2, 3),
      w: fc.constantFrom(2, 3),
      c: fc.integer({ min: 1, max: 5 }),
    })
    .map(({ n, h, w, c }) => [n, h, w, c])
    .filter(([n, h, w]) => n! * h! * w! > 2),
);

const images = {
  n: fc.integer({ min: 1, max: 3 }),
  h: fc.integer({ min: 2, max: 6 }),
  w: fc.integer({ min: 2, max: 6 }),
};
const few = fc.integer({ min: 1, max: 4 });

export const layerCases: readonly OpCase[] = [
  opCase(
    "batchNorm",
    normalised,
    (shape) =>
      layer({ tensor: variable("x", shape), draw: spread(shape, "rows") }, batchNorm, {
        ...NORMALISATION,
        reference: (x, gamma, beta) => {
          const c = shape.at(-1)!;
          return normalise(x!, (k) => k % c).map((value, k) => value * gamma![k % c]! + beta![k % c]!);
        },
      }),
    { runs: 20 },
  ),
  opCase(
    "layerNorm",
    normalised.map((shape) => [...shape.slice(0, -1), shape.at(-1)! + 1]),
    (shape) =>
      layer({ tensor: variable("x", shape), draw: spread(shape, "last") }, layerNorm, {
        ...NORMALISATION,
        reference: (x, gamma, beta) => {
          const c = shape.at(-1)!;
          return normalise(x!, (k) => Math.floor(k / c)).map((value, k) => value * gamma![k % c]! + beta![k % c]!);
        },
      }),
  ),
  opCase("linear", fc.record({ n: few, c: fc.integer({ min: 1, max: 9 }), out: few }), ({ n, c, out }) =>
    layer({ tensor: variable("x", [n, c]) }, (scope, x) => linear(scope, x, out), {
      ...POLYNOMIAL,
      reference: (x, weight, bias) => {
        const y = new Float64Array(n * out);
        forEachIndex([n, out, c], ([i, j, k]) => {
          y[i! * out + j!]! += x![i! * c + k!]! * weight![k! * out + j!]! + bias![j!]! / c;
        });
        return y;
      },
    }),
  ),
  opCase(
    "conv",
    fc.record({
      ...images,
      c: few,
      out: few,
      kernel: fc.constantFrom(1, 3, 5),
      stride: fc.constantFrom(1, 2),
      bias: fc.boolean(),
      depthwise: fc.boolean(),
    }),
    ({ n, h, w, c, out: drawnOut, kernel, stride, bias, depthwise }) => {
      const out = depthwise ? c : drawnOut;
      const shape = [n, h, w, c];
      return layer(
        { tensor: variable("x", shape) },
        (scope, x) => conv(scope, x, out, { kernel, stride, bias, depthwise }),
        {
          ...POLYNOMIAL,
          reference: (x, weight, shift) =>
            convolve(x!, shape, weight!, [kernel, kernel, depthwise ? 1 : c, out], {
              stride,
              groups: depthwise ? c : 1,
            }).map((value, k) => value + (bias ? shift![k % out]! : 0)),
        },
      );
    },
    { runs: 15 },
  ),
  opCase(
    "convNorm",
    fc
      .record({
        ...images,
        c: few,
        out: few,
        kernel: fc.constantFrom(1, 3),
        stride: fc.constantFrom(1, 2),
        depthwise: fc.boolean(),
        activation: fc.constantFrom<Activation[]>("relu", "relu6", "silu", "gelu", "none"),
      })
      .filter(({ n, h, w, stride }) => n * Math.ceil(h / stride) * Math.ceil(w / stride) >= 8),
    ({ n, h, w, c, out, kernel, stride, depthwise, activation }) =>
      layer(
        { tensor: variable("x", [n, h, w, c]), low: -2, high: 2 },
        (scope, x) => convNorm(scope, x, depthwise ? c : out, { kernel, stride, depthwise, activation }),
        { step: 0.004, tolerance: 2e-3, zeros: activation.startsWith("relu") },
      ),
    { runs: 20 },
  ),
  opCase("dropout", fc.record({ n: few, c: few, rate: fc.constantFrom(0, 0.3, 0.5, 0.9) }), ({ n, c, rate }) => {
    const x = variable("x", [n, c]);
    const random = input("random", [n, c]);
    return {
      given: [{ tensor: x }, { tensor: random, low: 0, high: 1 }],
      y: dropout(x, rate, random),
      reference: (v, chance) => v!.map((value, k) => (chance![k]! >= Math.fround(rate) ? value / (1 - rate) : 0)),
      ...POLYNOMIAL,
    };
  }),
];
