/** The loop both stages share: feed, step, record, checkpoint, resume. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type Feeds, parseState, type State, serializeState, type TrainingSession } from "../autodiff/index.ts";
import { readArrays, type StoredArray, writeArrays } from "../runs/index.ts";
import { averageDecay, oneCycle } from "./schedule.ts";

/** The loss after some step, smoothed over the steps since the point before. */
export interface CurvePoint {
  step: number;
  values: Record<string, number>;
}

export interface Optimisation {
  steps: number;
  learningRate: number;
  warmup: number;
  averageDecay: number;
}

export interface LoopOptions {
  session: TrainingSession;
  optimisation: Optimisation;
  /** The inputs of a step: a pure function of the step (and of `extra`). */
  feeds(step: number): Feeds;
  /** Where to keep the checkpoint; absent, nothing is kept. */
  checkpoint?: string;
  /** Further arrays that the loop's owner changes and that a resumed run needs. */
  extra?: { save(): Record<string, StoredArray>; restore(arrays: Record<string, StoredArray>): void };
  onStep?(step: number, values: Record<string, number>): void;
  /** A look at the average on the way, which may change what `feeds` returns: where it is due, and what it does. */
  pause?: { due(done: number): boolean; at(done: number): Promise<void> };
}

/** Seconds between checkpoints: what a kill can cost at most. Where machines are taken away at short notice, set less. */
const CHECKPOINT_SECONDS = Number(process.env.ANDROSCOPE_CHECKPOINT_SECONDS || 10);
/** Points on a learning curve. */
const CURVE_POINTS = 60;
/** Steps handed to ONNX Runtime in one call, and how much they may hold: state comes back only after the last of them. */
const STEPS_AT_ONCE = 8;
const BYTES_AT_ONCE = 64e6;

/** Trains to the last step, from the checkpoint where there is one. @returns the learning curve */
export async function trainLoop(options: LoopOptions): Promise<CurvePoint[]> {
  const { session, optimisation, checkpoint } = options;
  const { steps } = optimisation;
  const interval = Math.max(1, Math.round(steps / CURVE_POINTS));
  let step = 0;
  let curve: CurvePoint[] = [];
  let sums: Record<string, number> = {};

  if (checkpoint && existsSync(checkpoint)) {
    const saved = await readArrays(checkpoint);
    const meta = saved.meta as { step: number; curve: CurvePoint[]; sums: Record<string, number> };
    session.load(parseState(saved.arrays.state as Uint8Array));
    options.extra?.restore(saved.arrays);
    ({ step, curve, sums } = meta);
  }
  let savedAt = performance.now();
  const most = Math.max(1, Math.min(STEPS_AT_ONCE, Math.floor(BYTES_AT_ONCE / session.inputBytes)));
  while (step < steps) {
    let count = 1;
    while (count < most && step + count < steps && !options.pause?.due(step + count)) count++;
    const first = step;
    const series = await session.runMany(count, (k) => ({
      feeds: options.feeds(first + k),
      learningRate: oneCycle(first + k, steps, optimisation.learningRate, optimisation.warmup),
      emaDecay: averageDecay(first + k, optimisation.averageDecay),
    }));
    for (const values of series) {
      step++;
      for (const [name, value] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + value;
      if (step % interval === 0 || step === steps) {
        const since = step % interval || interval;
        const means = Object.entries(sums).map(([name, sum]) => [name, sum / since] as const);
        curve.push({ step, values: Object.fromEntries(means) });
        sums = {};
      }
      options.onStep?.(step, values);
    }
    if (options.pause?.due(step)) await options.pause.at(step);
    if (checkpoint && step < steps && performance.now() - savedAt > CHECKPOINT_SECONDS * 1000) {
      await writeCheckpoint(checkpoint, session.state(), { step, curve, sums }, options.extra?.save() ?? {});
      savedAt = performance.now();
    }
  }
  return curve;
}

async function writeCheckpoint(
  path: string,
  state: State,
  meta: unknown,
  extra: Record<string, StoredArray>,
): Promise<void> {
  await writeArrays(path, { arrays: { ...extra, state: serializeState(state) }, meta });
}

/** Removes a checkpoint that a finished stage no longer needs. */
export async function removeCheckpoint(path: string | undefined): Promise<void> {
  if (path) await rm(path, { force: true });
}

/** The averaged parameters and running statistics of a state, under their plain names. */
export function averaged(state: State): State {
  const out = new Map() as State;
  for (const [name, value] of state) {
    if (name.startsWith("ema/")) out.set(name.slice("ema/".length), value);
  }
  return out;
}
