/** Figures of merit from out-of-fold predictions. Every one is a pure function of the rows. */
import { fMeasure, matthews, rocArea } from "./discrimination.ts";

export interface PredictionRow {
  id: string;
  label: number;
  fold: string;
  probabilities: readonly number[];
}

export interface Interval {
  low: number;
  high: number;
}

/** Wilson's score interval (1927) for k of n, 95 %. */
export function wilson(k: number, n: number, z = 1.959963984540054): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const p = k / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * What the interval of a difference says, for people.
 * @param interval of a model's accuracy less an old one's
 * @param name of that model
 */
export function verdictOf({ low, high }: Interval, name = "new"): string {
  if (low > 0) return `The ${name} model is better on them.`;
  return high < 0 ? `The ${name} model is worse on them.` : "The difference cannot be told from chance.";
}

export interface ClassMetrics {
  name: string;
  support: number;
  precision: number;
  recall: number;
  recallInterval: Interval;
  f1: number;
  /** F-measure with this class as the positive one and precision counting twice as much as recall. */
  fHalf: number;
}

export interface CalibrationBin {
  /** Mean confidence and accuracy of the predictions whose confidence falls into the bin. */
  confidence: number;
  accuracy: number;
  count: number;
}

export interface Metrics {
  count: number;
  correct: number;
  accuracy: number;
  accuracyInterval: Interval;
  balancedAccuracy: number;
  macroPrecision: number;
  macroRecall: number;
  macroF1: number;
  /** Cohen's kappa of prediction and label. */
  kappa: number;
  /** Matthews' correlation coefficient. */
  matthews: number;
  /** Area under the receiver operating characteristic, of two classes that both have images. */
  rocArea?: number;
  logLoss: number;
  brier: number;
  /** Expected calibration error over ten bins. */
  calibrationError: number;
  calibration: CalibrationBin[];
  perClass: ClassMetrics[];
  /** Rows are true classes, columns predicted ones. */
  confusion: number[][];
  /** Accuracy of the most confident share of the images. */
  coverage: { share: number; accuracy: number }[];
}

export function argmax(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);
const average = (values: readonly number[]) =>
  ratio(
    values.reduce((a, b) => a + b, 0),
    values.length,
  );

/** @throws RangeError for a probability that is no number */
export function computeMetrics(rows: readonly PredictionRow[], classes: readonly string[]): Metrics {
  for (const row of rows) {
    if (row.probabilities.length !== classes.length || !row.probabilities.every(Number.isFinite)) {
      throw new RangeError(`${row.id}: probabilities ${row.probabilities} for ${classes.length} classes`);
    }
  }
  const confusion = classes.map(() => classes.map(() => 0));
  for (const { label, probabilities } of rows) confusion[label]![argmax(probabilities)]! += 1;
  const n = rows.length;
  const correct = confusion.reduce((sum, row, c) => sum + row[c]!, 0);
  const predicted = classes.map((_, c) => confusion.reduce((sum, row) => sum + row[c]!, 0));
  const perClass = classes.map((name, c): ClassMetrics => {
    const support = confusion[c]!.reduce((a, b) => a + b, 0);
    const hits = confusion[c]![c]!;
    const precision = ratio(hits, predicted[c]!);
    const recall = ratio(hits, support);
    return {
      name,
      support,
      precision,
      recall,
      recallInterval: wilson(hits, support),
      f1: fMeasure(precision, recall, 1),
      fHalf: fMeasure(precision, recall, 0.5),
    };
  });
  // A class without images has no recall: it does not count towards the means.
  const present = perClass.filter((c) => c.support > 0);
  const chance = ratio(
    perClass.reduce((sum, { support }, c) => sum + support * predicted[c]!, 0),
    n * n,
  );
  const accuracy = ratio(correct, n);
  const calibration = calibrationBins(rows, 10);
  const area =
    classes.length === 2
      ? rocArea(
          rows.map(({ probabilities }) => probabilities[0]!),
          rows.map(({ label }) => label === 0),
        )
      : undefined;
  return {
    count: n,
    correct,
    accuracy,
    accuracyInterval: wilson(correct, n),
    balancedAccuracy: average(present.map((c) => c.recall)),
    macroPrecision: average(present.map((c) => c.precision)),
    macroRecall: average(present.map((c) => c.recall)),
    macroF1: average(present.map((c) => c.f1)),
    kappa: ratio(accuracy - chance, 1 - chance),
    matthews: matthews(confusion),
    ...(area === undefined ? {} : { rocArea: area }),
    logLoss: average(rows.map(({ label, probabilities }) => -Math.log(Math.max(1e-15, probabilities[label]!)))),
    brier: average(
      rows.map(({ label, probabilities }) =>
        probabilities.reduce((sum, p, c) => sum + (p - (c === label ? 1 : 0)) ** 2, 0),
      ),
    ),
    calibrationError: calibration.reduce(
      (sum, bin) => sum + ratio(bin.count, n) * Math.abs(bin.confidence - bin.accuracy),
      0,
    ),
    calibration,
    perClass,
    confusion,
    coverage: coverageCurve(rows),
  };
}

function calibrationBins(rows: readonly PredictionRow[], bins: number): CalibrationBin[] {
  const groups = Array.from({ length: bins }, () => [] as PredictionRow[]);
  for (const row of rows) {
    const confidence = Math.max(...row.probabilities);
    groups[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]!.push(row);
  }
  return groups.map((group) => ({
    count: group.length,
    confidence: average(group.map((row) => Math.max(...row.probabilities))),
    accuracy: average(group.map((row) => (argmax(row.probabilities) === row.label ? 1 : 0))),
  }));
}

function coverageCurve(rows: readonly PredictionRow[]): Metrics["coverage"] {
  const sorted = [...rows].sort(
    (a, b) => Math.max(...b.probabilities) - Math.max(...a.probabilities) || (a.id < b.id ? -1 : 1),
  );
  let correct = 0;
  return sorted.map(({ label, probabilities }, i) => {
    if (argmax(probabilities) === label) correct++;
    return { share: (i + 1) / sorted.length, accuracy: correct / (i + 1) };
  });
}

/** Exact McNemar test of two classifiers on the same images: two-sided binomial over the images where just one is right. */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const least = Math.min(onlyFirst, onlySecond);
  // The largest term of the tail as a logarithm, since 0.5 ** n is 0 from some thousand images on; the others from it.
  let logTerm = -n * Math.LN2;
  for (let k = 1; k <= least; k++) logTerm += Math.log((n - k + 1) / k);
  let [sum, share] = [1, 1];
  for (let k = least; k >= 1; k--) sum += share *= k / (n - k + 1);
  return Math.min(1, 2 * sum * Math.exp(logTerm));
}
