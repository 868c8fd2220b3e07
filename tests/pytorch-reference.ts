/**
 * Holds a training step to what PyTorch made of the same one: scripts/reference_training.py trained it in float64 for
 * twenty AdamW steps and stored the outcome; weights and batches are drawn here and there from the same generator.
 */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Feeds, type State, TrainingSession, type TrainingStep } from "../src/autodiff/index.ts";
import { Random } from "../src/runs/index.ts";

interface Probe {
  norm: number;
  /** Dot products with random signs: for two tensors they differ by about the norm of the difference. */
  projections: number[];
}

interface Summary extends Probe {
  shape: number[];
  largest: number;
  sum: number;
  samples: [number, number][];
}

export interface Settings {
  seed: number;
  batch: number;
  learningRates: number[];
  emaDecay: number;
  weightDecay: number;
  betas: [number, number];
  epsilon: number;
  clipNorm: number | null;
}

const KINDS = ["param", "adam.m", "adam.v", "buffer", "ema"] as const;
type Kind = (typeof KINDS)[number];

export interface Reference<S extends Settings> {
  settings: S;
  losses: number[];
  gradientNorms: number[];
  metrics: Record<string, number[]>;
  /**
   * What disturbing every weight by 3e-7 at every step grew to in PyTorch's own float64: step by step, and at the end
   * per kind of array.
   */
  sensitivity: { losses: number[]; gradientNorms: number[]; movement: number; early: number } & Record<Kind, number> &
    Record<`metric.${string}`, number[]>;
  /** Parameters after the first few steps, where drift is still small. */
  earlySteps: number;
  early: Record<string, Probe & { moved: number }>;
  param: Record<string, Summary & { moved: number }>;
  "adam.m"?: Record<string, Summary>;
  "adam.v"?: Record<string, Summary>;
  buffer: Record<string, Summary>;
  ema: Record<string, Summary>;
}

/** @param at the test's import.meta.url */
export function readReference<S extends Settings>(name: string, at: string): Reference<S> {
  return JSON.parse(readFileSync(new URL(`./fixtures/pytorch-${name}.json`, at), "utf8"));
}

/** How far a tensor is from a probe of it, as a share of its norm. */
function distance(seed: number, name: string, data: Float32Array, { norm, projections }: Probe): number {
  const length = Math.sqrt(data.reduce((total, value) => total + value * value, 0));
  const off = projections.map((projection, k) => {
    const random = Random.seeded(seed).stream("signs", name, k);
    return data.reduce((total, value) => total + (random.uniform() < 0.5 ? -value : value), 0) - projection;
  });
  return Math.max(...[length - norm, ...off].map((value) => Math.abs(value) / norm));
}

/** The same against a whole summary, whose single entries are compared with its largest one. */
function distanceToSummary(seed: number, name: string, data: Float32Array, expected: Summary): number {
  const { norm, largest, sum, samples } = expected;
  const total = data.reduce((a, b) => a + b, 0);
  return Math.max(
    distance(seed, name, data, expected),
    // Rounding errors of one sign would add up to the root of the count times the norm of the difference.
    Math.abs(total - sum) / (norm * Math.sqrt(data.length)),
    ...samples.map(([at, value]) => Math.abs(data[at]! - value) / largest),
  );
}

/** Scales, shifts and biases away from ones and zeros, as the reference starts. */
function withRandomAffine(state: State, seed: number): State {
  for (const [key, { shape, data }] of state) {
    const [slot, name] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
    if ((slot !== "param" && slot !== "ema") || shape.length !== 1 || !state.has(`param/${name}`)) continue;
    const random = Random.seeded(seed).stream("affine", name);
    const low = name.endsWith("/scale") ? 0.5 : -0.5;
    for (let i = 0; i < data.length; i++) data[i] = random.uniform(low, low + 1);
  }
  return state;
}

/** Allowed beside what the sensitivity explains: rounding in one step, which is 1e-6 to 1e-5. */
const ROUNDING = 3e-5;
/**
 * How many times the sensitivity is allowed. One run in float32 is not the worst of the five disturbances, but neither
 * is it one of them: kernels add in another order at every shape and on every processor.
 */
const MARGIN = 10;
/**
 * Allowed in every step: at any time a rectifier may sit on its edge and send its gradient in one arithmetic and not in
 * the other, which moves the losses that follow by 1e-5 to 1e-4 and the gradient's norm by up to 2e-3 (measured).
 */
const FLIP = { loss: 3e-4, gradientNorm: 5e-3, metric: 1e-3 };

/** Trains as the reference was trained, and expects the same of everything. */
export async function expectAsReference<S extends Settings>(
  reference: Reference<S>,
  step: TrainingStep,
  feeds: (step: number) => Feeds,
): Promise<void> {
  const { settings, sensitivity, earlySteps } = reference;
  const { seed, learningRates, emaDecay } = settings;
  const session = await TrainingSession.create(step, { threads: 1 });
  const runs: Record<string, number>[] = [];
  const states: State[] = [];
  try {
    session.initialize(Random.seeded(seed));
    session.load(withRandomAffine(session.state(), seed));
    for (const [k, learningRate] of learningRates.entries()) {
      runs.push(await session.run(feeds(k), { learningRate, emaDecay }));
      if (k + 1 === earlySteps || k + 1 === learningRates.length) states.push(session.state());
    }
  } finally {
    session.dispose();
  }
  const [early, last] = states as [State, State];

  const inSteps = (name: string, expected: readonly number[], floor: number, growth: readonly number[]) => {
    for (const [k, value] of expected.entries()) {
      // What went wrong once goes on: the growth so far.
      const allowed = floor + MARGIN * Math.max(...growth.slice(0, k + 1));
      const off = Math.abs(runs[k]![name]! - value) / Math.max(Math.abs(value), 1e-3);
      expect(off, `${name} of step ${k + 1}`).toBeLessThan(allowed);
    }
  };
  inSteps("loss", reference.losses, FLIP.loss, sensitivity.losses);
  inSteps("gradientNorm", reference.gradientNorms, FLIP.gradientNorm, sensitivity.gradientNorms);
  for (const [name, values] of Object.entries(reference.metrics))
    inSteps(name, values, FLIP.metric, sensitivity[`metric.${name}`]);

  // As a share of how far the steps moved a parameter: the sharpest bound there is on gradients and optimiser.
  const movement = (state: State, probes: Reference<S>["early"], sensitive: number, when: string) => {
    for (const [name, probe] of Object.entries(probes)) {
      const off = distance(seed, name, state.get(`param/${name}`)!.data, probe);
      const allowed = 1e-3 + MARGIN * sensitive;
      expect((off * probe.norm) / probe.moved, `movement of ${name} ${when}`).toBeLessThan(allowed);
    }
  };
  movement(early, reference.early, sensitivity.early, `after ${earlySteps} steps`);
  movement(last, reference.param, sensitivity.movement, "at the end");

  for (const kind of KINDS) {
    const expected: Record<string, Summary> | undefined = reference[kind];
    if (!expected) continue;
    const prefix = `${kind}/`;
    const found = [...last.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    expect(found.sort(), kind).toEqual(Object.keys(expected).sort());
    for (const [name, summary] of Object.entries(expected)) {
      const { shape, data } = last.get(prefix + name)!;
      expect(shape, name).toEqual(summary.shape);
      const off = distanceToSummary(seed, name, data, summary);
      expect(off, prefix + name).toBeLessThan(ROUNDING + MARGIN * sensitivity[kind]);
    }
  }
}
