import { axes, FRAME, svg } from "./svg.ts";

/** Counts of values in [0, 1]. */
export function histogram(values: readonly number[], label: string, bins = 25): string {
  const counts = new Array<number>(bins).fill(0);
  for (const v of values) counts[Math.max(0, Math.min(bins - 1, Math.floor(v * bins)))]! += 1;
  const { sx, sy, markup } = axes({
    x: { domain: [0, 1], label },
    y: { domain: [0, Math.max(1, ...counts)], label: "images" },
  });
  const bars = counts.map((count, i) => {
    const [x0, x1] = [sx(i / bins), sx((i + 1) / bins)];
    return `<rect class="bar" x="${(x0 + 0.5).toFixed(1)}" width="${(x1 - x0 - 1).toFixed(1)}" y="${sy(count).toFixed(1)}" height="${(sy(0) - sy(count)).toFixed(1)}"/>`;
  });
  return svg(FRAME, label, markup + bars.join(""));
}
