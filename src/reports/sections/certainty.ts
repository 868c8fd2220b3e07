/** Whether its confidence is deserved, and what leaving the uncertain images to a person would gain. */
import type { CoveragePoint, RunReportData } from "../data.ts";
import { coverageFigure } from "../figures/coverage.ts";
import { reliabilityDiagram } from "../figures/reliability.ts";
import { figure, interval, percent, section, table } from "../html.ts";

const SHARES = [1, 0.95, 0.9, 0.8, 0.7, 0.5];

/** The points nearest below the shares of the table, each once. */
export function coverageRows(points: readonly CoveragePoint[]): CoveragePoint[] {
  const chosen = SHARES.map((share) => points.filter((p) => p.share <= share + 1e-9).at(-1));
  return [...new Set(chosen.filter((p) => p !== undefined))];
}

export function certaintySection({ calibration, coverage, metrics }: RunReportData): string {
  const rows = coverageRows(coverage).map((p) => [
    percent(p.share, 0),
    p.count,
    percent(p.confidence),
    percent(p.value),
    interval(p),
  ]);
  const columns = [
    { name: "decided", number: true },
    { name: "images", number: true },
    { name: "confidence at least", number: true },
    { name: "accuracy", number: true },
    { name: "95 % interval", number: true },
  ];
  return section(
    "certainty",
    "How certain it is",
    `<div class="grid2">${figure(
      "Reliability diagram",
      reliabilityDiagram(calibration),
      `How to read: the images are sorted into ten bins by their confidence (numbers above); dots on the dashed diagonal deserve their confidence, dots below it are overconfident, and vertical lines are 95 % intervals. Calibration error ${metrics.calibrationError.toFixed(3)}.`,
    )}${figure(
      "Accuracy against coverage",
      coverageFigure(coverage),
      "How to read: where the network decides only the share of images it is most certain of and leaves the rest to a person, this is its accuracy on those it decides; the band is the 95 % interval.",
    )}</div>${figure(
      "Leaving the least certain to a person",
      table("Accuracy when the least certain images are left out", columns, rows),
      "How to read: a row says which confidence to ask for so that this share of the images is decided, and what accuracy came out. The threshold is read off the test images themselves, so expect a little less on new ones.",
    )}`,
  );
}
