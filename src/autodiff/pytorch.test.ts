/**
 * Whole networks against PyTorch. scripts/pytorch-reference.py trained them in float64 for five AdamW steps and stored
 * what came out; weights and batches are drawn here and there from the same generator.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/random.ts";
import {
  type Feeds,
  input,
  Scope,
  type State,
  softTargetCrossEntropy,
  TrainingSession,
  trainingStep,
} from "./index.ts";
import { maskLoss, resnet18, smallUnet } from "./testing/networks.ts";

interface Summary {
  shape: number[];
  norm: number;
  largest: number;
  sum: number;
  /** Dot products with random signs: for two tensors they differ by about the norm of the difference. */
  projections: number[];
  samples: [number, number][];
}

interface Settings {
  seed: number;
  widths: number[];
  size: number;
  batch: number;
  learningRates: number[];
  weightDecay: number;
  betas: [number, number];
  epsilon: number;
  clipNorm: number | null;
}

interface Reference<S extends Settings> {
  settings: S;
  losses: number[];
  gradientNorms: number[];
  parameters: Record<string, Summary & { moved: number; moments: Record<"m" | "v", Summary> }>;
  buffers: Record<string, Summary>;
}

function reference<S extends Settings>(name: string): Reference<S> {
  return JSON.parse(readFileSync(new URL(`./fixtures/pytorch-${name}.json`, import.meta.url), "utf8"));
}

/** How far a tensor is from its summary, as a share of its norm (of its largest entry, for single entries). */
function distance(seed: number, name: string, data: Float32Array, expected: Summary): number {
  const { norm, largest, sum, projections, samples } = expected;
  const root = Math.sqrt(data.length);
  const dot = (weight: () => number) => data.reduce((total, value) => total + value * weight(), 0);
  const off = [
    (Math.sqrt(data.reduce((total, value) => total + value * value, 0)) - norm) / norm,
    // Rounding errors of one sign would add up to root times the norm of the difference.
    (dot(() => 1) - sum) / (norm * root),
    ...projections.map((projection, k) => {
      const random = Random.seeded(seed).stream("signs", name, k);
      return (dot(() => (random.uniform() < 0.5 ? -1 : 1)) - projection) / norm;
    }),
    ...samples.map(([at, value]) => (data[at]! - value) / largest),
  ];
  return Math.max(...off.map(Math.abs));
}

function images({ seed, batch, size }: Settings, step: number): Float32Array {
  const random = Random.seeded(seed).stream("images", step);
  return Float32Array.from({ length: batch * size * size * 3 }, () => random.uniform(-1, 1));
}

/** Scales, shifts and biases away from ones and zeros, as the reference starts. */
function withRandomAffine(state: State, seed: number): State {
  for (const [key, { shape, data }] of state) {
    const name = key.slice("param/".length);
    if (!key.startsWith("param/") || shape.length !== 1) continue;
    const random = Random.seeded(seed).stream("affine", name);
    const low = name.endsWith("/scale") ? 0.5 : -0.5;
    for (let i = 0; i < data.length; i++) data[i] = random.uniform(low, low + 1);
  }
  return state;
}

