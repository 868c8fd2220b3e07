/** A study as a drawing that stands by itself: a row for each configuration, its seeds, their mean and spread. */
import type { RowSummary } from "../src/evaluation/index.ts";
import { fixed, linear, share, svg, ticks } from "../src/reports/figures/svg.ts";
import { escapeHtml } from "../src/reports/html.ts";

/** Colours that can be read on white and on black: a picture does not know its page. */
const STYLE = `<style>text{fill:#7d8590;font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}.tick{font-size:12px}.value{font-weight:600}.grid{stroke:#7d8590;stroke-opacity:.3}.spread{stroke:#2f81c7;stroke-width:2.4}.mean{fill:#2f81c7}.seed{fill:none;stroke:#2f81c7;stroke-opacity:.7}.ensemble{fill:#b8741a}</style>`;

const [LEFT, WIDTH, ROW, TOP, BOTTOM, VALUE] = [170, 760, 28, 34, 48, 150];

export function studyPlot(title: string, rows: readonly RowSummary[]): string {
  const values = rows.flatMap(({ accuracies, ensemble }) => [...accuracies, ...(ensemble ? [ensemble.accuracy] : [])]);
  const low = Math.floor(20 * Math.min(...values) - 0.2) / 20;
  const high = Math.min(1, Math.ceil(20 * Math.max(...values) + 0.2) / 20);
  const x = linear([low, high], [LEFT, WIDTH - VALUE]);
  const height = TOP + ROW * rows.length + BOTTOM;
  const bottom = height - BOTTOM;
  const grid = ticks([low, high], 6).map(
    (v) =>
      `<line class="grid" x1="${fixed(x(v))}" x2="${fixed(x(v))}" y1="${TOP - 8}" y2="${bottom}"/><text class="tick" x="${fixed(x(v))}" y="${bottom + 17}" text-anchor="middle">${share(v)}</text>`,
  );
  const marks = rows.map(({ name, mean, deviation, accuracies, ensemble }, i) => {
    const y = TOP + ROW * (i + 0.5);
    const spread =
      accuracies.length > 1
        ? `<line class="spread" x1="${fixed(x(Math.max(low, mean - deviation)))}" x2="${fixed(x(Math.min(high, mean + deviation)))}" y1="${y}" y2="${y}"/>`
        : "";
    const seeds = accuracies.map((v) => `<circle class="seed" cx="${fixed(x(v))}" cy="${y}" r="3.2"/>`).join("");
    const all = ensemble ? `<path class="ensemble" d="M${fixed(x(ensemble.accuracy))} ${y - 6}l5 6l-5 6l-5 -6z"/>` : "";
    const deviationText = accuracies.length > 1 ? ` ± ${(100 * deviation).toFixed(1)}` : "";
    return `<text x="${LEFT - 12}" y="${y + 4.5}" text-anchor="end">${escapeHtml(name)}</text>${spread}${seeds}${all}<circle class="mean" cx="${fixed(x(mean))}" cy="${y}" r="5"/><text class="value" x="${WIDTH - VALUE + 16}" y="${y + 4.5}">${(100 * mean).toFixed(1)} %${deviationText}</text>`;
  });
  const key = `<text class="tick" x="${(LEFT + WIDTH - VALUE) / 2}" y="${height - 8}" text-anchor="middle">accuracy: dot, mean of seeds ± deviation; circles, seeds${rows.some(({ ensemble }) => ensemble) ? "; diamond, their ensemble" : ""}</text>`;
  const head = `<text class="value" x="12" y="18">${escapeHtml(title)}</text>`;
  return `${svg({ width: WIDTH, height }, title, STYLE + head + grid.join("") + marks.join("") + key)}\n`;
}
