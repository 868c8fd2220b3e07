/**
 * Gradients against central differences, along random directions and along single elements.
 *
 * The graph computes in float32, so what differences can show is bounded from both sides. The output is weighted and
 * summed here, in double precision, and the difference is the one of fourth order with offsets h and 2h: it is exact for
 * polynomials up to the fourth degree, and leaves h⁴/30 times the fifth derivative elsewhere, 5e-9 at h = 0.02.
 * Rounding leaves about 6e-8 of the output over h: 5e-6 at that h. The tolerance is twenty times what both leave
 * together; products and convolutions, which are polynomials, take h = 0.25 and are held ten times closer.
 */
import { mul } from "../elementwise.ts";
import { grad } from "../grad.ts";
import { sum } from "../reductions.ts";
import type { RandomSource } from "../scope.ts";
import { InferenceRunner } from "../session.ts";
import { constant, sizeOf, type Tensor } from "../tensor.ts";

/** An input of the graph, and which values it may take. Differentiated by where it is a variable. */
export interface Given {
  readonly tensor: Tensor;
  readonly low?: number;
  readonly high?: number;
  /** Values at which the function has a corner: kept at a distance that no difference crosses. */
  readonly kinks?: readonly number[];
  /**
   * For functions with a corner where two elements are equal: all elements lie on a lattice, none twice. Inputs that are
   * compared with each other take different shares of the lattice's spacing as their offset.
   */
  readonly lattice?: number;
  /** Draws the values itself. */
  readonly draw?: (random: RandomSource) => Float32Array;
}

export interface Example {
  readonly given: readonly Given[];
  readonly y: Tensor;
  /** The same function in double precision, written independently of the graph. */
  readonly reference?: (...values: readonly Float64Array[]) => ArrayLike<number>;
  readonly step?: number;
  readonly tolerance?: number;
  /** The function has corners where its output becomes 0: directions that cross one are passed over. */
  readonly zeros?: boolean;
}

/** Products, convolutions and means: polynomials, for which differences are exact at any step. */
export const POLYNOMIAL = { step: 0.25, tolerance: 1e-5 };

const STEP = 0.02;
const TOLERANCE = 1e-4;
/** Half a unit in the last place of a float32, relative. */
const HALF_UNIT = 2 ** -24;

/** @throws Error that says which derivative is wrong, and by how much */
export async function checkGradients(example: Example, random: RandomSource): Promise<void> {
  const { given, y, reference, step = STEP, tolerance = TOLERANCE, zeros = false } = example;
  const weights = Float32Array.from({ length: sizeOf(y.shape) }, () => random.uniform(-1, 1));
  const loss = sum(mul(y, constant(weights, y.shape)));
  const tracked = given.flatMap(({ tensor }, i) => (tensor.tracked ? [i] : []));
  const gradients = grad(
    loss,
    tracked.map((i) => given[i]!.tensor),
  );
  const outputs = Object.fromEntries(gradients.map((g, i) => [`gradient${tracked[i]}`, g]));
  const runner = await InferenceRunner.create({ y, ...outputs }, { threads: 1 });
  try {
    const values = given.map((one) => draw(one, step, random));
    const run = async (at: readonly Float32Array[]) =>
      runner.run(Object.fromEntries(given.map(({ tensor }, i) => [nameOf(tensor), at[i]!])));
    const here = await run(values);
    const atRest = here.y!.data as Float32Array;
    if (here.y!.dims.join() !== y.shape.join()) throw new Error(`output [${here.y!.dims}], announced [${y.shape}]`);
    if (reference) compareForward(atRest, reference(...values.map((v) => Float64Array.from(v))));

    const g = new Map(tracked.map((i) => [i, here[`gradient${i}`]!.data as Float32Array]));
    for (const [i, found] of g) {
      if (found.length !== values[i]!.length) throw new Error(`gradient ${i}: ${found.length} values`);
      if (!found.every(Number.isFinite)) throw new Error(`gradient ${i} is not finite`);
    }
    // Rounding of the output and of what it is made of, which is of order one.
    const noise = Math.hypot(...atRest.map((value, k) => (Math.abs(value) + 1) * weights[k]!));
    const rounding = (3 * HALF_UNIT * noise) / step;
    const weighted = (out: Float32Array) => out.reduce((total, value, k) => total + value * weights[k]!, 0);
    for (const { name, direction } of directions(values, tracked, random)) {
      const moved = async (offset: number) => {
        const at = values.map((v, i) => {
          const d = direction.get(i);
          return d ? v.map((value, k) => value + offset * d[k]!) : v;
        });
        return (await run(at)).y!.data as Float32Array;
      };
      const [a, b, c, d] = [await moved(-2 * step), await moved(-step), await moved(step), await moved(2 * step)];
      if (zeros && [a, b, c, d].some((out) => out.some((value, k) => (value === 0) !== (atRest[k] === 0)))) continue;
      const numeric = (8 * (weighted(c) - weighted(b)) - (weighted(d) - weighted(a))) / (12 * step);
      let [analytic, size, squares, length] = [0, 0, 0, 0];
      for (const [i, entries] of direction) {
        for (const [k, part] of entries.entries()) {
          const value = g.get(i)![k]!;
          analytic += value * part;
          size += Math.abs(value * part);
          squares += value ** 2;
          length += part ** 2;
        }
      }
      const typical = Math.sqrt((squares * length) / Math.max(1, direction.values().next().value!.length));
      const allowed = tolerance * (size + 0.1 * typical) + rounding;
      if (!(Math.abs(numeric - analytic) <= allowed)) {
        throw new Error(`${name}: the gradient says ${analytic}, differences say ${numeric}, allowed ${allowed}`);
      }
    }
  } finally {
    runner.dispose();
  }
}

