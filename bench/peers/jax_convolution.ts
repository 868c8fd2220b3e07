/**
 * One convolution forward in jax-js on its Wasm backend, compiled: 3 × 3, 64 to 64 channels, 4 images of 32 × 32. A whole
 * network would take it minutes. A peer of bench/cases/convolution.ts, timed on request.
 */
import { createInterface } from "node:readline";

const [BATCH, SIZE, CHANNELS] = [4, 32, 64];

// Not a dependency: bench/peer.ts has looked whether it is there. Its types are not.
const name: string = "@jax-js/jax";
const { init, defaultDevice, jit, lax, numpy: np } = await import(name);
const devices: string[] = await init("wasm");
defaultDevice("wasm");

interface Value {
  data(): Promise<Float32Array>;
  ref: Value;
}
const filled = (shape: number[]): Value =>
  np
    .array(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5))
    .reshape(shape);
const x = filled([BATCH, CHANNELS, SIZE, SIZE]);
const weight = filled([CHANNELS, CHANNELS, 3, 3]);
const convolve = jit((a: Value, b: Value) => lax.conv(a, b, [1, 1], "SAME"));

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
say({ name: "jax-js Wasm", devices });
for await (const line of createInterface({ input: process.stdin })) {
  const { amount } = JSON.parse(line);
  const start = performance.now();
  const cpu = process.cpuUsage();
  // `ref` keeps an argument alive: a call consumes what it is given.
  for (let k = 0; k < amount; k++) await (convolve(x.ref, weight.ref) as Value).data();
  const { user, system } = process.cpuUsage(cpu);
  say({ seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 });
}
