/** A row of a study seed by seed, as Markdown: every figure of it, what is mistaken for what, and whether seeds err alike. */
import { argmax, computeMetrics, hitsOf, probabilitiesOf, type StudyResults } from "../src/evaluation/index.ts";
import { percent } from "./sections.ts";

export function seedsSection(results: StudyResults, row: string): string {
  const { images, classes } = results;
  const entries = results.entries.filter((entry) => entry.row === row);
  const folds = [...new Set(images.map(({ fold }) => fold))].sort();
  const confusion = classes.map(() => classes.map(() => 0));
  const lines = entries.map((entry) => {
    const rows = probabilitiesOf(results, entry).map((probabilities, i) => ({ ...images[i]!, probabilities }));
    for (const { label, probabilities } of rows) confusion[label]![argmax(probabilities)]! += 1;
    const metrics = computeMetrics(rows, classes);
    const { accuracy, correct, count, accuracyInterval, balancedAccuracy, macroF1, kappa, calibrationError } = metrics;
    const hits = hitsOf(results, entry);
    const byFold = folds.map((fold) => images.filter((image, i) => image.fold === fold && hits[i]).length).join(", ");
    return `| ${entry.seed} | ${percent(accuracy)} (${correct} of ${count}) | ${percent(accuracyInterval.low)} to ${percent(accuracyInterval.high)} | ${percent(balancedAccuracy)} | ${macroF1.toFixed(3)} | ${kappa.toFixed(3)} | ${calibrationError.toFixed(3)} | ${byFold} |`;
  });
  const wrong = images.map((_, i) => entries.filter((entry) => !hitsOf(results, entry)[i]).length);
  return [
    `| seed | accuracy | 95 % interval (Wilson) | balanced | macro F1 | κ | calibration error | right in ${folds.at(0)} … ${folds.at(-1)} |`,
    "|---|---|---|---|---|---|---|---|",
    ...lines,
    "",
    "Summed over the seeds, rows the given label, columns the prediction:",
    "",
    `| | ${classes.join(" | ")} |`,
    `|---|${classes.map(() => "---|").join("")}`,
    ...confusion.map((counts, c) => `| ${classes[c]} | ${counts.join(" | ")} |`),
    "",
    `**Where it fails.** ${wrong.filter((times) => times > 0).length} images are wrong with at least one of the ${entries.length} seeds, ${wrong.filter((times) => times === entries.length).length} of them with all.`,
  ].join("\n");
}
