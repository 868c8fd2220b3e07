/**
 * The channel-blocked layout of ONNX Runtime's processor kernels ("NCHWc"). Its fast convolutions read images as
 * [N, C / b, H, W, b], where b is as many floats as a vector register holds. ONNX Runtime itself only rewrites
 * convolutions with constant weights for them; the operators behind that rewriting are in a domain of their own, and
 * take weights that were computed just now as well. Training graphs for the processor use them directly: blocked.ts.
 */
import "./telemetry.ts";
import * as ort from "onnxruntime-node";
import type { Device } from "./device.ts";
import { compile } from "./onnx.ts";
import { emitBlocked } from "./reorder.ts";
import { input } from "./tensor.ts";

let asked: Promise<number> | undefined;

/**
 * b of this machine's kernels, for {@link Scope.training}; 0 where this build of ONNX Runtime has none, and for other
 * devices than the processor. Asked once, of ONNX Runtime itself, by running one operator.
 */
export function channelBlock(device: Device = "cpu"): Promise<number> {
  if (device !== "cpu") return Promise.resolve(0);
  asked ??= probe().catch(() => 0);
  return asked;
}

async function probe(): Promise<number> {
  // Four channels are filled up to a whole block.
  const x = input("x", [1, 4, 1, 1]);
  const y = emitBlocked("ReorderInput", [x], [1, -1, 1, 1], { channels_last: 0 });
  const session = await ort.InferenceSession.create(compile({ y }), {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const out = await session.run({ x: new ort.Tensor("float32", new Float32Array(4), [1, 4, 1, 1]) });
  await session.release();
  return out.y!.dims[1]!;
}
