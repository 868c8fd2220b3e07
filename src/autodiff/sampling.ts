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
  const points = affinePlanes(theta, height, width);
  return reshape(transpose(points, [0, 2, 1]), [theta.shape[0]!, height, width, 2]);
}

/** Rows [N, R, 3] → planes [N, R, h·w]: each row times (u, v, 1) at the cells of {@link affineGrid}. Not differentiable. */
export function affinePlanes(rows: Tensor, height: number, width: number): Tensor {
  const base = new Float32Array(3 * height * width);
  const area = height * width;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      base[i * width + j] = (2 * j + 1) / width - 1;
      base[area + i * width + j] = (2 * i + 1) / height - 1;
      base[2 * area + i * width + j] = 1;
    }
  }
  return matmul(rows, constant(base, [3, area]));
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
  return transpose(gridSamplePlanes(transpose(image, [0, 3, 1, 2]), grid, { mode, padding }), [0, 2, 3, 1]);
}

/**
 * {@link gridSample} of planes [N, C, H, W] → [N, C, h, w]. With zeros beyond the image ONNX Runtime works a position
 * out once for all planes, with a repeated edge once for each.
 */
export function gridSamplePlanes(
  planes: Tensor,
  grid: Tensor,
  { mode = "bilinear", padding = "border" }: GridSampleOptions = {},
): Tensor {
  if (planes.tracked || grid.tracked)
    throw new ShapeError("gridSample: no gradient through sampling; stop the gradient first");
  const [, h, w] = grid.shape as [number, number, number];
  return emit("GridSample", [planes, grid], [planes.shape[0]!, planes.shape[1]!, h, w], {
    attributes: { mode, padding_mode: padding, align_corners: 0 },
  });
}