/** Trains as the reference was trained and reports the largest relative differences of each kind. */
async function compare<S extends Settings>(
  { settings, losses, gradientNorms, parameters, buffers }: Reference<S>,
  definition: (scope: Scope) => { loss: ReturnType<typeof softTargetCrossEntropy> },
  feeds: (step: number) => Feeds,
) {
  const scope = new Scope();
  const { learningRates, seed, clipNorm, ...optimizer } = settings;
  const step = trainingStep({
    scope,
    ...definition(scope),
    optimizer: { ...optimizer, ...(clipNorm === null ? {} : { clipNorm }) },
  });
  const session = await TrainingSession.create(step, { threads: 1 });
  const worst = { loss: 0, gradientNorm: 0, parameter: 0, movement: 0, moment: 0, buffer: 0 };
  const note = (kind: keyof typeof worst, value: number) => {
    worst[kind] = Number.isFinite(value) ? Math.max(worst[kind], value) : Number.POSITIVE_INFINITY;
  };
  let state: State;
  try {
    session.initialize(Random.seeded(seed));
    session.load(withRandomAffine(session.state(), seed));
    for (const [k, learningRate] of learningRates.entries()) {
      const { loss, gradientNorm } = await session.run(feeds(k), { learningRate });
      note("loss", Math.abs(loss! / losses[k]! - 1));
      note("gradientNorm", Math.abs(gradientNorm! / gradientNorms[k]! - 1));
    }
    state = session.state();
  } finally {
    session.dispose();
  }
  const found = (name: string, { shape }: Summary) => {
    const value = state.get(name);
    expect(value?.shape, name).toEqual(shape);
    return value!.data;
  };
  expect(scope.parameters.map((p) => p.name).sort()).toEqual(Object.keys(parameters).sort());
  for (const [name, expected] of Object.entries(parameters)) {
    const far = distance(seed, name, found(`param/${name}`, expected), expected);
    note("parameter", far);
    // The same difference as a share of how far the five steps moved the parameter.
    note("movement", (far * expected.norm) / expected.moved);
    for (const slot of ["m", "v"] as const) {
      note("moment", distance(seed, name, found(`adam.${slot}/${name}`, expected), expected.moments[slot]));
    }
  }
  expect(scope.buffers.map((b) => b.name).sort()).toEqual(Object.keys(buffers).sort());
  for (const [name, expected] of Object.entries(buffers))
    note("buffer", distance(seed, name, found(`buffer/${name}`, expected), expected));
  return worst;
}

/**
 * Measured: losses 3e-7, parameters 1.3e-6, movements 5e-5. What five steps move is far smaller than the parameters
 * themselves, so its bound is wider in number and yet the sharper one.
 */
function expectClose({ loss, gradientNorm, parameter, movement, moment, buffer }: Awaited<ReturnType<typeof compare>>) {
  expect(loss, "losses").toBeLessThan(1e-4);
  expect(gradientNorm, "gradient norms").toBeLessThan(1e-4);
  expect(parameter, "parameters").toBeLessThan(1e-4);
  expect(buffer, "running statistics").toBeLessThan(1e-4);
  expect(moment, "moments").toBeLessThan(1e-3);
  expect(movement, "movements").toBeLessThan(2e-3);
}

describe("five AdamW steps as in PyTorch", () => {
  test("ResNet-18, soft-target cross-entropy", async () => {
    const stored = reference<Settings & { classes: number; smoothing: number }>("resnet18");
    const { seed, widths, classes, size, batch, smoothing } = stored.settings;
    const x = input("x", [batch, size, size, 3]);
    const targets = input("targets", [batch, classes]);
    const worst = await compare(
      stored,
      (scope) => ({ loss: softTargetCrossEntropy(resnet18(scope, x, widths, classes), targets) }),
      (step) => {
        const random = Random.seeded(seed).stream("labels", step);
        const soft = new Float32Array(batch * classes).fill(smoothing / classes);
        for (let n = 0; n < batch; n++) soft[n * classes + random.integer(classes)]! += 1 - smoothing;
        return { x: images(stored.settings, step), targets: soft };
      },
    );
    expectClose(worst);
  });

  test("U-Net, cross-entropy and Dice, gradients clipped", async () => {
    const stored = reference("unet");
    const { seed, widths, size, batch } = stored.settings;
    const x = input("x", [batch, size, size, 3]);
    const targets = input("targets", [batch, size, size, 1]);
    const worst = await compare(
      stored,
      (scope) => ({ loss: maskLoss(smallUnet(scope, x, widths), targets) }),
      (step) => {
        const random = Random.seeded(seed).stream("disks", step);
        const disks = new Float32Array(batch * size * size);
        for (let n = 0; n < batch; n++) {
          const cx = size * (0.3 + 0.4 * random.uniform());
          const cy = size * (0.3 + 0.4 * random.uniform());
          const r = size * (0.1 + 0.3 * random.uniform());
          for (let i = 0; i < size * size; i++) {
            const inside = ((i % size) - cx) ** 2 + (Math.floor(i / size) - cy) ** 2 < r ** 2;
            disks[n * size * size + i] = inside ? 1 : 0;
          }
        }
        return { x: images(stored.settings, step), targets: disks };
      },
    );
    expectClose(worst);
  });
});
