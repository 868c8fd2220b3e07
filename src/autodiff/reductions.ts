/** Ops that reduce, and matrix products. */
import { div, equal, exp, mul, scale, square, sub, where } from "./elementwise.ts";
import { broadcastTo, ints, reshape, transpose } from "./shape.ts";
import { differentiable, emit, ShapeError, showShape, sizeOf, type Tensor } from "./tensor.ts";

interface ReduceOptions {
  keepDims?: boolean;
}

function reducedShape(x: Tensor, axes: readonly number[], keepDims: boolean): number[] {
  return x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [d]));
}

function reduce(
  op: string,
  x: Tensor,
  axes: readonly number[],
  { keepDims = false }: ReduceOptions,
  vjp: (dy: Tensor, y: Tensor) => Tensor,
): Tensor {
  if (axes.length === 0) return x;
  const kept = reducedShape(x, axes, true);
  const y = emit(op, [x, ints(axes)], reducedShape(x, axes, keepDims), { attributes: { keepdims: keepDims ? 1 : 0 } });
  return differentiable(y, [x], (dy) => [vjp(reshape(dy, kept), y)]);
}

const everyAxis = (x: Tensor) => x.shape.map((_, i) => i);

export function sum(x: Tensor, axes: readonly number[] = everyAxis(x), options: ReduceOptions = {}): Tensor {
  return reduce("ReduceSum", x, axes, options, (dy) => broadcastTo(dy, x.shape));
}

export function mean(x: Tensor, axes: readonly number[] = everyAxis(x), options: ReduceOptions = {}): Tensor {
  return reduce("ReduceMean", x, axes, options, (dy) => {
    const count = sizeOf(axes.map((axis) => x.shape[axis]!));
    return broadcastTo(scale(dy, 1 / count), x.shape);
  });
}

/** The largest element; among equals the gradient is shared. */
export function max(x: Tensor, axes: readonly number[] = everyAxis(x), options: ReduceOptions = {}): Tensor {
  return reduce("ReduceMax", x, axes, options, (dy, y) => {
    const top = where(equal(x, reshape(y, reducedShape(x, axes, true))), 1, 0);
    return mul(div(top, sum(top, axes, { keepDims: true })), dy);
  });
}

/** Sum of squares. */
export function sumOfSquares(x: Tensor, axes: readonly number[] = everyAxis(x), options: ReduceOptions = {}): Tensor {
  if (axes.length === 0) return square(x);
  return reduce("ReduceSumSquare", x, axes, options, (dy) => mul(scale(x, 2), dy));
}

/** Index of the largest element along an axis, int64. */
export function argMax(x: Tensor, axis: number): Tensor {
  return emit("ArgMax", [x], reducedShape(x, [axis], false), { dtype: "int64", attributes: { axis, keepdims: 0 } });
}

export function softmax(x: Tensor, axis: number): Tensor {
  const y = emit("Softmax", [x], x.shape, { attributes: { axis } });
  return differentiable(y, [x], (dy) => {
    const product = mul(dy, y);
    return [sub(product, mul(y, sum(product, [axis], { keepDims: true })))];
  });
}

export function logSoftmax(x: Tensor, axis: number): Tensor {
  const y = emit("LogSoftmax", [x], x.shape, { attributes: { axis } });
  return differentiable(y, [x], (dy) => [sub(dy, mul(exp(y), sum(dy, [axis], { keepDims: true })))]);
}

/** Matrix product; leading dimensions are batches, and one side may have none. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const inner = a.shape.at(-1)!;
  if (a.shape.length < 2 || b.shape.length < 2 || (inner !== b.shape.at(-2) && inner !== -1)) {
    throw new ShapeError(`matmul: ${showShape(a.shape)} with ${showShape(b.shape)}`);
  }
  const batchA = a.shape.slice(0, -2);
  const batchB = b.shape.slice(0, -2);
  // A batch of 1 on one side repeats over the other's.
  const batch = sizeOf(batchA) === 1 && batchB.length >= batchA.length ? batchB : batchA;
  const y = emit("MatMul", [a, b], [...batch, a.shape.at(-2)!, b.shape.at(-1)!]);
  return differentiable(y, [a, b], (dy) => [
    a.tracked ? fold(product(dy, b, false, true), a.shape) : undefined,
    b.tracked
      ? fold(b.shape.length === 2 && a.shape.length > 2 ? flatProduct(a, dy) : product(a, dy, true, false), b.shape)
      : undefined,
  ]);
}

/** Σ over batches of aᵀ·dy, as one product over all rows. */
function flatProduct(a: Tensor, dy: Tensor): Tensor {
  return product(reshape(a, [-1, a.shape.at(-1)!]), reshape(dy, [-1, dy.shape.at(-1)!]), true, false);
}

function fold(dx: Tensor, shape: readonly number[]): Tensor {
  const extra = dx.shape.length - shape.length;
  const axes = dx.shape.flatMap((d, i) => (i < extra || (shape[i - extra] === 1 && d !== 1) ? [i] : []));
  return reshape(axes.length ? sum(dx, axes, { keepDims: true }) : dx, shape);
}

/** op(a)·op(b) where op may transpose the last two axes; no gradient of its own. */
export function product(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  const m = a.shape.at(transposeA ? -1 : -2)!;
  const n = b.shape.at(transposeB ? -2 : -1)!;
  if (a.shape.length === 2 && b.shape.length === 2) {
    return emit("Gemm", [a, b], [m, n], { attributes: { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 } });
  }
  const swap = (x: Tensor) => {
    const perm = x.shape.map((_, i) => i);
    return transpose(x, [...perm.slice(0, -2), perm.at(-1)!, perm.at(-2)!]);
  };
  const left = transposeA ? swap(a) : a;
  const right = transposeB ? swap(b) : b;
  const batch = sizeOf(left.shape.slice(0, -2)) === 1 ? right.shape.slice(0, -2) : left.shape.slice(0, -2);
  return emit("MatMul", [left, right], [...batch, m, n]);
}