/** float32 sums of up to a few hundred products of order one differ from double precision by less than this. */
const FORWARD = 1e-5;

export function compareForward(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (found.length !== expected.length) throw new Error(`${found.length} values, not ${expected.length}`);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let k = 0; k < found.length; k++) {
    if (!(Math.abs(found[k]! - expected[k]!) <= FORWARD * scale))
      throw new Error(`element ${k} is ${found[k]}, in double precision ${expected[k]}`);
  }
}

function nameOf({ source }: Tensor): string {
  if (source.kind !== "input") throw new Error("an example's tensors are inputs");
  return source.name;
}

/** First values of an input. No element comes within three steps of a corner: differences reach as far as two. */
function draw(one: Given, step: number, random: RandomSource): Float32Array {
  const { tensor, low = -1, high = 1, kinks = [], lattice } = one;
  if (one.draw) return one.draw(random);
  const count = sizeOf(tensor.shape);
  if (lattice !== undefined) {
    const order = Array.from({ length: count }, (_, k) => k - (count >> 1) + lattice);
    shuffle(order, random);
    // Neighbours that move towards each other by two steps each, and start half a spacing apart, do not meet.
    return Float32Array.from(order, (k) => k * 12 * step);
  }
  return Float32Array.from({ length: count }, () => {
    const value = random.uniform(low, high);
    const kink = kinks.find((at) => Math.abs(value - at) < 3 * step);
    return kink === undefined ? value : kink + (value < kink ? -3 : 3) * step;
  });
}

export function shuffle(values: number[], random: RandomSource): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform(0, i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}

/** All inputs at once, each by itself, and single elements, in which no error hides behind others. */
function directions(values: readonly Float32Array[], tracked: readonly number[], random: RandomSource) {
  const dense = (inputs: readonly number[]) =>
    new Map(inputs.map((i) => [i, values[i]!.map(() => (random.uniform(-1, 1) < 0 ? -1 : 1))]));
  const out = [{ name: "all inputs together", direction: dense(tracked) }];
  if (tracked.length > 1) for (const i of tracked) out.push({ name: `input ${i}`, direction: dense([i]) });
  for (let k = 0; k < 6; k++) {
    const i = tracked[Math.floor(random.uniform(0, tracked.length))]!;
    const element = Math.floor(random.uniform(0, values[i]!.length));
    const only = new Float32Array(values[i]!.length);
    only[element] = 1;
    out.push({ name: `input ${i}, element ${element}`, direction: new Map([[i, only]]) });
  }
  return out;
}
