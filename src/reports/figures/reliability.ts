import { axes, escapeHtml, FRAME, polyline, svg } from "./svg.ts";

/** Accuracy against confidence; a perfect classifier lies on the diagonal. */
export function reliabilityDiagram(bins: readonly { confidence: number; accuracy: number; count: number }[]): string {
  const used = bins.filter((bin) => bin.count > 0);
  const share = (v: number) => `${Math.round(v * 100)} %`;
  const { sx, sy, markup } = axes({
    x: { domain: [0, 1], label: "confidence", format: share },
    y: { domain: [0, 1], label: "accuracy", format: share },
  });
  const dots = used.map(
    ({ confidence, accuracy, count }) =>
      `<circle class="dot" cx="${sx(confidence).toFixed(1)}" cy="${sy(accuracy).toFixed(1)}" r="${(3 + 2 * Math.log10(count + 1)).toFixed(1)}"/><text class="tick" x="${sx(confidence).toFixed(1)}" y="${(sy(accuracy) + (accuracy > 0.5 ? 20 : -10)).toFixed(1)}" text-anchor="middle">${escapeHtml(count)}</text>`,
  );
  return svg(
    FRAME,
    "Reliability diagram",
    markup +
      polyline(
        [
          [sx(0), sy(0)],
          [sx(1), sy(1)],
        ],
        "diagonal",
      ) +
      polyline(
        used.map((b) => [sx(b.confidence), sy(b.accuracy)]),
        "thin",
      ) +
      dots.join(""),
  );
}
