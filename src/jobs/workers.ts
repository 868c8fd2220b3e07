/** How many processes at a time. */
import { availableParallelism } from "node:os";
import { type Config, type PreparedSet, probeNumbers, tunedNetwork } from "../learning/index.ts";

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
 * About the most memory that a process needs for a training, in bytes: rather too much than too little. What a step holds
 * for its gradients grows with the batch, the pixels of the views and the channels, and the optimiser's state with the
 * weights. The factors fit peaks that were measured with batches of 4 to 64, views of 32 to 96 and widths from
 * 8-8-8-8 to 64-128-256-512: 0.23 to 1.77 GB.
 */
export function trainingBytes(config: Config, set: PreparedSet): number {
  const { network, distill, tune } = config;
  const stages = Math.max(bytesOf(network, distill.batch), bytesOf(tunedNetwork(config), tune.batch));
  // Six copies were measured with 6 000 and 12 000 views of heads, of what wavelets see in them.
  const probe = 7 * Float32Array.BYTES_PER_ELEMENT * probeNumbers(config, set.ids.length);
  return 400e6 + Math.max(stages, probe) + 2 * (set.pixels.byteLength + set.targets.byteLength);
}

function bytesOf({ widths, blocks, viewSize }: Config["network"], batch: number): number {
  const sum = (value: (width: number, stage: number) => number) =>
    widths.reduce((total, width, stage) => total + value(width, stage), 0);
  const values = batch * viewSize ** 2 * sum((width, stage) => width / 4 ** (stage + 1));
  // Two convolutions of 3 x 3 in a block.
  const weights = sum((width, stage) => 18 * blocks[stage]! * width ** 2);
  return 180 * values + 70 * weights;
}
