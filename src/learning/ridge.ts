/** Ridge regression as graphs of matrix products, since every FLOP is ONNX Runtime's. */
import { add, constant, matmul, product, scale, sub, type Tensor } from "../autodiff/index.ts";

/**
 * What a ridge regression on rows has to invert: their products with each other plus the ridge, or those of their columns,
 * whichever are fewer. Both lead to the same regression.
 * @param sum of the squares in `rows`, or a bound: no eigenvalue is above it
 */
export function ridgeInverse(rows: Tensor, ridge: number, sum: number): { ofRows: boolean; inverse: Tensor } {
  const [count, width] = rows.shape as [number, number];
  const ofRows = count < width;
  const products = product(rows, rows, !ofRows, ofRows);
  const regularised = add(products, scale(identity(Math.min(count, width)), ridge));
  return { ofRows, inverse: inverse(regularised, ridge, sum + ridge) };
}

/**
 * The inverse of a symmetric matrix with eigenvalues between `least` and `most`, by the iteration of Newton and Schulz: what
 * is left of an eigenvalue's error is squared in each round, and before that the smallest one's inverse doubles.
 */
function inverse(matrix: Tensor, least: number, most: number): Tensor {
  let guess = scale(identity(matrix.shape[0]!), 1 / most);
  const rounds = Math.ceil(Math.log2(most / least)) + 5;
  for (let round = 0; round < rounds; round++) {
    guess = sub(scale(guess, 2), matmul(guess, matmul(matrix, guess)));
  }
  return guess;
}

export function identity(size: number): Tensor {
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return constant(data, [size, size]);
}
