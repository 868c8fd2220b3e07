/** Ops that move elements: reshape, transpose, concatenate, slice, gather, broadcast, space to depth. */
import { unbroadcast } from "./elementwise.ts";
import { blockedSource, unblocked } from "./reorder.ts";
import { constant, differentiable, emit, ShapeError, showShape, sizeOf, type Tensor, untracked } from "./tensor.ts";

export function ints(values: readonly number[]): Tensor {
  return constant(values, [values.length], "int64");
}

/** The same elements in another shape. One dimension may be -1: inferred, or dynamic where the input is. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const size = sizeOf(x.shape);
  let resolved = shape;
  if (size >= 0) {
    const known = shape.reduce((product, d) => (d === -1 ? product : product * d), 1);
    const holes = shape.filter((d) => d === -1).length;
    if (holes > 1 || (holes === 0 && known !== size) || (holes === 1 && size % known !== 0)) {
      throw new ShapeError(`reshape: ${showShape(x.shape)} does not fit ${showShape(shape)}`);
    }
    resolved = shape.map((d) => (d === -1 ? size / known : d));
  }
  if (resolved.join() === x.shape.join()) return x;
  const { source } = x;
  // Of two in a row only the last counts; dynamic ones stay, since -1 is resolved step by step.
  if (
    !x.tracked &&
    size >= 0 &&
    source.kind === "op" &&
    source.op === "Reshape" &&
    sizeOf(source.inputs[0]!.shape) >= 0
  )
    return reshape(untracked(source.inputs[0]!), resolved);
  const y = emit("Reshape", [x, ints(resolved)], resolved, { dtype: x.dtype });
  return differentiable(y, [x], (dy) => [reshape(dy, x.shape)]);
}

export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  if (perm.every((p, i) => p === i)) return x;
  const { source } = x;
  if (!x.tracked && source.kind === "op" && source.op === "Transpose") {
    // Two turns in a row are one, or none.
    const before = source.attributes.perm as readonly number[];
    return transpose(
      untracked(source.inputs[0]!),
      perm.map((p) => before[p]!),
    );
  }
  const y = emit(
    "Transpose",
    [x],
    perm.map((p) => x.shape[p]!),
    { dtype: x.dtype, attributes: { perm } },
  );
  const inverse = perm.map((_, i) => perm.indexOf(i));
  return differentiable(y, [x], (dy) => [transpose(dy, inverse)]);
}

export function concat(xs: readonly Tensor[], axis: number): Tensor {
  const first = xs[0]!;
  for (const x of xs) {
    if (
      x.shape.length !== first.shape.length ||
      x.shape.some((d, i) => i !== axis && d !== first.shape[i] && d !== -1 && first.shape[i] !== -1)
    ) {
      throw new ShapeError(`concat along ${axis}: ${showShape(first.shape)} and ${showShape(x.shape)}`);
    }
  }
  const blocks = axis === 3 ? xs.map(blockedSource) : [];
  if (blocks.length > 0 && blocks.every((z) => z !== undefined)) return unblocked(concat(blocks, 1));
  const sizes = xs.map((x) => x.shape[axis]!);
  const shape = first.shape.map((d, i) =>
    i !== axis ? d : sizes.includes(-1) ? -1 : sizes.reduce((a, b) => a + b, 0),
  );
  const y = emit("Concat", xs, shape, { dtype: first.dtype, attributes: { axis } });
  return differentiable(y, xs, (dy) => {
    let from = 0;
    return xs.map((x, i) => {
      from += sizes[i]!;
      return x.tracked ? slice(dy, [from - sizes[i]!], [from], [axis]) : undefined;
    });
  });
}

/** x[start:end:step] along the given axes, as ONNX Slice: negative numbers count from the end. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[],
  steps = axes.map(() => 1),
): Tensor {
  const shape = x.shape.slice();
  const ranges = axes.map((axis, i) => {
    const size = shape[axis]!;
    const step = steps[i]!;
    if (size === -1) throw new ShapeError(`slice: axis ${axis} of ${showShape(x.shape)} is dynamic`);
    const bound = (value: number) => (value < 0 ? value + size : value);
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const start = Math.max(low, Math.min(high, bound(starts[i]!)));
    const end = Math.max(low, Math.min(high, bound(ends[i]!)));
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    return { axis, start, end, step, size };
  });
  // ONNX reads an end of -1 as the last element: "before the first" is written as the smallest number.
  const onnxEnds = ranges.map(({ end }) => (end < 0 ? Number.MIN_SAFE_INTEGER : end));
  const y = emit("Slice", [x, ints(ranges.map((r) => r.start)), ints(onnxEnds), ints(axes), ints(steps)], shape, {
    dtype: x.dtype,
  });
  return differentiable(y, [x], (dy) => {
    if (steps.some((step) => step !== 1)) throw new ShapeError("slice: no gradient through steps other than 1");
    const before = x.shape.map(() => 0);
    const after = x.shape.map(() => 0);
    for (const { axis, start, end, size } of ranges) {
      before[axis] = start;
      after[axis] = size - end;
    }
    return [pad(dy, [...before, ...after])];
  });
}

/** Zeros around; as ONNX Pad: what to add before each axis, then after each. Negative numbers cut off. */
export function pad(x: Tensor, pads: readonly number[]): Tensor {
  if (pads.every((p) => p === 0)) return x;
  const rank = x.shape.length;
  const shape = x.shape.map((size, i) => size + pads[i]! + pads[rank + i]!);
  const y = emit("Pad", [x, ints(pads)], shape, { dtype: x.dtype });
  return differentiable(y, [x], (dy) => [
    pad(
      dy,
      pads.map((p) => -p),
    ),
  ]);
}

