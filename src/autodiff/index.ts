/** Symbolic tensors with gradients that run on ONNX Runtime. Usable on its own as `androscope/autodiff`. */
export * from "./convolution.ts";
export * from "./elementwise.ts";
export * from "./grad.ts";
export * from "./layers.ts";
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
