/** How a measure is spread over heads. */

export interface Histogram {
  /** Edges of the bins, one more than counts. */
  edges: number[];
  counts: number[];
  n: number;
  quartiles: [number, number, number];
}

/**
 * Bins of a round width, about as many as Sturges (1926) gives. A value on an edge belongs to the bin above it.
 * @param least no bin is narrower: 1 where values are counts
 */
export function histogram(values: readonly number[], least = 0): Histogram | undefined {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const [low, high] = [sorted[0]!, sorted.at(-1)!];
  const step = Math.max(least, roundStep((high - low) / (Math.log2(sorted.length) + 1) || Math.abs(high) / 10 || 1));
  const first = Math.floor(low / step);
  const bins = Math.floor(high / step) - first + 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of sorted) counts[Math.min(bins - 1, Math.floor(value / step) - first)]!++;
  return {
    edges: Array.from({ length: bins + 1 }, (_, i) => (first + i) * step),
    counts,
    n: sorted.length,
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)],
  };
}

/** 1, 2 or 5 times a power of ten: the nearest above. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const times = wanted / power;
  return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

/** Between the two nearest values in proportion: Hyndman and Fan (1996), type 7. */
export function quantile(sorted: readonly number[], p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
