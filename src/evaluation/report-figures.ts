/** Figures of the report that need intervals: of classes, folds, bins of confidence and coverage. */
import type { CalibrationPoint, ClassFigures, CoveragePoint, Estimate, FoldFigures } from "../reports/index.ts";
import type { FoldResult } from "./fold-task.ts";
import { argmax, type CalibrationBin, computeMetrics, type PredictionRow, wilson } from "./metrics.ts";

const proportion = (k: number, n: number): Estimate => ({ value: n ? k / n : 0, ...wilson(k, n) });

/**
 * F1 with an interval. With J the share of right ones among the images that have the label or got it,
 * F1 = 2 J / (1 + J), which grows with J: Wilson's interval of J gives that of F1.
 */
export function f1Estimate(hits: number, support: number, predicted: number): Estimate {
  const { value, low, high } = proportion(hits, support + predicted - hits);
  const f1 = (j: number) => (2 * j) / (1 + j);
  return { value: f1(value), low: f1(low), high: f1(high) };
}

export function classFigures(confusion: readonly (readonly number[])[], classes: readonly string[]): ClassFigures[] {
  return classes.map((name, c) => {
    const hits = confusion[c]![c]!;
    const support = confusion[c]!.reduce((a, b) => a + b, 0);
    const predicted = confusion.reduce((sum, row) => sum + row[c]!, 0);
    return {
      name,
      support,
      predicted,
      precision: proportion(hits, predicted),
      recall: proportion(hits, support),
      f1: f1Estimate(hits, support, predicted),
    };
  });
}

export function foldFigures(
  folds: readonly FoldResult[],
  rows: readonly PredictionRow[],
  classes: readonly string[],
): FoldFigures[] {
  return folds.map((fold) => {
    const { balancedAccuracy, macroF1, logLoss } = computeMetrics(
      rows.filter((row) => row.fold === fold.name),
      classes,
    );
    return { ...fold, accuracy: proportion(fold.correct, fold.test), balancedAccuracy, macroF1, logLoss };
  });
}

/** The bins of the calibration error with their borders. */
export function calibrationPoints(bins: readonly CalibrationBin[]): CalibrationPoint[] {
  return bins.map(({ confidence, accuracy, count }, i) => ({
    from: i / bins.length,
    to: (i + 1) / bins.length,
    confidence,
    count,
    ...proportion(Math.round(accuracy * count), count),
  }));
}

/** More points than this no figure shows. */
const POINTS = 200;

/** Accuracy of the most confident images: one point per share, at most {@link POINTS}, the last over all. */
export function coveragePoints(rows: readonly PredictionRow[]): CoveragePoint[] {
  const confidence = (row: PredictionRow) => Math.max(...row.probabilities);
  const sorted = [...rows].sort((a, b) => confidence(b) - confidence(a) || (a.id < b.id ? -1 : 1));
  const n = sorted.length;
  const points: CoveragePoint[] = [];
  let right = 0;
  for (const [i, row] of sorted.entries()) {
    if (argmax(row.probabilities) === row.label) right++;
    const count = i + 1;
    if (Math.floor((count * POINTS) / n) === Math.floor((i * POINTS) / n) && n > POINTS) continue;
    points.push({ share: count / n, count, confidence: confidence(row), ...proportion(right, count) });
  }
  return points;
}
