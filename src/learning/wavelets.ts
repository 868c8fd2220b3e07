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
  scale,
  slice,
  sqrt,
  square,
  sub,
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
  const mean = gaussian(from, to, width).real;
  const [axial, diagonal] = [frequency, frequency * Math.SQRT1_2].map((f) => gaussian(from, to, width, f)) as [
    Wave,
    Wave,
  ];
  // What takes the mean out of a wave under a Gaussian: a share of the Gaussian itself.
  const share = Math.exp(-((width * frequency) ** 2) / 2);
  const wave = axial.real.map((value, i) => value - share * mean[i]!);

  const rows = matmul(maps, transposed([wave, axial.imaginary, mean, diagonal.real, diagonal.imaginary], from, to));
  const along = (first: number, last: number) => slice(rows, [first * to], [last * to], [3]);
  const matrix = (...blocks: Float32Array[]) => constant(below(blocks), [blocks.length * to, from]);
  const part = (of: Tensor, row: number, column: number) =>
    slice(of, [row * to, column * to], [(row + 1) * to, (column + 1) * to], [2, 3]);

  // At 0 and 90 degrees it is a wave along one axis and a Gaussian along the other.
  const lying = matmul(matrix(mean), along(0, 2));
  const standing = matmul(matrix(wave, axial.imaginary), along(2, 3));
  // At 45 and 135 degrees it is the same waves along both axes, once with them and once against each other.
  const crossed = matmul(matrix(diagonal.real, diagonal.imaginary), along(3, 5));
  const [even, odd] = [part(crossed, 0, 0), part(crossed, 1, 1)];
  const [down, across] = [part(crossed, 1, 0), part(crossed, 0, 1)];
  const level = sub(even, scale(matmul(matrix(mean), along(2, 3)), share));
  return concat(
    [
      modulus(part(lying, 0, 0), part(lying, 0, 1)),
      modulus(sub(level, odd), add(down, across)),
      modulus(part(standing, 0, 0), part(standing, 1, 0)),
      modulus(add(level, odd), sub(down, across)),
    ],
    1,
  );
}

const modulus = (real: Tensor, imaginary: Tensor): Tensor => sqrt(add(square(real), square(imaginary)));

/** [N, K, s, s] of a view of `side` pixels → the weighed means of its cells, [N, K, side / 8, side / 8]. */
function overCells(maps: Tensor, side: number): Tensor {
  const from = maps.shape[3]!;
  const to = side / CELL;
  const { real } = gaussian(from, to, (WIDTH * CELL * from) / side);
  return matmul(constant(real, [to, from]), matmul(maps, transposed([real], from, to)));
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

/** Constants [to × from], each as [from × to], beside each other. */
function transposed(matrices: readonly Float32Array[], from: number, to: number): Tensor {
  const width = matrices.length * to;
  const turned = Float32Array.from({ length: from * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return matrices[Math.floor(column / to)]![(column % to) * from + row]!;
  });
  return constant(turned, [from, width]);
}

/** Matrices of equal width, one below the other. */
function below(matrices: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(matrices.reduce((sum, { length }) => sum + length, 0));
  for (const [i, matrix] of matrices.entries()) all.set(matrix, i * matrix.length);
  return all;
}