/** Rows of `x` along an axis by constant or computed int64 indices of rank 1. */
export function gather(x: Tensor, indices: Tensor, axis: number): Tensor {
  const shape = x.shape.flatMap((d, i) => (i === axis ? indices.shape : [d]));
  const y = emit("Gather", [x, indices], shape, { dtype: x.dtype, attributes: { axis } });
  return differentiable(y, [x], (dy) => {
    if (indices.shape.length !== 1) throw new ShapeError("gather: gradient only for indices of rank 1");
    const order = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
    const rows = transpose(dy, order);
    const zeros = constant(
      0,
      order.map((i) => x.shape[i]!),
    );
    const scattered = emit("ScatterND", [zeros, reshape(indices, [-1, 1]), rows], zeros.shape, {
      attributes: { reduction: "add" },
    });
    return [
      transpose(
        scattered,
        order.map((_, i) => order.indexOf(i)),
      ),
    ];
  });
}

export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.join() === shape.join()) return x;
  const y = emit("Expand", [x, ints(shape)], shape, { dtype: x.dtype });
  return differentiable(y, [x], (dy) => [unbroadcast(dy, x.shape)]);
}

/** [N, H, W, C] → [N, H/b, W/b, b·b·C]: rows of the block first, then columns, then channels. */
export function spaceToDepth(x: Tensor, block: number): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  if (h % block || w % block) throw new ShapeError(`spaceToDepth: ${showShape(x.shape)} by ${block}`);
  const { source } = x;
  if (!x.tracked && source.kind === "op" && source.op === "Transpose" && String(source.attributes.perm) === "0,2,3,1") {
    // An image that was in planes: ONNX's own operator works there, and several times faster.
    const deep = emit("SpaceToDepth", source.inputs, [n, block * block * c, h / block, w / block], {
      attributes: { blocksize: block },
    });
    return transpose(deep, [0, 2, 3, 1]);
  }
  const split = reshape(x, [n, h / block, block, w / block, block, c]);
  return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [n, h / block, w / block, block * block * c]);
}

/** The inverse of {@link spaceToDepth}. */
export function depthToSpace(x: Tensor, block: number): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  if (c % (block * block)) throw new ShapeError(`depthToSpace: ${showShape(x.shape)} by ${block}`);
  const split = reshape(x, [n, h, w, block, block, c / (block * block)]);
  return reshape(transpose(split, [0, 1, 3, 2, 4, 5]), [n, h * block, w * block, c / (block * block)]);
}

/** The size [W, H] of an image tensor [N, H, W, C] as floats, read when it runs. */
export function canvasSizeOf(x: Tensor): Tensor {
  const [, h, w] = x.shape as [number, number, number, number];
  if (h !== -1 && w !== -1) return constant([w, h]);
  const dims = emit("Shape", [x], [4], { dtype: "int64" });
  const size = emit("Gather", [dims, ints([2, 1])], [2], { dtype: "int64", attributes: { axis: 0 } });
  return emit("Cast", [size], [2], { attributes: { to: 1 } });
}
