/**
 * Reading views in the graph, with every colour and coordinate as a plane of its own and several views of a crop in one
 * go: ONNX Runtime computes rows of thousands of numbers many times faster than rows of two or three. views.ts makes the
 * maps. Nothing here has a gradient.
 */
import {
  add,
  cast,
  clip,
  constant,
  div,
  emit,
  gridSamplePlanes,
  matmul,
  maximum,
  minimum,
  mul,
  reshape,
  scale,
  slice,
  sub,
  type Tensor,
  transpose,
} from "../autodiff/index.ts";

/** Crops as the model reads them. */
export interface Crops {
  /** [N, 3, P, Q] floats from 0 to 255, each crop at the top left. */
  readonly planes: Tensor;
  /** [2]: Q, P. */
  readonly canvasSize: Tensor;
  /** [N, 2]: width and height of each crop. */
  readonly sizes: Tensor;
}

/** [N, P, Q, 3] bytes → planes of floats. */
export function cropPlanes(pixels: Tensor): Tensor {
  return cast(transpose(pixels, [0, 3, 1, 2]), "float32");
}

/**
 * Reads crops, bilinear; beyond a crop's edge its edge pixel is repeated.
 * @param maps [N, V, 2, 3]: those of V views, to pixels @returns [N·V, 3, S, S]
 */
export function readCropPlanes({ planes, canvasSize, sizes }: Crops, maps: Tensor, side: number): Tensor {
  // From pixels to -1 … 1 over the canvas, which a map can do as well as its image.
  const factor = div(2, canvasSize);
  const onCanvas = sub(mul(maps, reshape(factor, [1, 1, 2, 1])), constant([0, 0, 1], [3]));
  const last = sub(mul(sub(sizes, 0.5), factor), 1);
  const first = sub(scale(reshape(factor, [1, 2]), 0.5), 1);
  const inside = maximum(minimum(positions(onCanvas, side), everywhere(last, side)), everywhere(first, side));
  return sample(planes, inside, side);
}

/**
 * Reads maps of stage 1's frame, 0 outside it.
 * @param planes [N, 1, S, S] @param maps [N, V, 2, 3]: those of V views, to pixels of the crop @returns [N·V, 1, S, S]
 */
export function readFramePlanes(planes: Tensor, extent: number, sizes: Tensor, maps: Tensor, side: number): Tensor {
  return sample(planes, positions(scale(sub(maps, movedBy(scale(sizes, 0.5))), 2 / extent), side), side);
}

/** shifts [N, 2] → the maps [N, 1, 2, 3] of nothing but that shift: to be added to others. */
export function movedBy(shifts: Tensor): Tensor {
  return mul(reshape(shifts, [-1, 1, 2, 1]), constant([0, 0, 1], [3]));
}

/** Maps [N, V, 2, 3] → where they take the cells of a view, [N, V, S·S·2], x and y in turn: one product. */
function positions(maps: Tensor, side: number): Tensor {
  const base = new Float32Array(6 * side * side * 2);
  for (let cell = 0; cell < side * side; cell++) {
    const [u, v] = [(2 * (cell % side) + 1) / side - 1, (2 * Math.floor(cell / side) + 1) / side - 1];
    for (const axis of [0, 1]) {
      for (const [j, value] of [u, v, 1].entries()) base[(3 * axis + j) * side * side * 2 + cell * 2 + axis] = value;
    }
  }
  const rows = matmul(reshape(maps, [-1, 6]), constant(base, [6, side * side * 2]));
  return reshape(rows, [-1, maps.shape[1]!, side * side * 2]);
}

/** A position [N, 2] at every cell, [N, 1, S·S·2]. */
function everywhere(position: Tensor, side: number): Tensor {
  const table = Float32Array.from({ length: 4 * side * side }, (_, i) => (i < 2 * side * side ? 1 - (i % 2) : i % 2));
  return reshape(matmul(position, constant(table, [2, side * side * 2])), [-1, 1, side * side * 2]);
}

/** No position lies beyond the centre of an edge pixel, or what lies beyond is nought: so zeros outside serve both. */
function sample(planes: Tensor, positions: Tensor, side: number): Tensor {
  const [views, channels] = [positions.shape[1]!, planes.shape[1]!];
  const grid = reshape(positions, [-1, views * side, side, 2]);
  const read = gridSamplePlanes(planes, grid, { padding: "zeros" });
  if (views === 1) return read;
  const apart = transpose(reshape(read, [-1, channels, views, side * side]), [0, 2, 1, 3]);
  return reshape(apart, [-1, channels, side, side]);
}

/**
 * Where the head plus a margin is, softly, when every head has a margin of its own.
 * @param mask [N, 1, S, S] in [0, 1] @param margins [N, K + 1]: one-hot over margins of 0 to K pixels
 */
export function keptRegions(mask: Tensor, margins: Tensor): Tensor {
  let grown = softEdge(mask);
  const at = (k: number) => reshape(slice(margins, [k], [k + 1], [1]), [-1, 1, 1, 1]);
  let kept = mul(grown, at(0));
  for (let k = 1; k < margins.shape[1]!; k++) {
    grown = maximumOver(grown, [3, 3]);
    kept = add(kept, mul(grown, at(k)));
  }
  return kept;
}

/** About one pixel wide around probability one half. */
function softEdge(mask: Tensor): Tensor {
  return clip(add(scale(sub(mask, 0.5), 4), 0.5), 0, 1);
}

function maximumOver(x: Tensor, kernel: readonly [number, number]): Tensor {
  return emit("MaxPool", [x], x.shape, {
    attributes: { kernel_shape: kernel, pads: [...kernel, ...kernel].map((size) => size >> 1) },
  });
}

/** Where the head plus `margin` pixels is, softly: 1 inside, 0 beyond. @param mask [N, 1, S, S] in [0, 1] */
export function keptRegion(mask: Tensor, margin: number): Tensor {
  const soft = softEdge(mask);
  if (margin === 0) return soft;
  // Growing by a pixel `margin` times is one maximum over a square, and that one over rows, then one over columns.
  return maximumOver(maximumOver(soft, [1, 2 * margin + 1]), [2 * margin + 1, 1]);
}

/** Planes [N, C, S, S] under a Gaussian of this deviation in pixels: out of focus. At the edges it weighs what there is. */
export function blurred(planes: Tensor, deviation: number): Tensor {
  const side = planes.shape[3]!;
  const lines = Array.from({ length: side }, (_, to) => {
    const weights = Array.from({ length: side }, (_, from) => Math.exp(-(((to - from) / deviation) ** 2) / 2));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  });
  const down = constant(lines.flat(), [side, side]);
  const across = constant(
    lines.flatMap((_, from) => lines.map((line) => line[from]!)),
    [side, side],
  );
  return matmul(down, matmul(planes, across));
}

/** [N, C, S, S] with left and right swapped. */
export function mirrored(planes: Tensor): Tensor {
  return slice(planes, [planes.shape[3]! - 1], [Number.MIN_SAFE_INTEGER], [3], [-1]);
}

/** [N, C, S, S] turned by half a turn. */
export function halfTurn(planes: Tensor): Tensor {
  const [, channels, side] = planes.shape as [number, number, number, number];
  const flat = reshape(planes, [-1, channels, side * side]);
  const turned = slice(flat, [side * side - 1], [Number.MIN_SAFE_INTEGER], [2], [-1]);
  return reshape(turned, [-1, channels, side, side]);
}

/** [N, C, S, S] → [N, S, S, C], as networks take it. */
export function channelsLast(planes: Tensor): Tensor {
  return transpose(planes, [0, 2, 3, 1]);
}
