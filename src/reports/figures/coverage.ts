import type { CoveragePoint } from "../data.ts";
import { percent } from "../html.ts";
import { axes, FRAME, polygon, polyline, share, svg } from "./svg.ts";

/** Accuracy of the images the network is most certain of, with a band for its interval. */
export function coverageFigure(points: readonly CoveragePoint[]): string {
  if (points.length === 0) return "";
  // The band of the first few images is wide and would flatten the rest.
  const settled = points.filter((p) => p.count >= 10);
  const lowest = Math.min(...(settled.length ? settled : points).map((p) => p.low));
  const low = Math.max(0, Math.floor(lowest * 10) / 10);
  const { sx, sy, markup } = axes({
    x: { domain: [0, 1], label: "share of the images decided, most certain first", format: share },
    y: { domain: [low, 1], label: "accuracy", format: share },
  });
  const at = (value: number) => sy(Math.max(low, value));
  const band = [
    ...points.map((p) => [sx(p.share), at(p.high)] as const),
    ...[...points].reverse().map((p) => [sx(p.share), at(p.low)] as const),
  ];
  const last = points.at(-1)!;
  return svg(
    FRAME,
    `Accuracy against coverage: ${percent(last.value)} with every image decided; the table gives more.`,
    markup +
      polygon(band, "band") +
      polyline(
        points.map((p) => [sx(p.share), at(p.value)]),
        "bold",
      ),
  );
}
