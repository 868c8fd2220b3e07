/** Which classes are told apart, and which are taken for which. */
import type { Estimate, RunReportData } from "../data.ts";
import { confusionMatrix } from "../figures/confusion.ts";
import { dotWhisker, type WhiskerOptions } from "../figures/dot-whisker.ts";
import { figure, interval, percent, section, table } from "../html.ts";

/** A figure as a drawing with its text below. */
export function whiskerCell(estimate: Estimate, options?: WhiskerOptions): { html: string } {
  return {
    html: `${dotWhisker(estimate, options)}<span class="reading"><b>${percent(estimate.value)}</b> <small>${interval(estimate, 0)}</small></span>`,
  };
}

export function classesSection({ metrics, dataset, classes }: RunReportData): string {
  const rows = classes.map((c) => [
    c.name,
    c.support,
    whiskerCell(c.precision),
    whiskerCell(c.recall),
    whiskerCell(c.f1),
  ]);
  const columns = [
    { name: "class", long: true },
    { name: "images", number: true },
    { name: "precision" },
    { name: "recall" },
    { name: "F1" },
  ];
  const wide = dataset.classes.length > 5;
  return section(
    "classes",
    "Which classes, which mistakes",
    `<div class="${wide ? "stack" : "beside"}">${figure(
      "Confusion matrix",
      confusionMatrix(metrics.confusion, dataset.classes),
      "How to read: a row holds the images of one given label, a column those that got one prediction; percentage and shade are shares of the row, and the framed diagonal is what was right.",
    )}${figure(
      "Each class",
      table("Precision, recall and F1 of each class", columns, rows),
      "How to read: precision is the share of a prediction that was right, recall the share of a class that was found, F1 their harmonic mean; dots are the figures, lines their 95 % intervals, each drawn from 0 to 100 %.",
    )}</div>`,
  );
}
