import { escapeHtml, plural } from "../html.ts";
import { axes, FRAME, fixed, svg } from "./svg.ts";

/** How many of the values in [0, 1] fall into each of `bins` equal bins; 1 belongs to the last. */
export function binCounts(values: readonly number[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const v of values) counts[Math.max(0, Math.min(bins - 1, Math.floor(v * bins)))]! += 1;
  return counts;
}

/** Counts of values in [0, 1]. @param mark a value drawn dashed, such as the median */
export function histogram(
  values: readonly number[],
  label: string,
  { bins = 25, mark }: { bins?: number; mark?: number } = {},
): string {
  if (values.length === 0) return "";
  const counts = binCounts(values, bins);
  const { sx, sy, markup } = axes({
    x: { domain: [0, 1], label },
    y: { domain: [0, Math.max(1, ...counts)], label: "images", least: 1 },
  });
  const bars = counts.map((count, i) => {
    if (count === 0) return "";
    const [x0, x1] = [sx(i / bins) + 0.5, sx((i + 1) / bins) - 0.5];
    return `<rect class="bar" x="${fixed(x0)}" width="${fixed(x1 - x0)}" y="${fixed(sy(count))}" height="${fixed(sy(0) - sy(count))}"><title>${escapeHtml(`${(i / bins).toFixed(2)} to ${((i + 1) / bins).toFixed(2)}: ${plural(count, "image")}`)}</title></rect>`;
  });
  const line =
    mark === undefined
      ? ""
      : `<line class="median" x1="${fixed(sx(mark))}" x2="${fixed(sx(mark))}" y1="${FRAME.top}" y2="${FRAME.height - FRAME.bottom}"/>`;
  return svg(FRAME, `Histogram: ${label}, ${plural(values.length, "image")}`, markup + bars.join("") + line);
}
