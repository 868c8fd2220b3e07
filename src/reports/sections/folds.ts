/** The folds one by one: does the figure hang on a single one of them? */
import { formatDuration } from "../../runs/index.ts";
import type { RunReportData } from "../data.ts";
import { figure, gigabytes, percent, points, section, table } from "../html.ts";
import { whiskerCell } from "./classes.ts";

export function foldsSection({ folds, metrics }: RunReportData): string {
  const columns = [
    { name: "fold" },
    { name: "trained on", number: true },
    { name: "tested on", number: true },
    { name: "accuracy" },
    { name: "balanced", number: true },
    { name: "macro F1", number: true },
    { name: "log-loss", number: true },
    { name: "time", number: true },
    { name: "peak memory", number: true },
  ];
  const rows = folds.map((f) => [
    f.name,
    f.train,
    f.test,
    whiskerCell(f.accuracy, { reference: metrics.accuracy, width: 240 }),
    percent(f.balancedAccuracy),
    f.macroF1.toFixed(3),
    f.logLoss.toFixed(3),
    formatDuration(f.seconds),
    gigabytes(f.peakRssBytes),
  ]);
  const accuracies = folds.map((f) => f.accuracy.value);
  const { mean, deviation } = spread(accuracies);
  const among =
    folds.length > 1
      ? `every image was tested in exactly one fold; dots are the folds' accuracies with 95 % intervals (Wilson), the dashed line is the accuracy over all images. Mean of the folds ${percent(mean)}, standard deviation ${points(deviation)}.`
      : "one part was held out and tested once; the dot is its accuracy with a 95 % interval (Wilson).";
  return section(
    "folds",
    "Folds",
    figure("Accuracy of each fold", table("Figures of each fold", columns, rows), `How to read: ${among}`),
  );
}

/** Mean and sample standard deviation. */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}
