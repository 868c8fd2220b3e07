import { escapeHtml } from "../html.ts";
import { axes, FRAME, polyline, share, svg } from "./svg.ts";

export interface Curve {
  name: string;
  points: readonly { step: number; value: number }[];
}

/** Colour and dashes of a fold; 18 folds look different, and no two neighbours differ by colour alone. */
const lineOf = (fold: number) => `fold c${fold % 6} d${(fold + Math.floor(fold / 6)) % 3}`;

/** A line per fold and their mean, bold. @param shares the values are shares, shown from 0 to 100 % */
export function learningCurves(curves: readonly Curve[], yLabel: string, { shares = false } = {}): string {
  const drawn = curves.map((c, fold) => ({ ...c, fold })).filter((c) => c.points.length > 0);
  if (drawn.length === 0) return "";
  const last = Math.max(...drawn.flatMap((c) => c.points.map((p) => p.step)));
  // The first steps may be far above the rest and would flatten it.
  const values = drawn.flatMap((c) => c.points.slice(Math.min(1, c.points.length - 1)).map((p) => p.value));
  const high = shares ? 1 : 1.05 * Math.max(...values, 1e-6);
  const low = Math.min(0, ...values);
  const { sx, sy, markup } = axes({
    x: { domain: [0, last], label: "step", least: 1 },
    y: { domain: [low, high], label: yLabel, ...(shares ? { format: share } : {}) },
  });
  const place = ({ step, value }: { step: number; value: number }) => [sx(step), sy(Math.min(value, high))] as const;
  const lines = drawn.map((c) =>
    polyline(c.points.map(place), lineOf(c.fold), `fold ${c.name}, last ${c.points.at(-1)!.value.toFixed(3)}`),
  );
  return svg(
    FRAME,
    `${yLabel} against step, ${drawn.map((c) => `fold ${c.name} ends at ${c.points.at(-1)!.value.toFixed(3)}`).join("; ")}`,
    markup + lines.join("") + polyline(meanCurve(drawn).map(place), "bold mean-curve"),
  );
}

/** The mean over the curves at the steps that all of them have. */
export function meanCurve(curves: readonly Curve[]): { step: number; value: number }[] {
  const maps = curves.map((c) => new Map(c.points.map((p) => [p.step, p.value])));
  const common = (curves[0]?.points ?? []).map((p) => p.step).filter((step) => maps.every((m) => m.has(step)));
  return common.map((step) => ({ step, value: maps.reduce((sum, m) => sum + m.get(step)!, 0) / maps.length }));
}

/** Which line is which fold. */
export function foldLegend(names: readonly string[]): string {
  const sample = (className: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 10" aria-hidden="true"><line class="${className}" x1="0" x2="28" y1="5" y2="5"/></svg>`;
  const folds = names.map((name, i) => `<li>${sample(lineOf(i))}fold ${escapeHtml(name)}</li>`);
  const mean = names.length > 1 ? `<li>${sample("bold mean-curve")}mean</li>` : "";
  return `<ul class="legend">${folds.join("")}${mean}</ul>`;
}
