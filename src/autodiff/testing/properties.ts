/** What tests with drawn examples share: how many, from which seed, and shapes. */
import fc from "fast-check";
import type { Example } from "./differences.ts";

/** Multiplies the number of examples: `ANDROSCOPE_TEST_RUNS=20` for a longer search. */
const RUNS = Number(process.env.ANDROSCOPE_TEST_RUNS || 1);
/** The same examples every time, unless another seed is given. */
const SEED = Number(process.env.ANDROSCOPE_TEST_SEED || 20220207);

export function drawn(runs: number): fc.Parameters<unknown> {
  return { numRuns: Math.ceil(runs * RUNS), seed: SEED };
}

/** A family of examples of one or more ops: parameters that can be drawn, shown and shrunk, and what follows from them. */
export interface OpCase {
  readonly ops: readonly string[];
  readonly runs: number;
  readonly parameters: fc.Arbitrary<unknown>;
  make(parameters: unknown): Example;
}

export function opCase<P>(
  ops: string | readonly string[],
  parameters: fc.Arbitrary<P>,
  make: (parameters: P) => Example,
  { runs = 10 }: { runs?: number } = {},
): OpCase {
  return {
    ops: typeof ops === "string" ? [ops] : ops,
    runs,
    parameters,
    make: (drawnParameters) => make(drawnParameters as P),
  };
}

export const size = (shape: readonly number[]) => shape.reduce((product, d) => product * d, 1);

export function shapes({ least = 0, most = 4, longest = 4 } = {}): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: longest }), { minLength: least, maxLength: most });
}

/** Two shapes that broadcast together, either of which may be the smaller, or both in different axes. */
export function broadcastPair(): fc.Arbitrary<{ a: number[]; b: number[] }> {
  const side = fc.record({ ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), drop: fc.nat({ max: 4 }) });
  return fc
    .record({ full: shapes(), left: side, right: side, which: fc.constantFrom("a", "b", "both", "none") })
    .map(({ full, left, right, which }) => {
      const reduced = ({ ones, drop }: typeof left) => full.map((d, i) => (ones[i] ? 1 : d)).slice(drop);
      return {
        a: which === "a" || which === "both" ? reduced(left) : full,
        b: which === "b" || which === "both" ? reduced(right) : full,
      };
    });
}

/** Which of two inputs are differentiated by: both, or only one, as where the first layer sees the batch. */
export const trackedOfTwo = () => fc.constantFrom([true, true], [true, false], [false, true]);

/** Some of the axes of a shape, at least one. */
export function axesOf(rank: number): fc.Arbitrary<number[]> {
  const all = Array.from({ length: rank }, (_, i) => i);
  return fc.subarray(all, { minLength: 1 });
}
