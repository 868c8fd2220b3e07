/** Ops that move elements, reduce or multiply matrices: random ranks, axes and batches. */
import fc from "fast-check";
import { add, cos, mul, sin, square, sub, tanh } from "../elementwise.ts";
import { logSoftmax, matmul, max, mean, softmax, sum, sumOfSquares } from "../reductions.ts";
import {
  broadcastTo,
  concat,
  depthToSpace,
  gather,
  ints,
  pad,
  reshape,
  slice,
  spaceToDepth,
  transpose,
} from "../shape.ts";
import { input, type Tensor, variable } from "../tensor.ts";
import { POLYNOMIAL } from "./differences.ts";
import { axesOf, broadcastPair, type OpCase, opCase, shapes, size, trackedOfTwo } from "./properties.ts";
import { at, broadcastValues, forEachIndex, reduceValues } from "./reference.ts";

const dimension = fc.integer({ min: 1, max: 5 });
const shapeWithAxes = shapes({ least: 1, longest: 5 }).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axes: axesOf(shape.length), keepDims: fc.boolean() }),
);
const shapeWithAxis = shapes({ least: 1, longest: 5 }).chain((shape) =>
  fc.record({ shape: fc.constant(shape), axis: fc.nat({ max: shape.length - 1 }) }),
);

const REDUCTIONS = [
  { name: "sum", op: sum, f: (all: number[]) => all.reduce((a, b) => a + b, 0) },
  { name: "mean", op: mean, f: (all: number[]) => all.reduce((a, b) => a + b, 0) / all.length },
  { name: "sumOfSquares", op: sumOfSquares, f: (all: number[]) => all.reduce((a, b) => a + b * b, 0) },
  { name: "max", op: max, f: (all: number[]) => Math.max(...all) },
] as const;

const reductions = REDUCTIONS.flatMap(({ name, op, f }) => {
  // Distinct elements where they are compared with each other.
  const values = name === "max" ? { lattice: 0 } : {};
  const settings = name === "max" ? {} : POLYNOMIAL;
  return [
    opCase(name, shapeWithAxes, ({ shape, axes, keepDims }) => {
      const x = variable("x", shape);
      return {
        given: [{ tensor: x, ...values }],
        y: op(x, axes, { keepDims }),
        reference: (v) => reduceValues(v!, shape, axes, f),
        ...settings,
      };
    }),
    opCase(
      name,
      shapes({ longest: 5 }),
      (shape) => {
        const x = variable("x", shape);
        return { given: [{ tensor: x, ...values }], y: op(x), reference: (v) => [f([...v!])], ...settings };
      },
      { runs: 4 },
    ),
  ];
});

const soft = [
  { name: "softmax", op: softmax, f: (p: number) => p },
  { name: "logSoftmax", op: logSoftmax, f: Math.log },
].map(({ name, op, f }) =>
  opCase(name, shapeWithAxis, ({ shape, axis }) => {
    const x = variable("x", shape);
    return {
      given: [{ tensor: x, low: -2, high: 2 }],
      y: op(x, axis),
      reference: (v) => {
        const totals = reduceValues(v!, shape, [axis], (all) => all.reduce((t, value) => t + Math.exp(value), 0));
        const kept = shape.map((d, i) => (i === axis ? 1 : d));
        const total = broadcastValues(Float64Array.from(totals), kept, shape);
        return v!.map((value, k) => f(Math.exp(value) / total[k]!));
      },
    };
  }),
);

/** Batches of either side: none, one, or the same; or a single matrix repeated. */
const product = fc.record({
  rows: dimension,
  inner: fc.integer({ min: 1, max: 12 }),
  columns: dimension,
  batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
  kind: fc.constantFrom("both", "left", "right", "oneLeft", "oneRight"),
  tracked: trackedOfTwo(),
});

