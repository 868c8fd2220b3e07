/**
 * What the test of a device runs in a child process: `on-device.ts DEVICE` prints, as JSON, how far the device is from
 * the processor: operator by operator with their gradients, and in whole training steps.
 */
import * as op from "../src/autodiff/index.ts";
import { maskLoss, resnet18, smallUnet } from "../src/autodiff/testing/networks.ts";
import { Random } from "../src/index.ts";
import { distance, operatorsAlone, weighted } from "./operators-alone.ts";

type Shapes = readonly (readonly number[])[];
type Function = (...xs: op.Tensor[]) => op.Tensor;
interface Case {
  shapes: Shapes;
  f: Function;
}

const device = process.argv[2] as op.Device;
const random = Random.seeded(3);
const uniform = (shape: readonly number[], low: number, high: number, name: string) => {
  const stream = random.stream(name);
  return Float32Array.from({ length: op.sizeOf(shape) }, () => stream.uniform(low, high));
};

/** Every operator; values lie between a half and two, where all of them are defined. */
function cases(): Case[] {
  const unary: Function[] = [
    ...[op.neg, op.exp, op.log, op.sqrt, op.abs, op.sin, op.cos, op.tanh, op.sigmoid, op.softplus, op.silu, op.gelu],
    (x) => op.relu(op.sub(x, 1)),
    (x) => op.pow(x, 2.5),
    (x) => op.clip(x, 0.7, 1.5),
    (x) => op.softmax(x, x.shape.length - 1),
    (x) => op.logSoftmax(x, x.shape.length - 1),
    (x) => op.dropout(x, 0.3, op.stopGradient(op.sub(x, 0.5))),
  ];
  const binary: Function[] = [op.add, op.sub, op.mul, op.div, op.maximum, op.minimum];
  const targets = op.constant([0.7, 0.2, 0.1, 0, 1, 0], [2, 3]);
  const weights = op.constant([1, 0.3]);
  return [
    ...unary.map((f) => ({ shapes: [[2, 4, 6, 8]], f })),
    ...binary.flatMap((f) =>
      [
        [
          [2, 3, 4],
          [2, 3, 4],
        ],
        [[4, 8, 12], [12]],
        [
          [3, 1],
          [2, 3, 4],
        ],
      ].map((shapes) => ({ shapes, f })),
    ),
    ...[
      ...[op.sum, op.mean, op.max, op.sumOfSquares].flatMap((f) => [
        (x: op.Tensor) => op.square(f(x, [0, 2])),
        (x: op.Tensor) => op.square(f(x, [1])),
      ]),
      (x: op.Tensor) => op.transpose(x, [2, 0, 1]),
      (x: op.Tensor) => op.square(op.slice(x, [1, -3], [4, 5], [0, 2])),
      (x: op.Tensor) => op.slice(op.stopGradient(x), [5], [Number.MIN_SAFE_INTEGER], [1], [-1]),
      (x: op.Tensor) => op.square(op.gather(x, op.constant([2, 0, 2, 5, 1, 2], [6], "int64"), 1)),
      (x: op.Tensor) => op.square(op.broadcastTo(op.reshape(x, [4, 6, 1, 8]), [4, 6, 3, 8])),
      (x: op.Tensor) => op.cast(op.argMax(x, 2), "float32"),
      (x: op.Tensor) => op.layerNorm(new op.Scope().sub("layer"), x),
    ].map((f) => ({ shapes: [[4, 6, 8]], f })),
    ...[
      (x: op.Tensor) => op.square(op.maxPool2d(x, { size: 2 })),
      (x: op.Tensor) => op.square(op.maxPool2d(x, { size: 3, stride: 2, padding: 1 })),
      (x: op.Tensor) => op.square(op.avgPool2d(x, { size: 2 })),
      (x: op.Tensor) => op.square(op.upsample2x(x)),
      (x: op.Tensor) => op.depthToSpace(op.square(op.spaceToDepth(x, 2)), 2),
      (x: op.Tensor) => op.batchNorm(new op.Scope().sub("batch"), x),
    ].map((f) => ({ shapes: [[2, 8, 8, 4]], f })),
    ...(["bilinear", "nearest"] as const).flatMap((mode) =>
      (["border", "zeros"] as const).map((padding) => ({
        shapes: [
          [2, 9, 7, 3],
          [2, 2, 3],
        ],
        f: (image: op.Tensor, theta: op.Tensor) =>
          op.gridSample(op.stopGradient(image), op.affineGrid(op.stopGradient(op.sub(theta, 0.9)), 6, 5), {
            mode,
            padding,
          }),
      })),
    ),
    ...[
      [
        [3, 4],
        [4, 2],
      ],
      [
        [2, 3, 4],
        [4, 2],
      ],
      [
        [2, 16, 12],
        [2, 12, 8],
      ],
      [
        [70, 65],
        [65, 40],
      ],
    ].map((shapes) => ({ shapes, f: op.matmul })),
    ...(
      [
        [[2, 5, 5, 3], [3, 3, 3, 4], {}],
        [[1, 7, 6, 2], [3, 3, 2, 3], { stride: 2 }],
        [[2, 6, 6, 2], [1, 1, 2, 3], { stride: 2 }],
        [[1, 7, 7, 2], [3, 3, 2, 2], { dilation: 2 }],
        [[2, 2, 2, 3], [3, 3, 3, 2], {}],
        [[1, 6, 6, 3], [3, 3, 1, 3], { groups: 3 }],
        [[2, 8, 8, 32], [3, 3, 32, 32], {}],
        [[2, 16, 16, 3], [7, 7, 3, 8], { stride: 2 }],
      ] as const
    ).map(([x, w, options]) => ({ shapes: [x, w], f: (a: op.Tensor, b: op.Tensor) => op.conv2d(a, b, options) })),
    { shapes: [[2, 3]], f: (x) => op.softTargetCrossEntropy(x, targets, weights) },
    { shapes: [[2, 3]], f: (x) => op.bceWithLogits(x, targets, weights) },
    { shapes: [[2, 3]], f: (x) => op.diceLoss(op.sigmoid(x), targets, weights) },
    { shapes: [[2, 3]], f: (x) => op.smoothL1(x, targets, 0.45, weights) },
  ];
}

