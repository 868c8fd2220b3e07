/** Throughput and peak memory against a size, side by side, as a drawing that stands by itself. */
import { axes, FRAME, fixed, polyline, svg } from "../src/reports/figures/svg.ts";

export interface Drawing {
  title: string;
  /** What `at` counts. */
  axis: string;
  /** Of `rate`. */
  unit: string;
  points: { at: number; rate: number; peakRss: number }[];
}

/** Colours that can be read on white and on black: a picture does not know its page. */
const STYLE = `<style>text{fill:#7d8590;font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}.tick{font-size:12px}.grid{stroke:#7d8590;stroke-opacity:.35}.bold{fill:none;stroke:#2f81c7;stroke-width:2.4}.dot{fill:#2f81c7}</style>`;

function panel({ axis, points }: Drawing, label: string, pick: (point: Drawing["points"][number]) => number): string {
  const values = points.map(pick);
  const { sx, sy, markup } = axes({
    x: { domain: [0, Math.max(...points.map((p) => p.at))], label: axis, least: 1 },
    y: { domain: [0, 1.05 * Math.max(...values)], label },
  });
  const places = points.map((p) => [sx(p.at), sy(pick(p))] as const);
  const dots = places.map(([x, y]) => `<circle class="dot" cx="${fixed(x)}" cy="${fixed(y)}" r="3.5"/>`);
  return markup + polyline(places, "bold") + dots.join("");
}

export function scalingPlot(drawing: Drawing): string {
  const { width, height } = FRAME;
  const memory = `<g transform="translate(${width} 0)">${panel(drawing, "peak memory in MB", (p) => p.peakRss / 1e6)}</g>`;
  const content = STYLE + panel(drawing, drawing.unit, (p) => p.rate) + memory;
  return `${svg({ width: 2 * width, height }, drawing.title, content)}\n`;
}