const moving: readonly OpCase[] = [
  opCase("reshape", fc.record({ shape: shapes(), order: fc.nat(), hole: fc.nat() }), ({ shape, order, hole }) => {
    const x = variable("x", shape);
    const n = size(shape);
    const factors = Array.from({ length: n }, (_, k) => k + 1).filter((k) => n % k === 0);
    const first = factors[order % factors.length]!;
    const to = [first, n / first];
    if (hole % 3 < 2) to[hole % 3] = -1;
    return { given: [{ tensor: x }], y: square(reshape(x, to)), reference: (v) => v!.map((a) => a * a), ...POLYNOMIAL };
  }),
  opCase(
    "transpose",
    shapes({ least: 1 }).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        perm: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
      }),
    ),
    ({ shape, perm }) => {
      const x = variable("x", shape);
      const y = transpose(x, perm);
      return {
        given: [{ tensor: x }],
        y: square(y),
        reference: (v) => {
          const out: number[] = [];
          forEachIndex(y.shape, (index) => {
            out.push(
              at(
                v!,
                shape,
                perm.map((_, axis) => index[perm.indexOf(axis)]!),
              ) ** 2,
            );
          });
          return out;
        },
        ...POLYNOMIAL,
      };
    },
  ),
  opCase(
    "concat",
    shapeWithAxis.chain(({ shape, axis }) =>
      fc.record({
        shape: fc.constant(shape),
        axis: fc.constant(axis),
        parts: fc.array(fc.record({ length: dimension, tracked: fc.boolean() }), { minLength: 1, maxLength: 4 }),
        twice: fc.boolean(),
      }),
    ),
    ({ shape, axis, parts, twice }) => {
      const given = parts.map(({ length, tracked }, i) => {
        const own = shape.map((d, k) => (k === axis ? length : d));
        // One at least is differentiated by.
        return { tensor: (tracked || i === 0 ? variable : input)(`x${i}`, own) };
      });
      const tensors = given.map(({ tensor }) => tensor);
      // The same tensor may come in twice.
      return { given, y: square(concat(twice ? [...tensors, tensors[0]!] : tensors, axis)), ...POLYNOMIAL };
    },
  ),
  opCase(
    "slice",
    shapeWithAxis.chain(({ shape, axis }) =>
      fc.record({
        shape: fc.constant(shape),
        axis: fc.constant(axis),
        start: fc.nat({ max: shape[axis]! - 1 }),
        length: fc.integer({ min: 1, max: 7 }),
        fromEnd: fc.boolean(),
      }),
    ),
    ({ shape, axis, start, length, fromEnd }) => {
      const x = variable("x", shape);
      const d = shape[axis]!;
      const end = Math.min(d, start + length);
      // Numbers from the end, and ends beyond it, as ONNX takes them.
      const [from, to] = fromEnd ? [start - d, end === d ? d + 3 : end - d] : [start, end];
      return {
        given: [{ tensor: x }],
        y: square(slice(x, [from], [to], [axis])),
        reference: (v) => {
          const out: number[] = [];
          forEachIndex(shape, (index, k) => {
            if (index[axis]! >= start && index[axis]! < end) out.push(v![k]! ** 2);
          });
          return out;
        },
        ...POLYNOMIAL,
      };
    },
  ),
  opCase(
    "slice",
    fc.record({ rows: dimension, columns: dimension, top: fc.nat(), left: fc.nat() }),
    ({ rows, columns, top, left }) => {
      const x = variable("x", [rows, 2, columns]);
      const [t, l] = [top % rows, left % columns];
      return { given: [{ tensor: x }], y: square(slice(x, [t, l], [rows, columns], [0, 2])), ...POLYNOMIAL };
    },
    { runs: 5 },
  ),
  opCase(
    "pad",
    fc
      .record({
        rows: dimension,
        columns: dimension,
        before: fc.nat({ max: 2 }),
        after: fc.integer({ min: -1, max: 2 }),
      })
      .filter(({ rows, before, after }) => rows + before + after > 0),
    ({ rows, columns, before, after }) => {
      const x = variable("x", [rows, columns]);
      // A negative number cuts off.
      const y = pad(x, [before, 1, after, 0]);
      const kept = columns + 1;
      return {
        given: [{ tensor: x }],
        y: square(add(y, 1)),
        reference: (v) =>
          Array.from({ length: (rows + before + after) * kept }, (_, at) => {
            const [row, column] = [Math.floor(at / kept) - before, (at % kept) - 1];
            return ((row < 0 || row >= rows || column < 0 ? 0 : v![row * columns + column]!) + 1) ** 2;
          }),
        ...POLYNOMIAL,
      };
    },
  ),
  opCase(
    "gather",
    shapeWithAxis.chain(({ shape, axis }) =>
      fc.record({
        shape: fc.constant(shape),
        axis: fc.constant(axis),
        rows: fc.array(fc.nat({ max: shape[axis]! - 1 }), { minLength: 1, maxLength: 7 }),
      }),
    ),
    ({ shape, axis, rows }) => {
      const x = variable("x", shape);
      const y = gather(x, ints(rows), axis);
      return {
        given: [{ tensor: x }],
        y: square(y),
        reference: (v) => {
          const out: number[] = [];
          forEachIndex(y.shape, (index) => {
            out.push(
              at(
                v!,
                shape,
                index.map((i, k) => (k === axis ? rows[i]! : i)),
              ) ** 2,
            );
          });
          return out;
        },
        ...POLYNOMIAL,
      };
    },
  ),
  opCase(["broadcastTo", "unbroadcast"], broadcastPair(), ({ a, b }) => {
    const x = variable("x", a);
    const full = mul(x, input("shape only", b)).shape;
    return {
      given: [{ tensor: x }],
      y: square(broadcastTo(x, full)),
      reference: (v) => broadcastValues(v!, a, full).map((value) => value ** 2),
      ...POLYNOMIAL,
    };
  }),
  ...(["spaceToDepth", "depthToSpace"] as const).map((name) =>
    opCase(
      name,
      fc.record({ n: fc.integer({ min: 1, max: 3 }), h: dimension, w: dimension, c: dimension, block: dimension }),
      ({ n, h, w, c, block: drawnBlock }) => {
        const block = Math.min(3, drawnBlock);
        const deep = [n, h, w, block * block * c];
        const wide = [n, h * block, w * block, c];
        const [from, to, op] = name === "spaceToDepth" ? [wide, deep, spaceToDepth] : [deep, wide, depthToSpace];
        const x = variable("x", from);
        return {
          given: [{ tensor: x }],
          y: square(op(x, block)),
          // Depth runs over the rows of a block, then its columns, then the channels.
          reference: (v) => {
            const out = new Float64Array(size(to));
            forEachIndex(wide, ([i, y, z, k], flat) => {
              const inner = ((y! % block) * block + (z! % block)) * c + k!;
              const place = [i!, Math.floor(y! / block), Math.floor(z! / block), inner];
              const deepFlat = place.reduce((sum, p, axis) => sum * deep[axis]! + p, 0);
              const [source, target] = name === "spaceToDepth" ? [flat, deepFlat] : [deepFlat, flat];
              out[target] = v![source]! ** 2;
            });
            return out;
          },
          ...POLYNOMIAL,
        };
      },
    ),
  ),
];

