import { axes, escapeHtml, FRAME, svg } from "./svg.ts";

export interface Estimate {
  name: string;
  value: number;
  low?: number;
  high?: number;
}

/** Points with intervals, one row each. */
export function dotWhisker(rows: readonly Estimate[], label: string, mean?: number): string {
  const frame = { ...FRAME, left: 110, height: 50 + 34 * rows.length, top: 8 };
  const lowest = Math.min(...rows.map((r) => r.low ?? r.value));
  const low = Math.max(0, Math.floor(lowest * 10 - 0.5) / 10);
  const { sx, markup } = axes({
    x: { domain: [low, 1], label, format: (v) => `${Math.round(v * 100)} %` },
    y: { domain: [0, 1], label: "" },
    frame,
  });
  const noYTicks = markup
    .replace(/<text class="tick" x="104"[^>]*>[^<]*<\/text>/g, "")
    .replace(/<line class="grid"[^>]*>/g, "");
  const at = (i: number) => frame.top + 18 + i * 34;
  const points = rows.map(({ name, value, low: l, high: h }, i) => {
    const whisker =
      l === undefined || h === undefined
        ? ""
        : `<line class="whisker" x1="${sx(l).toFixed(1)}" x2="${sx(h).toFixed(1)}" y1="${at(i)}" y2="${at(i)}"/>`;
    return `<text class="tick" x="102" y="${at(i) + 4}" text-anchor="end">${escapeHtml(name)}</text>${whisker}<circle class="dot" cx="${sx(value).toFixed(1)}" cy="${at(i)}" r="4.5"/>`;
  });
  const line =
    mean === undefined
      ? ""
      : `<line class="mean" x1="${sx(mean).toFixed(1)}" x2="${sx(mean).toFixed(1)}" y1="${frame.top}" y2="${frame.height - frame.bottom}"/>`;
  return svg(frame, label, noYTicks + line + points.join(""));
}
