/** One convolution forward: small enough for jax-js, which would take minutes for a whole network. */
import { conv, InferenceRunner, input, Scope } from "../../src/autodiff/index.ts";
import { Random } from "../../src/runs/index.ts";
import type { BenchmarkCase } from "../case.ts";
import { nodePeer, timed } from "../peer.ts";

const [BATCH, SIZE, CHANNELS] = [4, 32, 64];

export const cases: BenchmarkCase[] = [
  {
    name: "inference/conv3x3-64-32-b4",
    unit: "images/s",
    amount: 200,
    unitsPer: BATCH,
    async ours(threads) {
      const random = Random.seeded(1);
      const draw = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-0.5, 0.5));
      const weights = new Map([["weight", { shape: [3, 3, CHANNELS, CHANNELS], data: draw(9 * CHANNELS * CHANNELS) }]]);
      const image = input("x", [BATCH, SIZE, SIZE, CHANNELS]);
      const runner = await InferenceRunner.create({ y: conv(Scope.frozenWith(weights), image, CHANNELS) }, { threads });
      const x = draw(BATCH * SIZE * SIZE * CHANNELS);
      return {
        name: "Androscope",
        turn: (amount) =>
          timed(async () => {
            for (let k = 0; k < amount; k++) await runner.run({ x });
          }),
        stop: async () => runner.dispose(),
      };
    },
    peers: [
      {
        peer: "jax-js Wasm",
        install:
          "npm install --no-save @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 @jax-js/jax@0.1.25",
        amount: 1,
        note: "Compiled with jit. Its turn is one pass, and so is ours.",
        start: () => nodePeer(["@jax-js/jax"], "jax_convolution.ts", []),
      },
    ],
  },
];
