/**
 * What a training step does to its state, against AdamW in double precision: Loshchilov and Hutter 2019, algorithm 2,
 * with decay scaled by the learning rate as everyone implements it; clipping as Pascanu et al. 2013; an exponential
 * average of the weights. The loss is linear, so its gradient is a number that the test gives.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import {
  add,
  input,
  mul,
  normal,
  type OptimizerOptions,
  Scope,
  sizeOf,
  sum,
  TrainingSession,
  trainingStep,
} from "./index.ts";
import { drawn } from "./testing/properties.ts";

interface Parameter {
  shape: readonly number[];
  decay: boolean;
  rate: number;
}

/** Small ones that share an array by kind, one too large for that, a scalar, and one that never has a gradient. */
const PARAMETERS: Readonly<Record<string, Parameter>> = {
  weight: { shape: [3, 4], decay: true, rate: 1 },
  second: { shape: [5], decay: true, rate: 1 },
  bias: { shape: [4], decay: false, rate: 1 },
  slow: { shape: [2, 3], decay: true, rate: 0.1 },
  slowBias: { shape: [1], decay: false, rate: 0.1 },
  scalar: { shape: [], decay: false, rate: 3 },
  large: { shape: [91, 91], decay: true, rate: 0.5 },
  idle: { shape: [3], decay: true, rate: 1 },
};
const DRIVEN = Object.keys(PARAMETERS).filter((name) => name !== "idle");

function linearStep(optimizer: OptimizerOptions) {
  const scope = new Scope();
  const terms = Object.entries(PARAMETERS).map(([name, { shape, decay, rate }]) => {
    const parameter = scope.withRate(rate).parameter(name, shape, normal(1), { decay });
    return name === "idle" ? sum(mul(parameter, 0)) : sum(mul(parameter, input(`gradient.${name}`, shape)));
  });
  return trainingStep({ scope, loss: terms.reduce(add), optimizer });
}

/** The state of one parameter in double precision. */
interface Moments {
  value: number[];
  m: number[];
  v: number[];
  average: number[];
  /** The largest gradient so far: what rounding is measured by where a moment is a sum that cancels. */
  largest: number;
}

interface StepSettings {
  learningRate: number;
  emaDecay: number;
}

/** One step of AdamW over all parameters. @returns the norm of the gradient before it was clipped */
function adamw(
  state: ReadonlyMap<string, Moments>,
  gradients: ReadonlyMap<string, readonly number[]>,
  t: number,
  { learningRate, emaDecay }: StepSettings,
  { weightDecay = 0, betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, clipNorm }: OptimizerOptions,
): number {
  const norm = Math.sqrt([...gradients.values()].flat().reduce((total, g) => total + g * g, 0));
  const shrink = clipNorm === undefined ? 1 : Math.min(1, clipNorm / norm);
  for (const [name, moments] of state) {
    const { value, m, v, average } = moments;
    const { decay, rate } = PARAMETERS[name]!;
    const lr = learningRate * rate;
    for (let k = 0; k < value.length; k++) {
      const g = (gradients.get(name)?.[k] ?? 0) * shrink;
      moments.largest = Math.max(moments.largest, Math.abs(g));
      m[k] = beta1 * m[k]! + (1 - beta1) * g;
      v[k] = beta2 * v[k]! + (1 - beta2) * g * g;
      const first = m[k]! / (1 - beta1 ** t);
      const second = v[k]! / (1 - beta2 ** t);
      value[k]! -= lr * (first / (Math.sqrt(second) + epsilon) + (decay ? weightDecay * value[k]! : 0));
      average[k] = emaDecay * average[k]! + (1 - emaDecay) * value[k]!;
    }
  }
  return norm;
}

