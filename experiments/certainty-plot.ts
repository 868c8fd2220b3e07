/** Reliability diagram and coverage curve of one row and seed, each fold calibrated by the others, as drawings that stand by themselves. */
import { calibrateFolds, computeMetrics, probabilitiesOf, type StudyResults } from "../src/evaluation/index.ts";
import { calibrationPoints, coveragePoints } from "../src/evaluation/report-figures.ts";
import { coverageFigure } from "../src/reports/figures/coverage.ts";
import { reliabilityDiagram } from "../src/reports/figures/reliability.ts";

/** Colours that can be read on white and on black: a picture does not know its page. */
const STYLE = `<style>text{fill:#7d8590;font:12px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}.grid{stroke:#7d8590;stroke-opacity:.3}.bar.soft{fill:#2f81c7;fill-opacity:.35}.whisker{stroke:#2f81c7;stroke-width:2}.dot{fill:#2f81c7}.diagonal{fill:none;stroke:#7d8590;stroke-dasharray:4 4}.band{fill:#2f81c7;fill-opacity:.2;stroke:none}.bold{fill:none;stroke:#2f81c7;stroke-width:2.4}</style>`;

const styled = (svg: string) => `${svg.replace(/^(<svg[^>]*>)/, `$1${STYLE}`)}\n`;

/** @returns undefined where the row has not been computed with the seed */
export function certaintyPlots(
  results: StudyResults,
  row: string,
  seed: number,
): { reliability: string; coverage: string } | undefined {
  const entry = results.entries.find((e) => e.row === row && e.seed === seed);
  if (!entry) return undefined;
  const probabilities = probabilitiesOf(results, entry);
  const { rows } = calibrateFolds(results.images.map((image, i) => ({ ...image, probabilities: probabilities[i]! })));
  const { calibration } = computeMetrics(rows, results.classes);
  return {
    reliability: styled(reliabilityDiagram(calibrationPoints(calibration))),
    coverage: styled(coverageFigure(coveragePoints(rows))),
  };
}
