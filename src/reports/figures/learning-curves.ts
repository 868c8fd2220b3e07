import { axes, FRAME, polyline, svg } from "./svg.ts";

export interface Curve {
  name: string;
  points: readonly { step: number; value: number }[];
}

/** One thin line per fold and their mean. */
export function learningCurves(curves: readonly Curve[], yLabel: string): string {
  const drawn = curves.filter((c) => c.points.length > 0);
  if (drawn.length === 0) return "";
  const last = Math.max(...drawn.flatMap((c) => c.points.map((p) => p.step)));
  // The first steps are far above the rest and would flatten it.
  const values = drawn.flatMap((c) => c.points.slice(Math.min(1, c.points.length - 1)).map((p) => p.value));
  const high = Math.max(...values, 1e-6);
  const { sx, sy, markup } = axes({
    x: { domain: [0, last], label: "step" },
    y: { domain: [0, high * 1.05], label: yLabel },
  });
  const clamp = (v: number) => Math.min(v, high * 1.05);
  const lines = drawn.map((c) =>
    polyline(
      c.points.map((p) => [sx(p.step), sy(clamp(p.value))]),
      "thin",
    ),
  );
  const steps = drawn[0]!.points.map((p) => p.step);
  const mean = steps.map(
    (step, i) =>
      [sx(step), sy(clamp(drawn.reduce((sum, c) => sum + (c.points[i]?.value ?? 0), 0) / drawn.length))] as const,
  );
  return svg(FRAME, `Learning curves: ${yLabel}`, markup + lines.join("") + polyline(mean, "bold"));
}