async function operators() {
  const outputs: Record<string, op.Tensor> = {};
  const feeds: Record<string, Float32Array> = {};
  for (const [c, { shapes, f }] of cases().entries()) {
    const xs = shapes.map((shape, i) => op.variable(`x${c}.${i}`, shape));
    for (const { source, shape } of xs) {
      const { name } = source as { name: string };
      feeds[name] = uniform(shape, 0.5, 2, name);
    }
    const y = f(...xs);
    outputs[`y${c}`] = y;
    if (!y.tracked) continue;
    for (const [i, dx] of op.grad(op.sum(op.mul(y, weighted(y))), xs).entries()) outputs[`dx${c}.${i}`] = dx;
  }
  // Layers' own parameters are inputs like any other.
  for (const { source, shape } of op.topologicalOrder(Object.values(outputs))) {
    if (source.kind === "input") feeds[source.name] ??= uniform(shape, 0.5, 2, source.name);
  }
  return operatorsAlone(outputs, feeds, device);
}

/** Two whole steps of a smooth network, through the session that trains: every array of the state. */
async function trainedSteps() {
  const scope = new op.Scope();
  const [x, y] = [op.input("x", [2, 16, 16, 3]), op.input("y", [2, 16, 16, 1])];
  const step = op.trainingStep({
    scope,
    loss: maskLoss(smallUnet(scope, x, [8, 16]), y),
    optimizer: { weightDecay: 0.05, clipNorm: 1 },
  });
  const feeds = { x: uniform(x.shape, -1, 1, "x"), y: uniform(y.shape, 0, 1, "y").map(Math.round) };
  const train = async (on: op.Device) => {
    const session = await op.TrainingSession.create(step, { device: on });
    session.initialize(random.stream("unet"));
    const steps = await session.runMany(2, () => ({ feeds, learningRate: 1e-3 }));
    const losses = steps.map(({ loss }) => loss!);
    const state = session.state();
    session.dispose();
    return { losses, state };
  };
  const [here, there] = [await train(device), await train("cpu")];
  const worst = (kind: string) =>
    Math.max(
      ...[...there.state]
        .filter(([name]) => name.startsWith(kind))
        .map(([name, { data }]) => distance(here.state.get(name)!.data, data)),
    );
  return {
    loss: Math.max(...there.losses.map((loss, i) => Math.abs(here.losses[i]! - loss) / loss)),
    moments: worst("adam.m/"),
    statistics: worst("buffer/"),
    parameters: worst("param/"),
  };
}

/** A ResNet in small, two of ResNet-18's stages: its gradient, and where its rectifiers decide otherwise than on the processor. */
async function rectified() {
  const scope = new op.Scope();
  const [x, y] = [op.input("x", [2, 32, 32, 3]), op.input("y", [2, 4])];
  const loss = op.softTargetCrossEntropy(resnet18(scope, x, [8, 16], 4), y);
  const gradients = op.grad(
    loss,
    scope.parameters.map((p) => p.tensor),
  );
  const gates = op.topologicalOrder([loss]).filter(({ source }) => source.kind === "op" && source.op === "Relu");
  const outputs: Record<string, op.Tensor> = { loss };
  for (const [i, g] of gradients.entries()) outputs[`g${i}`] = g;
  for (const [i, gate] of gates.entries()) [outputs[`in${i}`], outputs[`out${i}`]] = [op.operands(gate)[0]!, gate];
  const feeds: Record<string, Float32Array> = {};
  for (const { source, shape } of op.topologicalOrder(Object.values(outputs))) {
    if (source.kind === "input") feeds[source.name] = uniform(shape, -1, 1, source.name);
  }
  for (const { name, shape, initialize } of scope.parameters)
    feeds[`param/${name}`] = initialize(random.stream(name), shape);
  feeds.y = Float32Array.of(1, 0, 0, 0, 0, 0, 1, 0);
  const compute = async (on: op.Device) => {
    const runner = await op.InferenceRunner.create(outputs, { device: on });
    const out = await runner.run(feeds);
    runner.dispose();
    return (name: string) => out[name]!.data as Float32Array;
  };
  const [here, there] = [await compute(device), await compute("cpu")];
  let [decided, otherwise, largest] = [0, 0, 0];
  for (const i of gates.keys()) {
    const before = there(`in${i}`);
    for (const [k, open] of there(`out${i}`).entries()) {
      decided++;
      if (open > 0 === here(`out${i}`)[k]! > 0) continue;
      otherwise++;
      largest = Math.max(largest, Math.abs(before[k]!));
    }
  }
  return {
    loss: Math.abs(here("loss")[0]! - there("loss")[0]!) / there("loss")[0]!,
    gradient: Math.max(...gradients.map((_, i) => distance(here(`g${i}`), there(`g${i}`)))),
    gates: { decided, otherwise, largest },
  };
}

const answer = { operators: await operators(), trained: await trainedSteps(), rectified: await rectified() };
process.stdout.write(`\n${JSON.stringify(answer)}\n`);
