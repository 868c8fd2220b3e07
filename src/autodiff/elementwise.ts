/** Element-by-element ops with numpy broadcasting. Each stands with its gradient. */
import { blockedSource, unblocked } from "./reorder.ts";
import {
  constant,
  type DType,
  differentiable,
  emit,
  ShapeError,
  showShape,
  sizeOf,
  type Tensor,
  untracked,
} from "./tensor.ts";

export type Operand = Tensor | number;

export function asTensor(x: Operand): Tensor {
  return typeof x === "number" ? constant(x) : x;
}

/** The shape of two operands together. A dynamic dimension broadcasts with 1 and with itself. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    // A dynamic dimension is trusted to match a fixed one when it runs.
    if (x === -1 || y === -1) return Math.max(x, y);
    throw new ShapeError(`cannot broadcast ${showShape(a)} with ${showShape(b)}`);
  });
}

/** Sums a gradient back to the shape it was broadcast from. */
export function unbroadcast(dy: Tensor, shape: readonly number[]): Tensor {
  if (dy.shape.join() === shape.join()) return dy;
  const extra = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((size, i) => (i < extra || (shape[i - extra] === 1 && size !== 1) ? [i] : []));
  const kept = dy.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  const rows = sizeOf(dy.shape.slice(0, -1));
  if (rows > 0 && axes.length > 0 && axes.length === dy.shape.length - 1 && axes.at(-1) === axes.length - 1) {
    // All but the last axis, as for a bias: a product with a row of ones, several times faster than ReduceSum.
    const flat = shaped(untracked(dy), [rows, dy.shape.at(-1)!]);
    return shaped(emit("MatMul", [constant(1, [1, rows]), flat], [1, dy.shape.at(-1)!]), shape);
  }
  const summed = axes.length
    ? emit("ReduceSum", [dy, constant(axes, [axes.length], "int64")], kept, { attributes: { keepdims: 1 } })
    : dy;
  return shape.length === kept.length
    ? summed
    : emit("Reshape", [summed, constant(shape, [shape.length], "int64")], shape);
}

/** The operands on blocks, where both are there or one is a scalar: element by element, the order does not matter. */
function bothBlocked(x: Tensor, y: Tensor): [Tensor, Tensor] | undefined {
  const [a, b] = [blockedSource(x), blockedSource(y)];
  if (a && b && x.shape.join() === y.shape.join()) return [a, b];
  if (a && y.shape.length === 0) return [a, y];
  return b && x.shape.length === 0 ? [x, b] : undefined;
}

function endsWithOne({ shape }: Tensor): boolean {
  return shape.length > 1 && shape.at(-1) === 1 && !shape.includes(-1);
}

/** The same elements in another shape. */
function shaped(x: Tensor, shape: readonly number[]): Tensor {
  const y = emit("Reshape", [x, constant(shape, [shape.length], "int64")], shape);
  return differentiable(y, [x], (dy) => [shaped(dy, x.shape)]);
}

function binary(
  op: string,
  a: Operand,
  b: Operand,
  da: (dy: Tensor, x: Tensor, y: Tensor) => Tensor,
  db: (dy: Tensor, x: Tensor, y: Tensor, out: Tensor) => Tensor,
): Tensor {
  const x = asTensor(a);
  const y = asTensor(b);
  const blocks = bothBlocked(x, y);
  if (blocks) return unblocked(binary(op, ...blocks, da, db));
  // ONNX Runtime takes thirty times as long over a scalar and a tensor whose last dimension is 1.
  if (y.shape.length === 0 && endsWithOne(x))
    return shaped(binary(op, shaped(x, x.shape.slice(0, -1)), y, da, db), x.shape);
  if (x.shape.length === 0 && endsWithOne(y))
    return shaped(binary(op, x, shaped(y, y.shape.slice(0, -1)), da, db), y.shape);
  const out = emit(op, [x, y], broadcastShape(x.shape, y.shape));
  return differentiable(out, [x, y], (dy) => [
    x.tracked ? unbroadcast(da(dy, x, y), x.shape) : undefined,
    y.tracked ? unbroadcast(db(dy, x, y, out), y.shape) : undefined,
  ]);
}

export const add = (a: Operand, b: Operand) =>
  binary(
    "Add",
    a,
    b,
    (dy) => dy,
    (dy) => dy,
  );
export const sub = (a: Operand, b: Operand) => binary("Sub", a, b, (dy) => dy, neg);
export const mul = (a: Operand, b: Operand): Tensor =>
  binary(
    "Mul",
    a,
    b,
    (dy, _, y) => mul(dy, y),
    (dy, x) => mul(dy, x),
  );
export const div = (a: Operand, b: Operand): Tensor =>
  binary(
    "Div",
    a,
    b,
    (dy, _, y) => div(dy, y),
    (dy, _, y, out) => neg(mul(dy, div(out, y))),
  );

/** The larger; where equal the gradient goes to the first. */
export const maximum = (a: Operand, b: Operand) =>
  binary(
    "Max",
    a,
    b,
    (dy, x, y) => where(greaterOrEqual(x, y), dy, 0),
    (dy, x, y) => where(greaterOrEqual(x, y), 0, dy),
  );
