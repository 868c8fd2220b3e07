/**
 * Predicts many image files on several cores. ONNX Runtime's run() holds the thread that calls it, so every core gets a
 * worker thread with a session of one thread, which reads, predicts and measures its share of the images: measured
 * faster than one session with several threads, whose operators are too short to be divided. What comes out does not
 * depend on the number of threads.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Device } from "../autodiff/index.ts";
import { AndroscopeError, type ErrorCode, type ErrorDetail, readBytes } from "../runs/index.ts";
import { Model, type ModelMetadata } from "./model.ts";
import { BATCH, type FilePrediction, predictShare } from "./predictions.ts";

export interface PredictFilesOptions {
  /** Cores to use. Default 2. */
  threads?: number;
  /** Where the network is computed. Any but the processor is fed by one thread. */
  device?: Device;
  /** Called with the number of images done so far. */
  onProgress?: (done: number) => void;
}

export interface PredictedFiles {
  metadata: ModelMetadata;
  /** One per path, in the same order. */
  files: FilePrediction[];
}

/** @throws `model/*`, `device/*`, `file/*` of the model; what is wrong with an image stands in its place in the result */
export async function predictFiles(
  modelPath: string,
  paths: readonly string[],
  { threads = 2, device = "cpu", onProgress = () => {} }: PredictFilesOptions = {},
): Promise<PredictedFiles> {
  const shares: string[][] = [];
  for (let from = 0; from < paths.length; from += BATCH) shares.push(paths.slice(from, from + BATCH));
  const bytes = await readBytes(modelPath);
  // To start a thread costs more than a few images do.
  return device !== "cpu" || Math.min(threads, shares.length) <= 1
    ? inThisThread(bytes, modelPath, shares, device, onProgress)
    : inWorkers(bytes, modelPath, shares, Math.min(threads, shares.length), onProgress);
}

async function inThisThread(
  bytes: Uint8Array,
  where: string,
  shares: readonly string[][],
  device: Device,
  onProgress: (done: number) => void,
): Promise<PredictedFiles> {
  const model = await Model.from(bytes, where, { threads: 1, device });
  try {
    const files: FilePrediction[] = [];
    for (const paths of shares) {
      files.push(...(await predictShare(model, paths)));
      onProgress(files.length);
    }
    return { metadata: model.metadata, files };
  } finally {
    model.dispose();
  }
}

interface Failure {
  code?: ErrorCode;
  detail?: ErrorDetail;
  error?: unknown;
}

type Answer = { metadata: ModelMetadata } | { share: number; found: FilePrediction[] } | { failure: Failure };

async function inWorkers(
  bytes: Uint8Array,
  where: string,
  shares: readonly string[][],
  count: number,
  onProgress: (done: number) => void,
): Promise<PredictedFiles> {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const found = new Array<FilePrediction[]>(shares.length);
  let next = 0;
  let done = 0;
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL("./predict-worker.ts", import.meta.url), { workerData: { bytes: shared, where } }),
  );
  const work = (worker: Worker) =>
    new Promise<ModelMetadata>((resolve, reject) => {
      let metadata: ModelMetadata | undefined;
      const send = () => {
        if (next < shares.length) {
          worker.postMessage({ share: next, paths: shares[next] });
          next++;
        } else resolve(metadata!);
      };
      worker.on("message", (answer: Answer) => {
        if ("failure" in answer) {
          reject(asError(answer.failure));
          return;
        }
        if ("metadata" in answer) metadata = answer.metadata;
        else {
          found[answer.share] = answer.found;
          onProgress((done += answer.found.length));
        }
        send();
      });
      worker.once("error", reject);
      worker.once("exit", (status) => reject(new Error(`a worker thread ended with status ${status}`)));
    });
  try {
    const [metadata] = await Promise.all(workers.map(work));
    return { metadata: metadata!, files: found.flat() };
  } finally {
    await Promise.all(workers.map(end));
  }
}

/**
 * Lets a worker finish what it is at. To terminate one within a call of ONNX Runtime would end the whole process: the
 * binding throws where nobody can catch it.
 */
async function end(worker: Worker): Promise<void> {
  if (worker.threadId === -1) return;
  const ended = once(worker, "exit");
  worker.postMessage("end");
  await ended;
}

function asError({ code, detail, error }: Failure): unknown {
  return code && detail ? new AndroscopeError(code, detail) : error;
}
