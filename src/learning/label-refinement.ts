/**
 * Which labels to believe: heads that look alike have the same label, so the heads around one tell what it is likely to be.
 * The features are stage 1's (head-features.ts), which no label has touched, and wavelets' where stage 2 has a probe on those;
 * that stage 1's bear on label noise at all is the paper's claim, how is our reconstruction.
 *
 * A ridge regression from features to labels predicts every head from all the others, by the closed form of leave-one-out
 * (Allen 1974). That opinion and the given label, weighed by how often labels of each class turn out to be wrong, make a
 * posterior (the model of Dawid and Skene 1979 with one expert and a prior for each head); the regression then learns the
 * posteriors, and so on for a few rounds. Heads without a label have the opinion alone.
 *
 * All of it is one graph of matrix products; the inverse, too, by the iteration of Newton and Schulz.
 */
import {
  add,
  concat,
  constant,
  div,
  InferenceRunner,
  input,
  matmul,
  maximum,
  mean,
  mul,
  product,
  type SessionOptions,
  scale,
  slice,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from "../autodiff/index.ts";
import { identity, ridgeInverse } from "./ridge.ts";

export interface RefinementSettings {
  /** In units of a head's mean squared feature. */
  ridge: number;
  /** An opinion is the softmax of this many times the regression's value. */
  sharpness: number;
}

/** Settled inside training folds, where much of what is around them does as well: docs/results.md. */
export const REFINEMENT: RefinementSettings = { ridge: 0.1, sharpness: 8 };

const ROUNDS = 8;
/** Share of wrong labels to begin with. */
const FIRST_WRONG = 0.1;
/** Fewer wrong labels than that nobody can be sure of. */
const LEAST_WRONG = 0.02;
/** The errors of a class are counted, beside as many errors spread evenly over the classes as this share of its labels. */
const PRIOR = 0.2;
/** What hardly varies in what wavelets see, as around the head, is noise: its unit is at least this share of the mean one. */
const LEAST_UNIT = 0.1;

export interface LabelsToRefine {
  heads: number;
  /** What stage 1 sees, [heads × features], the heads with a label first. */
  features?: Float32Array;
  /** What wavelets see, [heads × numbers]. Where both have a say, it is as much of one. */
  wavelets?: Float32Array;
  /** [labels × classes], rows that sum to one: a label, or the shares of several experts. */
  targets: Float32Array;
  classes: number;
}

export interface RefinedLabels {
  /** [heads × classes]: what each head is likely to be. */
  targets: Float32Array;
  /** [classes × classes]: of the heads that are of the row's class, the share whose label is the column's. */
  confusion: Float32Array;
}

/** Deterministic, at the same number of threads to the last bit. */
export async function refineLabels(
  labels: LabelsToRefine,
  session: SessionOptions,
  settings: RefinementSettings = REFINEMENT,
): Promise<RefinedLabels> {
  const { features, wavelets, targets } = labels;
  const runner = await InferenceRunner.create(refinement(labels, settings), session);
  try {
    const out = await runner.run({ targets, ...(features ? { features } : {}), ...(wavelets ? { wavelets } : {}) });
    const numbers = (name: string) => (out[name]!.data as Float32Array).slice();
    return { targets: numbers("refined"), confusion: numbers("confusion") };
  } finally {
    runner.dispose();
  }
}

function refinement(
  { heads, features, wavelets, targets, classes }: LabelsToRefine,
  { ridge, sharpness }: RefinementSettings,
) {
  const labels = targets.length / classes;
  const given = input("targets", [labels, classes]);
  const seen = [
    ...(features ? [standardised(input("features", [heads, features.length / heads]))] : []),
    ...(wavelets ? [standardised(input("wavelets", [heads, wavelets.length / heads]), LEAST_UNIT)] : []),
  ];
  const rows = scale(concat(seen, 1), 1 / Math.sqrt(seen.length));
  const fromLabels = regression(rows, labels, ridge);
  const fromAll = labels < heads ? regression(rows, heads, ridge) : fromLabels;
  const frequency = mean(given, [0], { keepDims: true });
  const labelled = (x: Tensor) => (labels < heads ? slice(x, [0], [labels], [0]) : x);

  let believed = given;
  let confusion = spreadEvenly(constant(FIRST_WRONG), classes);
  for (let round = 0; round < ROUNDS; round++) {
    const others = (round === 0 ? fromLabels : fromAll)(sub(believed, frequency));
    const opinion = softmax(scale(add(others, frequency), sharpness), 1);
    const weighed = mul(labelled(opinion), product(given, confusion, false, true));
    const posterior = div(weighed, sum(weighed, [1], { keepDims: true }));
    believed = labels < heads ? concat([posterior, slice(opinion, [labels], [heads], [0])], 0) : posterior;

    const wrong = maximum(sub(1, scale(sum(mul(posterior, given)), 1 / labels)), LEAST_WRONG);
    const counted = product(posterior, given, true, false);
    const expected = add(counted, scale(spreadEvenly(wrong, classes), (PRIOR * labels) / classes));
    confusion = div(expected, sum(expected, [1], { keepDims: true }));
  }
  return { refined: believed, confusion };
}

/** Each feature about its mean, in its deviation or that share of the mean deviation; rows of mean square one. */
function standardised(features: Tensor, least = 0): Tensor {
  const centred = sub(features, mean(features, [0], { keepDims: true }));
  const deviation = sqrt(mean(square(centred), [0], { keepDims: true }));
  const unit = least > 0 ? maximum(deviation, scale(mean(deviation), least)) : deviation;
  return scale(div(centred, add(unit, 1e-6)), 1 / Math.sqrt(features.shape[1]!));
}

/**
 * The ridge regression on the first heads: targets of those [count, classes] → what it says of every head, of those that it
 * learned from as if it had not.
 */
function regression(rows: Tensor, count: number, ridge: number): (targets: Tensor) => Tensor {
  const heads = rows.shape[0]!;
  const first = (x: Tensor) => (count < heads ? slice(x, [0], [count], [0]) : x);
  const learned = first(rows);
  // Rows have a mean square of one.
  const { ofRows, inverse } = ridgeInverse(learned, ridge, heads);
  const gain = matmul(ofRows ? product(rows, learned, false, true) : rows, inverse);
  const leverage = sum(mul(first(gain), ofRows ? identity(count) : learned), [1], { keepDims: true });
  return (targets) => {
    const said = matmul(gain, ofRows ? targets : product(learned, targets, true, false));
    const without = div(sub(first(said), mul(leverage, targets)), sub(1, leverage));
    return count < heads ? concat([without, slice(said, [count], [heads], [0])], 0) : without;
  };
}

/** [classes, classes]: `wrong` of each row is spread over the other columns. */
function spreadEvenly(wrong: Tensor, classes: number): Tensor {
  const others = sub(1, identity(classes));
  return add(mul(identity(classes), sub(1, wrong)), mul(others, scale(wrong, 1 / (classes - 1))));
}
