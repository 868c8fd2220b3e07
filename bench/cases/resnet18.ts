/**
 * The genuine ResNet-18 at 64 × 64, batch 32: a training step (forward, backward, AdamW), and inference with frozen
 * weights. The peers' own programs are in bench/peers/.
 */
import {
  channelBlock,
  InferenceRunner,
  input,
  Scope,
  type State,
  softTargetCrossEntropy,
  TrainingSession,
  trainingStep,
} from "../../src/autodiff/index.ts";
import { resnet18 } from "../../src/autodiff/testing/networks.ts";
import { Random } from "../../src/runs/index.ts";
import type { BenchmarkCase, BenchmarkPeer, Contestant } from "../case.ts";
import { nodePeer, pythonPeer, runSteps, timed } from "../peer.ts";

const BATCH = 32;
const SIZE = 64;
const CLASSES = 10;
const WIDTHS = [64, 128, 256, 512];

export interface Shape {
  batch: number;
  size: number;
}

async function training({ batch, size }: Shape) {
  const scope = Scope.training({ channelBlock: await channelBlock() });
  const logits = resnet18(scope, input("x", [batch, size, size, 3]), WIDTHS, CLASSES);
  const loss = softTargetCrossEntropy(logits, input("targets", [batch, CLASSES]));
  return trainingStep({ scope, loss, optimizer: { weightDecay: 0.05 } });
}

function images({ batch, size }: Shape): Float32Array {
  const random = Random.seeded(2);
  return Float32Array.from({ length: batch * size * size * 3 }, () => random.uniform());
}

/** Training steps on one batch; with ANDROSCOPE_BENCH_PROFILE set, profiled. */
export async function trainer(shape: Shape, threads: number): Promise<Contestant> {
  const { batch } = shape;
  const profile = process.env.ANDROSCOPE_BENCH_PROFILE;
  const session = await TrainingSession.create(await training(shape), { threads, profile });
  session.initialize(Random.seeded(1));
  const x = images(shape);
  const targets = new Float32Array(batch * CLASSES);
  for (let n = 0; n < batch; n++) targets[n * CLASSES + (n % CLASSES)] = 1;
  return {
    name: "Androscope",
    turn: (amount) =>
      timed(async () => {
        await runSteps(session, amount, () => ({ feeds: { x, targets }, learningRate: 1e-3 }));
      }),
    stop: async () => {
      if (profile) session.endProfile();
      session.dispose();
    },
  };
}

/** Weights as drawn: their values do not change the work. */
async function firstWeights(): Promise<State> {
  const { layout } = await training({ batch: 1, size: 32 });
  const random = Random.seeded(1);
  const state = layout.toState(layout.initial((name) => random.stream(name)));
  // The average starts as the weights themselves, and has the running statistics beside them.
  return new Map([...state].map(([name, value]) => [name.replace(/^ema\//, ""), value]));
}

/** Forward passes with frozen weights. */
export async function predictor(shape: Shape, threads: number): Promise<Contestant> {
  const { batch, size } = shape;
  const x = images(shape);
  const logits = resnet18(Scope.frozenWith(await firstWeights()), input("x", [batch, size, size, 3]), WIDTHS, CLASSES);
  const runner = await InferenceRunner.create({ logits }, { threads });
  return {
    name: "Androscope",
    turn: (amount) =>
      timed(async () => {
        for (let k = 0; k < amount; k++) await runner.run({ x });
      }),
    stop: async () => runner.dispose(),
  };
}

const pytorch = (peer: string, work: "train" | "eager" | "script", note?: string): BenchmarkPeer => ({
  peer,
  install: "apt-get install python3-torch",
  note,
  start: (threads) =>
    pythonPeer("torch", "pytorch_resnet18.py", ["--work", work, "--threads", `${threads}`, "--batch", `${BATCH}`]),
});

/** The two that run in JavaScript; too heavy to be brought along with every checkout. */
const INSTALL =
  "npm install --no-save @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 @jax-js/jax@0.1.25";

const tensorflow: BenchmarkPeer = {
  peer: "TensorFlow.js Wasm",
  install: INSTALL,
  amount: 2,
  note: "Normalisation folded into the convolutions beforehand, as on our side. One thread: its Wasm backend uses no others in Node. It cannot train there: its Wasm backend has no kernel for a convolution's weight gradient.",
  start: (threads) =>
    nodePeer(["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-wasm"], "tfjs_resnet18.ts", [`${threads}`]),
};

const SHAPE = { batch: BATCH, size: SIZE };

export const cases: BenchmarkCase[] = [
  {
    name: "train-step/resnet18-64-b32",
    unit: "images/s",
    amount: 16,
    unitsPer: BATCH,
    ours: (threads) => trainer(SHAPE, threads),
    peers: [pytorch("PyTorch", "train")],
  },
  {
    name: "inference/resnet18-64-b32",
    unit: "images/s",
    amount: 12,
    unitsPer: BATCH,
    ours: (threads) => predictor(SHAPE, threads),
    peers: [
      pytorch("PyTorch", "eager"),
      pytorch("PyTorch TorchScript", "script", "Frozen and optimised for inference."),
      tensorflow,
    ],
  },
];