/** The smaller; where equal the gradient goes to the first. */
export const minimum = (a: Operand, b: Operand) =>
  binary(
    "Min",
    a,
    b,
    (dy, x, y) => where(lessOrEqual(x, y), dy, 0),
    (dy, x, y) => where(lessOrEqual(x, y), 0, dy),
  );

function unary(op: string, x: Tensor, derivative: (dy: Tensor, y: Tensor, x: Tensor) => Tensor): Tensor {
  const blocks = blockedSource(x);
  if (blocks) return unblocked(unary(op, blocks, derivative));
  const y = emit(op, [x], x.shape);
  return differentiable(y, [x], (dy) => [derivative(dy, y, x)]);
}

export const neg = (x: Tensor): Tensor => unary("Neg", x, (dy) => neg(dy));
export const exp = (x: Tensor) => unary("Exp", x, (dy, y) => mul(dy, y));
export const log = (x: Tensor) => unary("Log", x, (dy, _, a) => div(dy, a));
export const sqrt = (x: Tensor) => unary("Sqrt", x, (dy, y) => div(scale(dy, 0.5), y));
export const abs = (x: Tensor) => unary("Abs", x, (dy, _, a) => mul(dy, sign(a)));
export const sin = (x: Tensor) => unary("Sin", x, (dy, _, a) => mul(dy, cos(a)));
export const cos = (x: Tensor): Tensor => unary("Cos", x, (dy, _, a) => neg(mul(dy, sin(a))));
export const tanh = (x: Tensor) => unary("Tanh", x, (dy, y) => mul(dy, sub(1, square(y))));
export const sigmoid = (x: Tensor) => unary("Sigmoid", x, (dy, y) => mul(dy, mul(y, sub(1, y))));
export const softplus = (x: Tensor) => unary("Softplus", x, (dy, _, a) => mul(dy, sigmoid(a)));
export const sign = (x: Tensor) => emit("Sign", [x], x.shape);
export const square = (x: Tensor) => mul(x, x);

/** Rectified linear unit. The gradient reads the output, which backward passes keep anyway. */
export const relu = (x: Tensor) => unary("Relu", x, (dy, y) => mul(dy, isPositive(y)));
/** 1 where x > 0, else 0, as numbers. HardSigmoid, a ramp from 0 to 1, this steep: several times faster than Sign. */
export const isPositive = (x: Tensor) =>
  emit("HardSigmoid", [x], x.shape, { attributes: { alpha: { float: 3e38 }, beta: { float: 0 } } });
/** x · sigmoid(x) (Hendrycks and Gimpel 2016). */
export const silu = (x: Tensor) => mul(x, sigmoid(x));
/** x · Φ(x), the exact form with the error function. */
export function gelu(x: Tensor): Tensor {
  const cumulative = scale(add(emit("Erf", [scale(x, Math.SQRT1_2)], x.shape), 1), 0.5);
  const y = mul(untracked(x), untracked(cumulative));
  return differentiable({ ...y, tracked: false, tape: undefined }, [x], (dy) => {
    const density = scale(exp(scale(square(untracked(x)), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(dy, add(untracked(cumulative), mul(untracked(x), density)))];
  });
}

export const scale = (x: Tensor, factor: number) => (factor === 1 ? x : mul(x, factor));
/** x^power for a fixed power; x must be positive where the power is not a whole number. */
export function pow(x: Tensor, power: number): Tensor {
  const y = emit("Pow", [x, constant(power)], x.shape);
  return differentiable(y, [x], (dy) => [mul(dy, scale(pow(untracked(x), power - 1), power))]);
}
export function clip(x: Tensor, low: number, high: number): Tensor {
  const y = emit("Clip", [x, constant(low), constant(high)], x.shape);
  return differentiable(y, [x], (dy) => [where(equal(untracked(x), y), dy, 0)]);
}

function comparison(op: string) {
  return (a: Operand, b: Operand): Tensor => {
    const x = asTensor(a);
    const y = asTensor(b);
    return emit(op, [x, y], broadcastShape(x.shape, y.shape), { dtype: "bool" });
  };
}
export const greater = comparison("Greater");
export const less = comparison("Less");
export const greaterOrEqual = comparison("GreaterOrEqual");
export const lessOrEqual = comparison("LessOrEqual");
export const equal = comparison("Equal");

/** `a` where the condition holds, else `b`. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const x = asTensor(a);
  const y = asTensor(b);
  const out = emit("Where", [condition, x, y], broadcastShape(condition.shape, broadcastShape(x.shape, y.shape)), {
    dtype: x.dtype,
  });
  return differentiable(out, [x, y], (dy) => [
    x.tracked ? unbroadcast(where(condition, dy, 0), x.shape) : undefined,
    y.tracked ? unbroadcast(where(condition, 0, dy), y.shape) : undefined,
  ]);
}

/** ONNX's codes of the element types. */
export const DTYPE_CODES: Record<DType, number> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 };

/** Another element type. Not differentiable. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : emit("Cast", [x], x.shape, { dtype, attributes: { to: DTYPE_CODES[dtype] } });
}
