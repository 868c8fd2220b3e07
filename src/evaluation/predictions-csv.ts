/** predictions.csv of a run: out of fold, one row per image with its probabilities. */
import { formatCsv } from "../runs/index.ts";
import type { FoldRecord } from "./fold-task.ts";
import { argmax, type PredictionRow } from "./metrics.ts";

/** A prediction with what else was seen in the image. */
export interface MeasuredPrediction extends PredictionRow {
  extra: FoldRecord["predictions"][number];
}

export function predictionsCsv(rows: readonly MeasuredPrediction[], classes: readonly string[]): string {
  return formatCsv(
    [
      "path",
      "label",
      "predicted",
      "fold",
      ...classes.map((c) => `prob_${c}`),
      "mask_agreement",
      "length_px",
      "width_px",
    ],
    rows.map((row) => ({
      path: row.id,
      label: classes[row.label],
      predicted: classes[argmax(row.probabilities)],
      fold: row.fold,
      ...Object.fromEntries(classes.map((c, i) => [`prob_${c}`, row.probabilities[i]!.toFixed(6)])),
      mask_agreement: row.extra.agreement.toFixed(4),
      length_px: row.extra.length.toFixed(2),
      width_px: row.extra.width.toFixed(2),
    })),
  );
}
