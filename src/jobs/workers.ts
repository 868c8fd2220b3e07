/** How many processes at a time. */
import { availableParallelism } from "node:os";
import type { Config, PreparedSet } from "../learning/index.ts";

/** A number, or as many as this machine has cores and memory for. */
export type Workers = number | "auto";

export interface Need {
  tasks: number;
  /** Of one task. */
  threads: number;
  /** Of one process, at most. */
  bytes: number;
}

export interface Machine {
  cores: number;
  /** That can be had without taking it from others. */
  freeBytes: number;
}

const here = (): Machine => ({ cores: availableParallelism(), freeBytes: process.availableMemory() });

/** One at least; never more than there are tasks. */
export function workersFor(wanted: Workers, { tasks, threads, bytes }: Need, machine = here()): number {
  const room =
    wanted === "auto"
      ? Math.min(Math.floor(machine.cores / threads), Math.floor((0.9 * machine.freeBytes) / bytes))
      : wanted;
  return Math.max(1, Math.min(room, tasks));
}

/**
 * About the most memory that a process needs for a training, in bytes. What a step holds for its gradients grows with
 * the batch, with the pixels of the views and with the channels at the top; the constants are of the default
 * configuration and the demo's, measured (docs/performance.md).
 */
export function trainingBytes({ network, distill, tune }: Config, set: PreparedSet): number {
  const { widths, viewSize } = network;
  const channels = widths.reduce((sum, width, stage) => sum + width / 4 ** (stage + 1), 0);
  const values = Math.max(distill.batch, tune.batch) * viewSize ** 2 * channels;
  return 300e6 + 400 * values + 2 * (set.pixels.byteLength + set.targets.byteLength);
}
