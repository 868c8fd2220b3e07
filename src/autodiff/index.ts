/**
 * Symbolic tensors with gradients that run on ONNX Runtime. Usable on its own as `androscope/autodiff`.
 *
 * The exclusive or, learned and run:
 *
 * ```ts
 * import { Random } from "androscope";
 * import { InferenceRunner, input, linear, mean, Scope, square, sub } from "androscope/autodiff";
 * import { type Tensor, TrainingSession, tanh, trainingStep } from "androscope/autodiff";
 *
 * const network = (scope: Scope, x: Tensor) => linear(scope.sub("out"), tanh(linear(scope.sub("hidden"), x, 8)), 1);
 *
 * // One ONNX model: batch, parameters and optimiser state in; loss, new parameters and new state out.
 * const scope = new Scope();
 * const loss = mean(square(sub(network(scope, input("x", [4, 2])), input("y", [4, 1]))));
 * const session = await TrainingSession.create(trainingStep({ scope, loss }));
 * session.initialize(Random.seeded(1));
 * const [x, y] = [Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), Float32Array.of(0, 1, 1, 0)];
 * for (let step = 0; step < 300; step++) await session.run({ x, y }, { learningRate: 0.05 });
 *
 * // The same network with its averaged parameters as constants.
 * const weights = new Map([...session.state()].map(([name, value]) => [name.replace(/^ema\//, ""), value]));
 * const runner = await InferenceRunner.create({ y: network(Scope.frozenWith(weights), input("x", [-1, 2])) });
 * console.log((await runner.run({ x })).y!.data); // near 0, 1, 1, 0
 * ```
 */
export * from "./convolution.ts";
export { channelBlock } from "./cpu-layout.ts";
export * from "./device.ts";
export * from "./elementwise.ts";
export * from "./grad.ts";
export * from "./layers.ts";
export * from "./linear-layer.ts";
export * from "./losses.ts";
export * from "./onnx.ts";
export * from "./pooling.ts";
export * from "./reductions.ts";
export * from "./sampling.ts";
export * from "./scope.ts";
export * from "./session.ts";
export * from "./shape.ts";
export * from "./state.ts";
export * from "./tensor.ts";
export * from "./training.ts";
