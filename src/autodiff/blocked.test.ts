/**
 * Networks on the processor's blocks of channels against the same networks without: losses, gradients and running
 * statistics of drawn residual networks with everything that stays on blocks.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import {
  type Activation,
  add,
  channelBlock,
  compile,
  concat,
  conv,
  convNorm,
  globalAveragePool,
  input,
  linear,
  maxPool2d,
  mean,
  mul,
  readModel,
  relu,
  reshape,
  Scope,
  type State,
  sigmoid,
  square,
  type Tensor,
  TrainingSession,
  trainingStep,
  upsample2x,
} from "./index.ts";
import { drawn } from "./testing/properties.ts";

const block = await channelBlock();

const PARTS = [
  "plain",
  "residual",
  "widen",
  "down",
  "upAndConcat",
  "pointwise",
  "bias",
  "pool",
  "gate",
  "outside",
] as const;

interface Network {
  n: number;
  side: number;
  /** Of the first convolution, which sees a few colours and is not differentiated by them. */
  stem: { kernel: number; stride: number; padding: "same" | number };
  parts: (typeof PARTS)[number][];
  activation: Activation;
}

/** Each part is a piece of the networks that people build. */
function network(scope: Scope, x: Tensor, { stem, parts, activation }: Network): Tensor {
  let y = convNorm(scope.sub("stem"), x, block, { ...stem, activation: "relu" });
  for (const [i, part] of parts.entries()) {
    const at = scope.sub(`${i}`);
    const c = y.shape[3]!;
    const even = y.shape[1]! % 2 === 0;
    if (part === "plain") y = convNorm(at, y, c, { activation });
    if (part === "residual") y = convNorm(at.sub("2"), convNorm(at.sub("1"), y, c), c, { activation, shortcut: y });
    if (part === "widen") y = convNorm(at, y, c + block, { activation });
    if (part === "down") y = convNorm(at, y, c, { stride: 2, activation });
    if (part === "upAndConcat" && even) {
      const above = upsample2x(convNorm(at.sub("low"), y, c, { stride: 2, activation }));
      y = convNorm(at.sub("merge"), concat([above, y], 3), block, { activation });
    }
    if (part === "pointwise") y = convNorm(at, y, c, { kernel: 1, activation });
    if (part === "bias") y = relu(conv(at, y, c, { bias: true }));
    if (part === "pool" && even) y = maxPool2d(y, { size: 2 });
    // One value used twice, on blocks and off them.
    if (part === "gate") y = mul(y, sigmoid(conv(at, y, c, { kernel: 1 })));
    if (part === "outside") y = add(y, excited(at, y));
  }
  return linear(scope.sub("logits"), globalAveragePool(y), 2);
}

/** A weight per image and channel, as in squeeze and excitation (Hu et al. 2018). */
function excited(scope: Scope, y: Tensor): Tensor {
  const [n, , , c] = y.shape as [number, number, number, number];
  return mul(y, reshape(sigmoid(linear(scope, globalAveragePool(y), c)), [n, 1, 1, c]));
}

async function train(drawnNetwork: Network, channelBlock: number, seed: number) {
  const { n, side } = drawnNetwork;
  const scope = Scope.training({ channelBlock });
  const shape = [n, side, side, 3];
  const loss = mean(square(add(network(scope, input("x", shape), drawnNetwork), input("y", [n, 2]))));
  const step = trainingStep({ scope, loss });
  const session = await TrainingSession.create(step, { threads: 1 });
  session.initialize(Random.seeded(seed));
  const random = Random.seeded(seed).stream("batch");
  const losses: number[] = [];
  let state: State = new Map();
  // Twice, since the running mean of the first step is what the convolutions of the second subtract.
  for (let k = 0; k < 2; k++) {
    const draw = (length: number) => Float32Array.from({ length }, () => random.normal(0.5, 1));
    const values = await session.run({ x: draw(n * side * side * 3), y: draw(n * 2) }, { learningRate: 0 });
    losses.push(values.loss!, values.gradientNorm!);
    state = session.state();
  }
  session.dispose();
  return { losses, state, operators: readModel(compile(step.graph)).operators };
}

test.skipIf(block === 0)(
  "the same losses, gradients and running statistics as without blocks (skipped where ONNX Runtime has no blocked convolutions)",
  async () => {
    const networks = fc.record({
      n: fc.constantFrom(block, block, 2 * block, 5),
      side: fc.constantFrom(4, 5, 6, 8),
      stem: fc.record({
        kernel: fc.constantFrom(1, 3),
        stride: fc.constantFrom(1, 2),
        padding: fc.constantFrom<("same" | number)[]>("same", 1, 2),
      }),
      parts: fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 4 }),
      activation: fc.constantFrom<Activation[]>("relu", "relu", "silu", "gelu", "none"),
    });
    const property = fc.asyncProperty(networks, fc.nat(), async (drawnNetwork, seed) => {
      const [on, off] = [await train(drawnNetwork, block, seed), await train(drawnNetwork, 0, seed)];
      // Where the batch is not whole blocks, the weights' gradients cannot be had on them.
      expect(on.operators.ReorderOutput !== undefined).toBe(drawnNetwork.n % block === 0);
      expect(off.operators.ReorderOutput).toBeUndefined();
      expect([...on.state.keys()]).toEqual([...off.state.keys()]);
      for (const [k, value] of off.losses.entries())
        expect(Math.abs(on.losses[k]! - value)).toBeLessThan(2e-4 * (1 + value));
      // Rectifiers at a rounding from zero may switch: gradients agree as a whole, not to the last element.
      const norm = Math.hypot(
        ...[...off.state].filter(([name]) => name.startsWith("adam.m/")).flatMap(([, { data }]) => [...data]),
      );
      for (const [name, { data }] of off.state) {
        const found = on.state.get(name)!.data;
        const difference = Math.hypot(...data.map((value, k) => value - found[k]!));
        const size = Math.hypot(...data);
        expect(difference, name).toBeLessThan(
          name.startsWith("adam") ? 5e-3 * (size + 0.05 * norm) : 1e-4 * (1 + size),
        );
      }
    });
    // Every part once, whatever else is drawn, and a first layer that a network seldom has.
    const stem = { kernel: 1, stride: 1, padding: 1 };
    const examples = PARTS.map((part): [Network, number] => [
      { n: block, side: 4, stem, parts: [part], activation: "relu" },
      1,
    ]);
    await fc.assert(property, { ...drawn(PARTS.length + 8), examples } as fc.Parameters<[Network, number]>);
  },
);