/** Trains both ways and compares everything after every step. */
async function compare(optimizer: OptimizerOptions, steps: readonly StepSettings[], seed: number, scale: number) {
  const random = Random.seeded(seed);
  const session = await TrainingSession.create(linearStep(optimizer), { threads: 1 });
  try {
    session.initialize(Random.seeded(seed).stream("weights"));
    const first = session.state();
    const expected = new Map<string, Moments>();
    for (const [name, { shape }] of Object.entries(PARAMETERS)) {
      const value = [...first.get(`param/${name}`)!.data];
      const zeros = () => new Array<number>(sizeOf(shape)).fill(0);
      expected.set(name, { value, m: zeros(), v: zeros(), average: value.slice(), largest: 0 });
    }
    for (const [k, settings] of steps.entries()) {
      const gradients = new Map<string, number[]>();
      const feeds: Record<string, Float32Array> = {};
      let loss = 0;
      for (const name of DRIVEN) {
        const g = Float32Array.from({ length: sizeOf(PARAMETERS[name]!.shape) }, () => random.normal(0, scale));
        feeds[`gradient.${name}`] = g;
        gradients.set(name, [...g]);
        loss += g.reduce((total, value, i) => total + value * expected.get(name)!.value[i]!, 0);
      }
      const out = await session.run(feeds, settings);
      const norm = adamw(expected, gradients, k + 1, settings, optimizer);
      // The loss is that of the parameters before the step; thousands of terms of either sign cancel in it.
      expect(Math.abs(out.loss! - loss)).toBeLessThan(2e-5 * norm * 10);
      expect(Math.abs(out.gradientNorm! - norm)).toBeLessThan(1e-5 * norm);
      const state = session.state();
      for (const [name, moments] of expected) {
        close(state.get(`param/${name}`)!.data, moments.value, `param/${name} after ${k + 1}`, 1);
        close(state.get(`ema/${name}`)!.data, moments.average, `ema/${name} after ${k + 1}`, 1);
        close(state.get(`adam.m/${name}`)!.data, moments.m, `adam.m/${name} after ${k + 1}`, moments.largest);
        close(state.get(`adam.v/${name}`)!.data, moments.v, `adam.v/${name} after ${k + 1}`);
      }
    }
    expect(session.steps).toBe(steps.length);
  } finally {
    session.dispose();
  }
}

/** Within some tens of float32 roundings of the largest element, or of `order`. */
function close(found: Float32Array, expected: readonly number[], what: string, order = 0): void {
  const size = Math.max(order, ...expected.map(Math.abs));
  for (const [k, value] of expected.entries()) {
    if (!(Math.abs(found[k]! - value) <= 5e-6 * size)) expect(found[k], `${what}, element ${k}`).toBe(value);
  }
}

describe("a step is AdamW", () => {
  test("over drawn settings, learning rates and gradients", async () => {
    const steps = fc.array(
      fc.record({
        learningRate: fc.constantFrom(0, 1e-4, 1e-2, 0.3),
        emaDecay: fc.constantFrom(0, 0.5, 0.98, 1),
      }),
      { minLength: 1, maxLength: 6 },
    );
    const optimizers = fc.record(
      {
        weightDecay: fc.constantFrom(0, 0.05, 1),
        clipNorm: fc.constantFrom(1e-3, 1, 1e6),
        betas: fc.constantFrom<[number, number][]>([0.9, 0.999], [0.5, 0.9], [0, 0.99], [0.95, 0.5]),
        epsilon: fc.constantFrom(1e-8, 1e-3),
      },
      { requiredKeys: [] },
    );
    const scales = fc.constantFrom(1e-6, 1e-2, 1, 1e3);
    const property = fc.asyncProperty(optimizers, steps, fc.nat(), scales, compare);
    await fc.assert(property, drawn(30));
  });

  test("over a hundred steps", async () => {
    const steps = Array.from({ length: 100 }, (_, k) => ({ learningRate: 0.01 * (1 - k / 100), emaDecay: 0.98 }));
    await compare({ weightDecay: 0.05, clipNorm: 5 }, steps, 3, 0.1);
  });

  test("the first step moves by the learning rate, whatever the gradient's size; without one, by decay alone", async () => {
    const session = await TrainingSession.create(linearStep({ weightDecay: 0.2 }), { threads: 1 });
    session.initialize(Random.seeded(1));
    const before = session.state();
    const feeds = Object.fromEntries(
      DRIVEN.map((name, i) => [
        `gradient.${name}`,
        new Float32Array(sizeOf(PARAMETERS[name]!.shape)).fill(10 ** (i - 3)),
      ]),
    );
    await session.run(feeds, { learningRate: 0.01 });
    const after = session.state();
    session.dispose();
    for (const [name, { decay, rate }] of Object.entries(PARAMETERS)) {
      const [old, now] = [before, after].map((state) => state.get(`param/${name}`)!.data) as [
        Float32Array,
        Float32Array,
      ];
      for (let k = 0; k < old.length; k++) {
        const kept = decay ? old[k]! * (1 - 0.01 * rate * 0.2) : old[k]!;
        expect(now[k]).toBeCloseTo(name === "idle" ? kept : kept - 0.01 * rate, 5);
      }
    }
  });
});
