/** A worker thread of predictFiles: loads the model once, then predicts the shares that it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import { isAndroscopeError } from "../runs/index.ts";
import { Model } from "./model.ts";
import { predictShare } from "./predictions.ts";

const { bytes, where } = workerData as { bytes: Uint8Array; where: string };
const port = parentPort!;

try {
  // ONNX Runtime takes no memory that threads share.
  const model = await Model.from(new Uint8Array(bytes), where, { threads: 1 });
  port.on("message", async (order: { share: number; paths: string[] } | "end") => {
    if (order === "end") {
      model.dispose();
      port.close();
      return;
    }
    const { share, paths } = order;
    try {
      port.postMessage({ share, found: await predictShare(model, paths) });
    } catch (error) {
      port.postMessage({ failure: asMessage(error) });
    }
  });
  port.postMessage({ metadata: model.metadata });
} catch (error) {
  port.postMessage({ failure: asMessage(error) });
}

/** Errors lose their class between threads: those of the catalogue travel as their parts. */
function asMessage(error: unknown) {
  if (!isAndroscopeError(error)) return { error };
  const { code, expected, found, where: place, fix } = error;
  return { code, detail: { expected, found, where: place, fix } };
}
