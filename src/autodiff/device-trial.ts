/**
 * What {@link tryDevice} runs in a child process: `device-trial.ts DEVICE` computes a small network and its gradients on
 * the device and on the processor and prints how far they are apart and how long each took.
 */
import { conv2d } from "./convolution.ts";
import type { Device, TrialReport } from "./device.ts";
import { mul, silu } from "./elementwise.ts";
import { grad } from "./grad.ts";
import { matmul, mean, sum } from "./reductions.ts";
import { InferenceRunner } from "./session.ts";
import { constant, sizeOf, type Tensor, variable } from "./tensor.ts";

/** Smooth: where a rectifier's input lies next to 0, rounding alone would turn a gradient on or off. */
function network(batch: number, side: number): { outputs: Record<string, Tensor>; inputs: readonly Tensor[] } {
  const inputs = [
    variable("x", [batch, side, side, 16]),
    variable("kernel", [3, 3, 16, 32]),
    variable("weight", [32, 4]),
  ];
  const [x, kernel, weight] = inputs as [Tensor, Tensor, Tensor];
  const y = matmul(mean(silu(conv2d(x, kernel)), [1, 2]), weight);
  const loss = sum(mul(y, constant(wave(4 * batch, 5), [batch, 4])));
  const [dx, dKernel, dWeight] = grad(loss, inputs) as [Tensor, Tensor, Tensor];
  return { outputs: { y, dx, dKernel, dWeight }, inputs };
}

/** Numbers of either sign, the same everywhere. */
function wave(length: number, stride: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * stride) % 17) / 8.5 - 1 + 0.01 * (i % 3));
}

/** Seconds for one small image from which on a larger trial is a waste: the processor takes about one thousandth. */
const HOPELESS = 0.1;

interface Computed {
  values: Record<string, Float32Array>;
  seconds: number;
}

async function compute(device: Device, batch: number, side: number): Promise<Computed> {
  const { outputs, inputs } = network(batch, side);
  const feeds = Object.fromEntries(
    inputs.map(({ source, shape }, i) => [(source as { name: string }).name, wave(sizeOf(shape), 5 + 2 * i)]),
  );
  const runner = await InferenceRunner.create(outputs, { device });
  const out = await runner.run(feeds);
  // The first run compiles; the better of two more is what the device can do.
  let seconds = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2; i++) {
    const begun = performance.now();
    await runner.run(feeds);
    seconds = Math.min(seconds, (performance.now() - begun) / 1000);
  }
  runner.dispose();
  return {
    values: Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, data as Float32Array])),
    seconds,
  };
}

/** On the device and on the processor. */
async function both(device: Device, batch: number, side: number): Promise<{ here: Computed; there: Computed }> {
  const here = await compute(device, batch, side);
  return { here, there: device === "cpu" ? here : await compute("cpu", batch, side) };
}

/** ‖a - b‖ / ‖b‖; not a number where either is not. */
function distance(a: Float32Array, b: Float32Array): number {
  let [apart, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    apart += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(apart / size);
}

function print(trial: { report: TrialReport } | { error: string }): void {
  process.stdout.write(`\n${JSON.stringify({ trial })}\n`);
}

try {
  const device = process.argv[2] as Device;
  const { here, there } = await both(device, 1, 16);
  const differences = Object.entries(there.values).map(([name, values]) => distance(here.values[name]!, values));
  // JSON has no "not a number": what is none is as far off as can be.
  const difference = differences.every(Number.isFinite) ? Math.max(...differences) : Number.MAX_VALUE;
  // One small image is too little to tell how fast a graphics card is, and sixteen are too much for one that is emulated.
  const timed = here.seconds > HOPELESS ? { here, there } : await both(device, 16, 32);
  print({ report: { difference, seconds: timed.here.seconds, cpuSeconds: timed.there.seconds } });
} catch (error) {
  print({ error: (error as Error).message });
}
