/**
 * ResNet-18 forward in TensorFlow.js on its Wasm backend, batch 32 at 64 × 64, timed on request: a peer of
 * bench/cases/resnet18.ts. Normalisation counts as folded into the convolutions, which therefore have a bias, as in our
 * export. Weights are constants: their values do not change the work.
 *
 * Arguments: threads.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

const BATCH = 32;
const SIZE = 64;
const WIDTHS = [64, 128, 256, 512];

// The packages are not dependencies: bench/peer.ts has looked whether they are there. Their types are not.
const load = createRequire(import.meta.url);
const tf = load("@tensorflow/tfjs-core");
const wasm = load("@tensorflow/tfjs-backend-wasm");
const folder = `${dirname(load.resolve("@tensorflow/tfjs-backend-wasm"))}/`;
wasm.setWasmPaths(
  Object.fromEntries(
    ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"].map((name) => [
      name,
      `${folder}../wasm-out/${name}`,
    ]),
  ),
);
wasm.setThreadsCount(Number(process.argv[2] ?? 2));
await tf.setBackend("wasm");
await tf.ready();

interface Tensor {
  dispose(): void;
  dataSync(): Float32Array;
}

const he = (shape: number[], fanIn: number): Tensor => tf.randomNormal(shape, 0, Math.sqrt(2 / fanIn), "float32", 1);

/** A convolution with bias and, where asked for, a rectifier, as one operation. */
function convolution(kernel: number, channels: number, out: number, stride: number, activation?: "relu") {
  const filter = he([kernel, kernel, channels, out], kernel * kernel * channels);
  const bias = tf.zeros([out]);
  const pad = (kernel - 1) / 2;
  const around = [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
  return (x: Tensor): Tensor => tf.fused.conv2d({ x, filter, strides: stride, pad: around, bias, activation });
}

const stem = convolution(7, 3, WIDTHS[0]!, 2, "relu");
const blocks: ((x: Tensor) => Tensor)[] = [];
let channels = WIDTHS[0]!;
for (const [stage, out] of WIDTHS.entries()) {
  for (const block of [0, 1]) {
    const stride = stage > 0 && block === 0 ? 2 : 1;
    const first = convolution(3, channels, out, stride, "relu");
    const second = convolution(3, out, out, 1);
    const shortcut = stride === 1 && channels === out ? (x: Tensor) => x : convolution(1, channels, out, stride);
    blocks.push((x) => tf.relu(tf.add(second(first(x)), shortcut(x))));
    channels = out;
  }
}
const weights = he([channels, 10], channels);
const images = tf.randomUniform([BATCH, SIZE, SIZE, 3], 0, 1, "float32", 2);

function forward(): void {
  const logits: Tensor = tf.tidy(() => {
    let x: Tensor = tf.maxPool(stem(images), 3, 2, 1);
    for (const block of blocks) x = block(x);
    return tf.matMul(tf.mean(x, [1, 2]), weights);
  });
  logits.dataSync();
  logits.dispose();
}

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
say({ name: `TensorFlow.js ${tf.version_core} Wasm`, threads: wasm.getThreadsCount() });
for await (const line of createInterface({ input: process.stdin })) {
  const { amount } = JSON.parse(line);
  const start = performance.now();
  const cpu = process.cpuUsage();
  for (let k = 0; k < amount; k++) forward();
  const { user, system } = process.cpuUsage(cpu);
  say({ seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 });
}
