/** Ridge regression as graphs of matrix products, since every FLOP is ONNX Runtime's. */
import {
  add,
  constant,
  div,
  InferenceRunner,
  input,
  matmul,
  maximum,
  mul,
  product,
  type SessionOptions,
  scale,
  square,
  sub,
  sum,
  type Tensor,
} from "../autodiff/index.ts";

/** Iterations in one run of the graph, and at most: far more than rows with a mean square of one have needed. */
const [AT_ONCE, MOST] = [8, 1024];
/** They end where of every column's residual no more than this share is left. */
const LEFT = 1e-6;

/**
 * The slopes W [D, C] of a ridge regression, (RᵀR + ridge) W = RᵀV, by conjugate gradients (Hestenes and Stiefel 1952), each
 * column by itself. Nothing larger than the rows is held, and some dozens of products with them take the place of an inverse.
 * @param rows R, [N, D] @param products RᵀV, [D, C]
 */
export async function ridgeSlopes(
  { rows, products }: { rows: Float32Array; products: Float32Array },
  { count, ridge }: { count: number; ridge: number },
  session: SessionOptions,
): Promise<Float32Array> {
  const width = rows.length / count;
  const runner = await InferenceRunner.create(iterations(count, width, products.length / width, ridge), session);
  let [slopes, residual, direction] = [new Float32Array(products.length), products, products];
  let asked: number[] | undefined;
  try {
    for (let done = 0; done < MOST; done += AT_ONCE) {
      const out = await runner.run({ rows, slopes, residual, direction });
      const numbers = (name: string) => (out[name]!.data as Float32Array).slice();
      [slopes, residual, direction] = [numbers("slopes'"), numbers("residual'"), numbers("direction'")];
      asked ??= Array.from(numbers("before"), (square) => LEFT ** 2 * square);
      if (numbers("after").every((square, column) => square <= asked![column]!)) break;
    }
  } finally {
    runner.dispose();
  }
  return slopes;
}

/** Some iterations from where the ones before ended; the squares of the residuals' columns before and after them. */
function iterations(count: number, width: number, columns: number, ridge: number): Record<string, Tensor> {
  const rows = input("rows", [count, width]);
  const state = (name: string) => input(name, [width, columns]);
  let [slopes, residual, direction] = [state("slopes"), state("residual"), state("direction")];
  const inColumns = (x: Tensor) => sum(square(x), [0], { keepDims: true });
  // A column that is done has nothing left: then it stays as it is.
  const quotient = (a: Tensor, b: Tensor) => div(a, maximum(b, 1e-30));
  const before = inColumns(residual);
  let left = before;
  for (let i = 0; i < AT_ONCE; i++) {
    const seen = matmul(rows, direction);
    const curved = add(product(rows, seen, true, false), scale(direction, ridge));
    const curvature = add(inColumns(seen), scale(inColumns(direction), ridge));
    const step = quotient(left, curvature);
    slopes = add(slopes, mul(direction, step));
    residual = sub(residual, mul(curved, step));
    const now = inColumns(residual);
    direction = add(residual, mul(direction, quotient(now, left)));
    left = now;
  }
  return { "slopes'": slopes, "residual'": residual, "direction'": direction, before, after: left };
}

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
