/** Pooling and resampling by whole factors, NHWC. */
import { convolve } from "./blocked.ts";
import { cast, div, equal, mul } from "./elementwise.ts";
import { mean, sum } from "./reductions.ts";
import { blockedSource, emitBlocked, unblocked } from "./reorder.ts";
import { concat, gather, ints, reshape, transpose } from "./shape.ts";
import { constant, differentiable, emit, ShapeError, showShape, type Tensor, untracked } from "./tensor.ts";

/** Means of blocks of size × size that tile the image. */
export function avgPool2d(x: Tensor, { size }: { size: number }): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  if (h % size || w % size) throw new ShapeError(`avgPool2d: blocks of ${size} do not tile ${showShape(x.shape)}`);
  return size === 1 ? x : mean(reshape(x, [n, h / size, size, w / size, size, c]), [2, 4]);
}

/** [N, H, W, C] → [N, C]. */
export function globalAveragePool(x: Tensor): Tensor {
  return mean(x, [1, 2]);
}

export interface MaxPoolOptions {
  size: number;
  stride?: number;
  padding?: number;
}

/** Maxima of windows; among equal elements the gradient is shared. */
export function maxPool2d(x: Tensor, { size, stride = size, padding = 0 }: MaxPoolOptions): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const out = (length: number) => Math.floor((length + 2 * padding - size) / stride) + 1;
  const [oh, ow] = [out(h), out(w)];
  const attributes = {
    kernel_shape: [size, size],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  };
  const image = transpose(untracked(x), [0, 3, 1, 2]);
  const y = transpose(emit("MaxPool", [image], [n, c, oh, ow], { attributes }), [0, 2, 3, 1]);
  return differentiable(y, [x], (dy) => {
    const windows = windowTable(h, w, oh, ow, size, stride, padding);
    const flat = reshape(untracked(x), [n, h * w, c]);
    const padded = concat([flat, constant(-3.4e38, [n, 1, c])], 1);
    const columns = reshape(gather(padded, ints(windows), 1), [n, oh * ow, size * size, c]);
    const top = cast(equal(columns, reshape(y, [n, oh * ow, 1, c])), "float32");
    const share = div(reshape(dy, [n, oh * ow, 1, c]), sum(top, [2], { keepDims: true }));
    const sent = reshape(mul(top, share), [n, oh * ow * size * size, c]);
    const back = returnTable(h * w, windows);
    const readers = Math.max(...back.map((list) => list.length));
    const table = back.flatMap((list) => [...list, ...Array(readers - list.length).fill(windows.length)]);
    const withZero = concat([sent, constant(0, [n, 1, c])], 1);
    return [reshape(sum(reshape(gather(withZero, ints(table), 1), [n, h * w, readers, c]), [2]), x.shape)];
  });
}

/** For every window and element the input position, h·w for padding. */
function windowTable(
  h: number,
  w: number,
  oh: number,
  ow: number,
  size: number,
  stride: number,
  padding: number,
): number[] {
  const table: number[] = [];
  for (let i = 0; i < oh; i++) {
    for (let j = 0; j < ow; j++) {
      for (let a = 0; a < size; a++) {
        for (let b = 0; b < size; b++) {
          const [y, x] = [i * stride - padding + a, j * stride - padding + b];
          table.push(y < 0 || y >= h || x < 0 || x >= w ? h * w : y * w + x);
        }
      }
    }
  }
  return table;
}

/** For every input position the places of the table that read it. */
function returnTable(positions: number, table: readonly number[]): number[][] {
  const lists: number[][] = Array.from({ length: positions }, () => []);
  for (const [place, position] of table.entries()) if (position < positions) lists[position]!.push(place);
  return lists;
}

/**
 * Every pixel becomes 2 × 2. In training two copies, which ONNX Runtime does faster than its Resize; in inference the
 * Resize between transposes, which it takes into the blocked layout of the convolutions around it.
 */
export function upsample2x(x: Tensor): Tensor {
  const blocks = blockedSource(x);
  if (blocks) return unblocked(upsampleBlocks(blocks));
  const [n, h, w, c] = x.shape as [number, number, number, number];
  if (!x.tracked) {
    const wider = emit(
      "Resize",
      [transpose(x, [0, 3, 1, 2]), constant([], [0]), constant([1, 1, 2, 2], [4])],
      [n, c, 2 * h, 2 * w],
      { attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } },
    );
    return transpose(wider, [0, 2, 3, 1]);
  }
  const source = untracked(x);
  const wide = reshape(concat([source, source], 3), [n, h, 2 * w * c]);
  const y = reshape(concat([wide, wide], 2), [n, 2 * h, 2 * w, c]);
  return differentiable(y, [x], (dy) => [sum(reshape(dy, [n, h, 2, w, 2, c]), [2, 4])]);
}

/** On blocks both directions are single operators: back, a depthwise convolution of ones adds up the four. */
function upsampleBlocks(z: Tensor): Tensor {
  const [n, c, h, w] = z.shape as [number, number, number, number];
  const y = emitBlocked("Upsample", [z], [n, c, 2 * h, 2 * w], { scales: [1, 1, 2, 2], mode: "nearest" });
  return differentiable(y, [z], (dy) => [
    convolve([dy, constant(1, [c, 1, 2, 2])], z.shape, { kernel: [2, 2], strides: [2, 2], group: c }),
  ]);
}
