/**
 * 3×3 convolution of stride 1 with fewer multiplications: F(2×2, 3×3) of Lavin and Gray 2016, "Fast algorithms for
 * convolutional neural networks". Every 2×2 block of outputs comes from a 4×4 tile of inputs; in a transformed basis
 * tile and kernel meet element by element, so that over the channels there are 16 products where the plain way has 36,
 * and the unrolled input is 4 times the image instead of 9 times.
 */
import { product } from "./reductions.ts";
import { concat, gather, ints, reshape, transpose } from "./shape.ts";
import { constant, differentiable, emit, type Tensor, untracked } from "./tensor.ts";

type Matrix = readonly (readonly number[])[];

// Rows of Bᵀ, G and Aᵀ: what becomes of a line of the tile, of the kernel, and back.
const TILE: Matrix = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
const KERNEL: Matrix = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];
const OUTPUT: Matrix = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];

/** The matrix that does to both axes of a square what `m` does to one: m ⊗ m. */
function onBothAxes(m: Matrix): Matrix {
  return m.flatMap((a) => m.map((b) => a.flatMap((x) => b.map((y) => x * y))));
}

function transposed(m: Matrix): Matrix {
  return m[0]!.map((_, j) => m.map((row) => row[j]!));
}

/** A matrix applied along the first axis. */
function transformed(matrix: Matrix, x: Tensor): Tensor {
  const [from, rows, columns] = x.shape as [number, number, number];
  const to = matrix.length;
  const flat = reshape(x, [from, rows * columns]);
  const y = emit("MatMul", [constant(matrix.flat(), [to, from]), flat], [to, rows * columns]);
  return reshape(y, [to, rows, columns]);
}

/** x [N, H, W, C] by w [3, 3, C, K] with one row of zeros around → [N, H, W, K]. H and W even. */
export function winograd(x: Tensor, w: Tensor): Tensor {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const out = w.shape[3]!;
  const v = transformed(onBothAxes(TILE), unrolled(untracked(x)));
  const u = transformed(onBothAxes(KERNEL), reshape(untracked(w), [9, channels, out]));
  const y = assembled(transformed(onBothAxes(OUTPUT), product(v, u, false, false)), [n, height, width, out]);
  return differentiable(y, [x, w], (dy) => {
    const dm = transformed(transposed(onBothAxes(OUTPUT)), taken(dy));
    const du = product(v, dm, true, false);
    const dw = w.tracked ? reshape(transformed(transposed(onBothAxes(KERNEL)), du), w.shape) : undefined;
    if (!x.tracked) return [undefined, dw];
    // The same convolution of dy, with the kernel turned by half: that swaps the first and last of its transformed
    // rows, and the two other transforms are told so instead of moving the kernel.
    const swapped = (m: Matrix): Matrix => [m[3]!, m[1]!, m[2]!, m[0]!];
    const back = transformed(onBothAxes(swapped(TILE)), unrolled(dy));
    const turned = OUTPUT.map((row) => [row[3]!, row[1]!, row[2]!, row[0]!]);
    return [assembled(transformed(onBothAxes(turned), product(back, u, false, true)), x.shape), dw];
  });
}

/** [N, H, W, C] → every 4×4 tile, 2 apart: [16, tiles, C], the images of a place side by side. */
function unrolled(x: Tensor): Tensor {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const positions = height * width;
  // For every place in the tile and every tile the position it reads; `positions` is a row of zeros.
  const reads: number[] = [];
  for (let a = 0; a < 4; a++) {
    for (let b = 0; b < 4; b++) {
      for (let row = a - 1; row < height + a - 2; row += 2) {
        for (let column = b - 1; column < width + b - 2; column += 2) {
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          reads.push(inside ? row * width + column : positions);
        }
      }
    }
  }
  const places = transpose(reshape(x, [n, positions, channels]), [1, 0, 2]);
  const padded = concat([places, constant(0, [1, n, channels])], 0);
  return reshape(gather(padded, ints(reads), 0), [16, -1, channels]);
}

/** [4, tiles, C] → [N, H, W, C]: the four of a tile become its 2×2 block. */
function assembled(blocks: Tensor, shape: readonly number[]): Tensor {
  const [n, height, width, channels] = shape as [number, number, number, number];
  const apart = reshape(blocks, [2, 2, height / 2, width / 2, n, channels]);
  return reshape(transpose(apart, [4, 2, 0, 3, 1, 5]), shape);
}

/** The inverse of {@link assembled}. */
function taken(x: Tensor): Tensor {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const apart = transpose(reshape(x, [n, height / 2, 2, width / 2, 2, channels]), [2, 4, 1, 3, 0, 5]);
  return reshape(apart, [4, -1, channels]);
}
