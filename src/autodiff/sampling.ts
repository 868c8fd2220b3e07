/** Affine sampling of images inside the graph: augmentation, posing and test-time views. */
import { matmul } from "./reductions.ts";
import { reshape, transpose } from "./shape.ts";
import { constant, emit, ShapeError, showShape, type Tensor } from "./tensor.ts";

/**
 * theta [N, 2, 3] → the grid [N, h, w, 2] of theta · (u, v, 1), where u and v run over the centres of h × w cells that
 * tile [-1, 1]² (align_corners = false). Not differentiable.
 */
export function affineGrid(theta: Tensor, height: number, width: number): Tensor {
  if (theta.shape.length !== 3 || theta.shape[1] !== 2 || theta.shape[2] !== 3)
    throw new ShapeError(`affineGrid: theta is ${showShape(theta.shape)}, not [N, 2, 3]`);
  const base = new Float32Array(3 * height * width);
  const area = height * width;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      base[i * width + j] = (2 * j + 1) / width - 1;
      base[area + i * width + j] = (2 * i + 1) / height - 1;
      base[2 * area + i * width + j] = 1;
    }
  }
  const points = matmul(theta, constant(base, [3, area]));
  return reshape(transpose(points, [0, 2, 1]), [theta.shape[0]!, height, width, 2]);
}

export interface GridSampleOptions {
  mode?: "bilinear" | "nearest";
  /** What lies beyond the image: its edge repeated, or zeros. */
  padding?: "border" | "zeros";
}

/**
 * Reads images [N, H, W, C] at grid positions [N, h, w, 2] as (x, y), both -1 to 1 from edge to edge
 * (align_corners = false). H and W may be dynamic. Not differentiable: a tracked input is refused.
 */
export function gridSample(
  image: Tensor,
  grid: Tensor,
  { mode = "bilinear", padding = "border" }: GridSampleOptions = {},
): Tensor {
  if (image.tracked || grid.tracked)
    throw new ShapeError("gridSample: no gradient through sampling; stop the gradient first");
  const [, h, w] = grid.shape as [number, number, number];
  const planes = transpose(image, [0, 3, 1, 2]);
  const read = emit("GridSample", [planes, grid], [image.shape[0]!, image.shape[3]!, h, w], {
    attributes: { mode, padding_mode: padding, align_corners: 0 },
  });
  return transpose(read, [0, 2, 3, 1]);
}
