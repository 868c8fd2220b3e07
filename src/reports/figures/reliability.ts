import type { CalibrationPoint } from "../data.ts";
import { escapeHtml, percent } from "../html.ts";
import { axes, FRAME, fixed, linear, polyline, share, svg } from "./svg.ts";

/** Room for the counts above the accuracies. */
export const RELIABILITY_FRAME = { ...FRAME, height: 330, top: 72 };
const STRIP = { top: 20, bottom: 60 };

/** Accuracy against confidence, with intervals, and above it how many images each bin holds. */
export function reliabilityDiagram(bins: readonly CalibrationPoint[]): string {
  const used = bins.filter((bin) => bin.count > 0);
  const { sx, sy, markup } = axes({
    x: { domain: [0, 1], label: "confidence", format: share },
    y: { domain: [0, 1], label: "accuracy", format: share },
    frame: RELIABILITY_FRAME,
  });
  const bar = linear([0, Math.max(1, ...used.map((b) => b.count))], [STRIP.bottom, STRIP.top]);
  const counts = used.map(({ from, to, count }) => {
    const [x0, x1] = [sx(from) + 1, sx(to) - 1];
    return `<rect class="bar soft" x="${fixed(x0)}" width="${fixed(x1 - x0)}" y="${fixed(bar(count))}" height="${fixed(STRIP.bottom - bar(count))}"/><text class="tick" x="${fixed((x0 + x1) / 2)}" y="${fixed(bar(count) - 4)}" text-anchor="middle">${escapeHtml(count)}</text>`;
  });
  const dots = used.map(({ confidence, value, low, high, count }) => {
    const title = `${count} images: confidence ${percent(confidence)}, accuracy ${percent(value)}`;
    return `<line class="whisker" x1="${fixed(sx(confidence))}" x2="${fixed(sx(confidence))}" y1="${fixed(sy(low))}" y2="${fixed(sy(high))}"/><circle class="dot" cx="${fixed(sx(confidence))}" cy="${fixed(sy(value))}" r="4.5"><title>${escapeHtml(title)}</title></circle>`;
  });
  const diagonal = [
    [sx(0), sy(0)],
    [sx(1), sy(1)],
  ] as const;
  return svg(
    RELIABILITY_FRAME,
    `Reliability diagram. ${used.map((b) => `${b.count} images at confidence ${percent(b.confidence, 0)}: accuracy ${percent(b.value, 0)}`).join("; ")}.`,
    `<text class="axis" transform="translate(13 ${(STRIP.top + STRIP.bottom) / 2}) rotate(-90)" text-anchor="middle">images</text><line class="grid" x1="${sx(0)}" x2="${sx(1)}" y1="${STRIP.bottom}" y2="${STRIP.bottom}"/>${counts.join("")}${markup}${polyline(diagonal, "diagonal")}${dots.join("")}`,
  );
}
