/**
 * Calibration by a temperature (Guo et al. 2017), of probabilities that were averaged over views: p^(1/T), normalised.
 * Which class is largest never changes.
 */
import type { PredictionRow } from "./metrics.ts";

export function withTemperature(probabilities: readonly number[], temperature: number): number[] {
  // In logarithms relative to the largest: the power of a small number would vanish.
  const logs = probabilities.map((p) => Math.log(Math.max(p, 1e-30)) / temperature);
  const top = Math.max(...logs);
  const powers = logs.map((log) => Math.exp(log - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function meanLogLoss(rows: readonly PredictionRow[], temperature: number): number {
  const losses = rows.map(({ probabilities, label }) => -Math.log(withTemperature(probabilities, temperature)[label]!));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const [COLDEST, HOTTEST] = [0.1, 10];

/** The temperature between 0.1 and 10 with the least log-loss, by golden-section search: in 1/T the loss is convex. */
export function fitTemperature(rows: readonly PredictionRow[]): number {
  if (rows.length === 0) return 1;
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [1 / HOTTEST, 1 / COLDEST];
  const loss = (inverse: number) => meanLogLoss(rows, 1 / inverse);
  let [a, b] = [high - golden * (high - low), low + golden * (high - low)];
  let [atA, atB] = [loss(a), loss(b)];
  while (high - low > 1e-6) {
    if (atA < atB) {
      [high, b, atB] = [b, a, atA];
      a = high - golden * (high - low);
      atA = loss(a);
    } else {
      [low, a, atA] = [a, b, atB];
      b = low + golden * (high - low);
      atB = loss(b);
    }
  }
  return 2 / (low + high);
}

export interface CalibratedFolds {
  rows: PredictionRow[];
  temperatures: { fold: string; temperature: number }[];
}

/**
 * Every fold with the temperature that suits the other folds' predictions: the images that it is fitted on are those that
 * the fold's network learnt from, predicted by networks that did not, and no label of the fold is looked at. (Those other
 * networks did learn from the fold: one number cannot carry much of that.)
 */
export function calibrateFolds(rows: readonly PredictionRow[]): CalibratedFolds {
  const folds = [...new Set(rows.map(({ fold }) => fold))];
  const temperatures = new Map(folds.map((fold) => [fold, fitTemperature(rows.filter((row) => row.fold !== fold))]));
  return {
    rows: rows.map((row) => ({
      ...row,
      probabilities: withTemperature(row.probabilities, temperatures.get(row.fold)!),
    })),
    temperatures: [...temperatures].map(([fold, temperature]) => ({ fold, temperature })),
  };
}
