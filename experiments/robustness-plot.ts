/** Altered test images as a drawing that stands by itself: a line for each alteration, a mark for each row of the ablation. */
import { ALTERATIONS, type AlterationName, type RowSummary, type StudyResults } from "../src/evaluation/index.ts";
import { fixed, linear, share, svg, ticks } from "../src/reports/figures/svg.ts";
import { escapeHtml } from "../src/reports/html.ts";
import { alteredAccuracy } from "./sections.ts";

/** Colours that can be read on white and on black: a picture does not know its page. */
const STYLE = `<style>text{fill:#7d8590;font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}.tick{font-size:12px}.title{font-weight:600}.grid{stroke:#7d8590;stroke-opacity:.3}.gain{stroke:#b8741a;stroke-opacity:.5;stroke-width:2}.raw{fill:none;stroke:#7d8590;stroke-width:1.6}.posed{fill:none;stroke:#2f81c7;stroke-width:1.6}.whole{fill:#2f81c7}.last{fill:#b8741a}</style>`;

const [LEFT, WIDTH, ROW, TOP, BOTTOM, RIGHT] = [150, 760, 24, 34, 62, 30];
const TITLE = "Right of altered test images on HuSHeM";

/** What has to be withstood; of the shortcuts the one that leaves the head to be seen. */
const SHOWN = (Object.keys(ALTERATIONS) as AlterationName[]).filter(
  (name) => ALTERATIONS[name].kind === "shift" || name === "other-background",
);

/** How each row of the ablation is drawn, and what the key calls it. */
const MARKS = {
  raw: { mark: (x: number, y: number) => circle("raw", x, y), called: "whole crops" },
  posed: { mark: (x: number, y: number) => circle("posed", x, y), called: "upright" },
  whole: { mark: (x: number, y: number) => circle("whole", x, y), called: "the network" },
  "wavelets-blur": {
    mark: (x: number, y: number) => `<path class="last" d="M${fixed(x)} ${y - 6}l5 6l-5 6l-5 -6z"/>`,
    called: "wavelets beside it: the default",
  },
} as const;
type Drawn = keyof typeof MARKS;
const DRAWN = Object.keys(MARKS) as Drawn[];

const circle = (kind: string, x: number, y: number) => `<circle class="${kind}" cx="${fixed(x)}" cy="${y}" r="4.6"/>`;

/** @param rows of the ablation; undefined where one of those that are drawn is not among them */
export function robustnessPlot(results: StudyResults, rows: readonly RowSummary[]): string | undefined {
  const summaries = new Map(rows.map((row) => [row.name, row]));
  const isAltered = (row: Drawn) => results.entries.some((entry) => entry.row === row && entry.altered);
  if (!DRAWN.every((row) => summaries.has(row) && isAltered(row))) return undefined;
  const lines = [
    { label: "as they are", of: (row: Drawn) => summaries.get(row)!.mean },
    ...SHOWN.map((name) => ({
      label: name.replaceAll("-", " "),
      of: (row: Drawn) => alteredAccuracy(results, row, name),
    })),
  ];
  const range: [number, number] = [0.2, 1];
  const x = linear(range, [LEFT, WIDTH - RIGHT]);
  const height = TOP + ROW * lines.length + BOTTOM;
  const bottom = height - BOTTOM;
  const grid = ticks(range, 8).map(
    (v) =>
      `<line class="grid" x1="${fixed(x(v))}" x2="${fixed(x(v))}" y1="${TOP - 8}" y2="${bottom}"/><text class="tick" x="${fixed(x(v))}" y="${bottom + 17}" text-anchor="middle">${share(v)}</text>`,
  );
  const marks = lines.map(({ label, of }, i) => {
    const y = TOP + ROW * (i + 0.5);
    const gain = `<line class="gain" x1="${fixed(x(of("whole")))}" x2="${fixed(x(of("wavelets-blur")))}" y1="${y}" y2="${y}"/>`;
    const drawn = DRAWN.map((row) => MARKS[row].mark(x(of(row)), y)).join("");
    return `<text x="${LEFT - 12}" y="${y + 4.5}" text-anchor="end">${escapeHtml(label)}</text>${gain}${drawn}`;
  });
  let at = LEFT - 100;
  const key = DRAWN.map((row) => {
    const { mark, called } = MARKS[row];
    const from = at;
    at += 30 + 7.2 * called.length;
    return `${mark(from, height - 18)}<text class="tick" x="${fixed(from + 10)}" y="${height - 14}">${escapeHtml(called)}</text>`;
  });
  const head = `<text class="title" x="12" y="18">${TITLE}</text>`;
  return `${svg({ width: WIDTH, height }, TITLE, STYLE + head + grid.join("") + marks.join("") + key.join(""))}\n`;
}
