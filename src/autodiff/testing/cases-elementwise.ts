/** Element-wise ops: random shapes, broadcasting, numbers as operands. */
import fc from "fast-check";
import {
  abs,
  add,
  clip,
  cos,
  div,
  exp,
  gelu,
  log,
  maximum,
  minimum,
  mul,
  neg,
  type Operand,
  pow,
  relu,
  scale,
  sigmoid,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "../elementwise.ts";
import { constant, input, type Tensor, variable } from "../tensor.ts";
import type { Given } from "./differences.ts";
import { broadcastPair, type OpCase, opCase, shapes, size, trackedOfTwo } from "./properties.ts";
import { broadcastValues, erf } from "./reference.ts";

interface Unary {
  name: string;
  op: (x: Tensor) => Tensor;
  f: (x: number) => number;
  range?: readonly [number, number];
  kinks?: readonly number[];
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

const UNARY: readonly Unary[] = [
  { name: "neg", op: neg, f: (x) => -x },
  { name: "exp", op: exp, f: Math.exp, range: [-2, 2] },
  { name: "log", op: log, f: Math.log, range: [0.5, 3] },
  { name: "sqrt", op: sqrt, f: Math.sqrt, range: [0.5, 3] },
  { name: "abs", op: abs, f: Math.abs, kinks: [0] },
  { name: "sin", op: sin, f: Math.sin, range: [-4, 4] },
  { name: "cos", op: cos, f: Math.cos, range: [-4, 4] },
  { name: "tanh", op: tanh, f: Math.tanh, range: [-2, 2] },
  { name: "sigmoid", op: sigmoid, f: logistic, range: [-4, 4] },
  { name: "softplus", op: softplus, f: (x) => Math.log1p(Math.exp(x)), range: [-4, 4] },
  { name: "relu", op: relu, f: (x) => Math.max(0, x), kinks: [0] },
  { name: "silu", op: silu, f: (x) => x * logistic(x), range: [-4, 4] },
  { name: "gelu", op: gelu, f: (x) => (x * (1 + erf(x / Math.SQRT2))) / 2, range: [-3, 3] },
  { name: "square", op: square, f: (x) => x * x },
];

const unaryCases = UNARY.map(({ name, op, f, range: [low, high] = [-1, 1], kinks }) =>
  opCase(name, shapes(), (shape) => {
    const x = variable("x", shape);
    return { given: [{ tensor: x, low, high, kinks }], y: op(x), reference: (v) => v!.map(f) };
  }),
);

interface Binary {
  name: string;
  op: (a: Operand, b: Operand) => Tensor;
  f: (a: number, b: number) => number;
  values?: Omit<Given, "tensor">;
  /** Compared with each other: on lattices that never meet. */
  compared?: boolean;
}

const BINARY: readonly Binary[] = [
  { name: "add", op: add, f: (a, b) => a + b },
  { name: "sub", op: sub, f: (a, b) => a - b },
  { name: "mul", op: mul, f: (a, b) => a * b },
  { name: "div", op: div, f: (a, b) => a / b, values: { low: 0.7, high: 2 } },
  { name: "maximum", op: maximum, f: Math.max, compared: true },
  { name: "minimum", op: minimum, f: Math.min, compared: true },
];

const binaryCases = BINARY.flatMap(({ name, op, f, values = {}, compared = false }) => {
  const of = (tensor: Tensor, lattice: number) => ({ tensor, ...values, ...(compared ? { lattice } : {}) });
  return [
    opCase(name, fc.record({ pair: broadcastPair(), tracked: trackedOfTwo() }), ({ pair, tracked }) => {
      const a = (tracked[0] ? variable : input)("a", pair.a);
      const b = (tracked[1] ? variable : input)("b", pair.b);
      const y = op(a, b);
      return {
        given: [of(a, 0), of(b, 0.5)],
        y,
        reference: (u, v) => {
          const [left, right] = [broadcastValues(u!, pair.a, y.shape), broadcastValues(v!, pair.b, y.shape)];
          return left.map((value, k) => f(value, right[k]!));
        },
      };
    }),
    opCase(
      name,
      fc.record({ shape: shapes(), left: fc.boolean() }),
      ({ shape, left }) => {
        const x = variable("x", shape);
        // Half-way between two points of the lattice, 0.06 + 0.24 k.
        const y = left ? op(0.9, x) : op(x, 0.9);
        return { given: [of(x, 0.25)], y, reference: (v) => v!.map((value) => (left ? f(0.9, value) : f(value, 0.9))) };
      },
      { runs: 4 },
    ),
  ];
});

const CLIP = { low: -0.4, high: 0.55 };

export const elementwiseCases: readonly OpCase[] = [
  ...unaryCases,
  ...binaryCases,
  opCase("scale", fc.record({ shape: shapes(), factor: fc.constantFrom(-2.5, 0, 0.1, 1, 3) }), ({ shape, factor }) => {
    const x = variable("x", shape);
    return { given: [{ tensor: x }], y: scale(x, factor), reference: (v) => v!.map((value) => value * factor) };
  }),
  opCase("pow", fc.record({ shape: shapes(), power: fc.constantFrom(-1, 0.5, 1, 2, 2.5, 3) }), ({ shape, power }) => {
    const x = variable("x", shape);
    return {
      given: [{ tensor: x, low: 0.6, high: 2 }],
      y: pow(x, power),
      reference: (v) => v!.map((value) => value ** power),
    };
  }),
  opCase("clip", shapes(), (shape) => {
    const x = variable("x", shape);
    return {
      given: [{ tensor: x, kinks: [CLIP.low, CLIP.high] }],
      y: clip(x, CLIP.low, CLIP.high),
      reference: (v) => v!.map((value) => Math.max(CLIP.low, Math.min(CLIP.high, value))),
    };
  }),
  opCase(
    "where",
    fc
      .record({ pair: broadcastPair(), tracked: trackedOfTwo(), rows: fc.boolean(), bits: fc.nat() })
      .filter(({ pair }) => pair.a.length + pair.b.length > 0),
    ({ pair, tracked, rows, bits }) => {
      const a = (tracked[0] ? variable : input)("a", pair.a);
      const b = (tracked[1] ? variable : input)("b", pair.b);
      const full = add(a, b).shape;
      // The condition is of the full shape, or of one row of it.
      const of = rows ? full.slice(-1) : full;
      const chosen = Array.from({ length: size(of) }, (_, k) => (bits >> (k % 31)) & 1);
      return {
        given: [{ tensor: a }, { tensor: b }],
        y: where(constant(chosen, of, "bool"), a, b),
        reference: (u, v) => {
          const [left, right] = [broadcastValues(u!, pair.a, full), broadcastValues(v!, pair.b, full)];
          const where = broadcastValues(Float64Array.from(chosen), of, full);
          return where.map((yes, k) => (yes ? left[k]! : right[k]!));
        },
      };
    },
  ),
];
