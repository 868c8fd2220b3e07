import { axes, FRAME, polyline, svg } from "./svg.ts";

/** Accuracy of the images the network is surest of. */
export function coverageFigure(points: readonly { share: number; accuracy: number }[]): string {
  const share = (v: number) => `${Math.round(v * 100)} %`;
  const low = Math.max(0, Math.floor(Math.min(...points.map((p) => p.accuracy), 0.9) * 20) / 20);
  const { sx, sy, markup } = axes({
    x: { domain: [0, 1], label: "share of images kept, surest first", format: share },
    y: { domain: [low, 1], label: "accuracy", format: share },
  });
  return svg(
    FRAME,
    "Accuracy against coverage",
    markup +
      polyline(
        points.map((p) => [sx(p.share), sy(p.accuracy)]),
        "bold",
      ),
  );
}
