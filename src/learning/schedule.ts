/** What a training step gets: which samples, and how fast to learn. Pure functions of the step, so that runs resume. */
import type { Random } from "../runs/index.ts";

/** One-cycle: linear from a 25th to the peak over `warmup` of the steps, then cosine to nearly zero. */
export function oneCycle(step: number, steps: number, peak: number, warmup: number): number {
  const rise = Math.max(1, warmup * steps);
  if (step < rise) return peak * (0.04 + (0.96 * step) / rise);
  const fall = (step - rise) / Math.max(1, steps - rise);
  return peak * (1e-4 + (1 - 1e-4) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, fall))));
}

/** The average's decay, shorter at the start so that the random beginning is forgotten. */
export function averageDecay(step: number, decay: number): number {
  return Math.min(decay, (1 + step) / (10 + step));
}

/**
 * Draws batches from shuffled passes over `count` samples: every sample once per pass, batches run across passes.
 * @returns the sample positions of a step
 */
export function batchSampler(random: Random, count: number, batch: number): (step: number) => number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  let cached = { pass: -1, order: all };
  const pass = (n: number) => {
    if (cached.pass !== n) cached = { pass: n, order: random.stream("pass", n).shuffle(all) };
    return cached.order;
  };
  return (step) =>
    Array.from({ length: batch }, (_, i) => {
      const at = step * batch + i;
      return pass(Math.floor(at / count))[at % count]!;
    });
}