export const tensorCases: readonly OpCase[] = [
  ...moving,
  ...reductions,
  ...soft,
  opCase(
    ["matmul", "product"],
    product,
    ({ rows, inner, columns, batch, kind, tracked }) => {
      const ones = batch.map(() => 1);
      const left = kind === "right" ? [] : kind === "oneLeft" ? ones : batch;
      const right = kind === "left" ? [] : kind === "oneRight" ? ones : batch;
      const a = (tracked[0] ? variable : input)("a", [...left, rows, inner]);
      const b = (tracked[1] ? variable : input)("b", [...right, inner, columns]);
      const y = matmul(a, b);
      return {
        given: [{ tensor: a }, { tensor: b }],
        y,
        reference: (u, v) => {
          const full = y.shape.slice(0, -2);
          const [p, q] = [
            broadcastValues(u!, a.shape, [...full, rows, inner]),
            broadcastValues(v!, b.shape, [...full, inner, columns]),
          ];
          const out = new Float64Array(size(y.shape));
          forEachIndex([size(full), rows, columns, inner], ([n, i, j, k]) => {
            out[(n! * rows + i!) * columns + j!]! +=
              p[(n! * rows + i!) * inner + k!]! * q[(n! * inner + k!) * columns + j!]!;
          });
          return out;
        },
        ...POLYNOMIAL,
      };
    },
    { runs: 30 },
  ),
  // A value that is used again and again gathers its gradient from every use.
  opCase(
    "grad",
    fc.record({ shape: shapes(), uses: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 6 }) }),
    ({ shape, uses }) => {
      const x = variable("x", shape);
      const seen: Tensor[] = [x];
      const steps = [
        (last: Tensor, _: Tensor) => sin(last),
        (last: Tensor, other: Tensor) => mul(last, cos(other)),
        (last: Tensor, other: Tensor) => sub(other, mul(last, 0.5)),
        (last: Tensor, other: Tensor) => tanh(mul(other, last)),
      ];
      for (const use of uses) seen.push(steps[use]!(seen.at(-1)!, seen[(use * 7) % seen.length]!));
      return { given: [{ tensor: x }], y: mul(seen.at(-1)!, seen[seen.length >> 1]!), tolerance: 1e-3 };
    },
    { runs: 15 },
  ),
];
