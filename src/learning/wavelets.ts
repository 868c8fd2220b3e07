/**
 * What wavelets see in a head: a scattering transform (Bruna and Mallat 2013). Moduli of two layers of Morlet wavelets, averaged
 * over the cells of a coarse grid: how strongly edges and textures of three sizes and four directions occur where, and how that
 * varies across them. Nothing in it is learned, and a small shift or bend of the head changes little of it. No part of the
 * paper's method.
 *
 * The wavelets are round, so that each is a product of one along x and one along y: all of it is products with constant matrices.
 */
import {
  add,
  concat,
  constant,
  log,
  matmul,
  mul,
  reshape,
  slice,
  sqrt,
  square,
  sum,
  type Tensor,
} from "../autodiff/index.ts";

/** Wavelets are one, two and four pixels fine … */
const SCALES = [0, 1, 2];
/** … in directions of 0, 45, 90 and 135 degrees … */
const DIRECTIONS = 4;
/** … and what they find is averaged over cells of eight pixels. */
const CELL = 8;
/** Deviation of the finest wavelet in pixels, and its frequency in radians per pixel. */
const [WIDTH, FREQUENCY] = [0.8, (3 * Math.PI) / 4];
/** Of a modulus the logarithm counts, from about here on, in units of the normalised colours. */
const FLOOR = 0.003;
/** Luminance of red, green and blue. */
const GREY = [0.3, 0.59, 0.11];

/** Pairs of a scale and a coarser one, which is what a second layer can see of the first. */
const PAIRS = SCALES.flatMap((fine) =>
  SCALES.filter((coarse) => coarse > fine).map((coarse) => [fine, coarse] as const),
);
const ALL = Array.from({ length: DIRECTIONS }, (_, d) => d);
const PATHS = 1 + SCALES.length * DIRECTIONS + PAIRS.length * DIRECTIONS ** 2;

/** Numbers for a view of `side` pixels. */
export const waveletCount = (side: number): number => PATHS * (side / CELL) ** 2;

/**
 * Where each number of a view's is found in its mirror image: in the mirrored cell, and 45 degrees in the place of 135.
 * Nothing has to be computed again.
 */
export function mirrorOrder(side: number): number[] {
  const cells = side / CELL;
  const direction = (d: number) => (DIRECTIONS - d) % DIRECTIONS;
  const paths = [
    0,
    ...SCALES.flatMap((_, size) => ALL.map((d) => 1 + size * DIRECTIONS + direction(d))),
    ...PAIRS.flatMap((_, pair) =>
      ALL.flatMap((coarse) =>
        ALL.map((fine) => 1 + (SCALES.length + pair * DIRECTIONS + direction(coarse)) * DIRECTIONS + direction(fine)),
      ),
    ),
  ];
  return paths.flatMap((path) =>
    Array.from({ length: cells ** 2 }, (_, cell) => {
      const column = cell % cells;
      return path * cells ** 2 + cell - column + (cells - 1 - column);
    }),
  );
}

/** @param views [N, 3, S, S] normalised colours, S a multiple of 8 @returns [N, {@link waveletCount}] */
export function scattering(views: Tensor): Tensor {
  const side = views.shape[3]!;
  const grey = sum(mul(views, constant(GREY, [1, 3, 1, 1])), [1], { keepDims: true });
  const first = SCALES.map((size) => moduli(grey, size, side));
  const second = PAIRS.map(([fine, coarse]) => moduli(first[fine]!, coarse, side));
  const textures = [...first, ...second].map((maps) => log(add(overCells(maps, side), FLOOR)));
  const rows = [overCells(grey, side), ...textures].map((maps) =>
    reshape(maps, [-1, maps.shape[1]! * (side / CELL) ** 2]),
  );
  return concat(rows, 1);
}

/**
 * The modulus of a wavelet of this size in every direction, sampled as coarsely as it allows.
 * @param maps [N, K, s, s] of a view of `side` pixels @returns [N, 4·K, side / 2^size, side / 2^size]
 */
function moduli(maps: Tensor, size: number, side: number): Tensor {
  const from = maps.shape[3]!;
  const to = side >> size;
  const step = side / from;
  const [width, frequency] = [(WIDTH * 2 ** size) / step, (FREQUENCY / 2 ** size) * step];
  const mean = gaussian(from, to, width);
  // What takes the mean out of a wave under a Gaussian: a share of the Gaussian itself.
  const share = Math.exp(-((width * frequency) ** 2) / 2);
  const found = ALL.map((direction) => {
    const angle = (direction * Math.PI) / DIRECTIONS;
    const x = gaussian(from, to, width, frequency * Math.cos(angle));
    const y = gaussian(from, to, width, frequency * Math.sin(angle));
    // Rows of x' real and imaginary part and of the Gaussian's, one below the other: [N, K, 3·s, to].
    const across = concat(
      [x.real, x.imaginary, mean.real].map((matrix) => matmul(maps, transposed(matrix, from, to))),
      2,
    );
    const down = [
      [y.real, negative(y.imaginary), mean.real.map((value) => -share * value)],
      [y.imaginary, y.real, new Float32Array(mean.real.length)],
    ];
    const both = matmul(beside(down, from, to), across);
    const part = (index: number) => square(slice(both, [index * to], [(index + 1) * to], [2]));
    return sqrt(add(part(0), part(1)));
  });
  return concat(found, 1);
}

/** [N, K, s, s] of a view of `side` pixels → the weighed means of its cells, [N, K, side / 8, side / 8]. */
function overCells(maps: Tensor, side: number): Tensor {
  const from = maps.shape[3]!;
  const to = side / CELL;
  const { real } = gaussian(from, to, (WIDTH * CELL * from) / side);
  return matmul(constant(real, [to, from]), matmul(maps, transposed(real, from, to)));
}

interface Wave {
  real: Float32Array;
  imaginary: Float32Array;
}

/** [to × from]: a Gaussian about each of `to` places, evenly spread over `from` samples, and a wave under it. */
function gaussian(from: number, to: number, width: number, frequency = 0): Wave {
  const [real, imaginary] = [new Float32Array(to * from), new Float32Array(to * from)];
  for (let row = 0; row < to; row++) {
    const centre = ((row + 0.5) * from) / to - 0.5;
    for (let column = 0; column < from; column++) {
      const distance = centre - column;
      const weight = Math.exp(-(distance ** 2) / (2 * width ** 2)) / (Math.sqrt(2 * Math.PI) * width);
      real[row * from + column] = weight * Math.cos(frequency * distance);
      imaginary[row * from + column] = weight * Math.sin(frequency * distance);
    }
  }
  return { real, imaginary };
}

const negative = (values: Float32Array) => values.map((value) => -value);

/** A constant [to × from] as [from × to]. */
function transposed(matrix: Float32Array, from: number, to: number): Tensor {
  const turned = Float32Array.from({ length: from * to }, (_, i) => matrix[(i % to) * from + Math.floor(i / to)]!);
  return constant(turned, [from, to]);
}

/** Blocks of [to × from], in rows, as one constant. */
function beside(blocks: readonly (readonly Float32Array[])[], from: number, to: number): Tensor {
  const width = blocks[0]!.length * from;
  const all = new Float32Array(blocks.length * to * width);
  for (const [i, row] of blocks.entries()) {
    for (const [j, block] of row.entries()) {
      for (let y = 0; y < to; y++) all.set(block.subarray(y * from, (y + 1) * from), (i * to + y) * width + j * from);
    }
  }
  return constant(all, [blocks.length * to, width]);
}
