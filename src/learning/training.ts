/** The loop both stages share: feed, step, record, checkpoint, resume. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { parseState, type State, serializeState, type TrainingSession } from "../autodiff/index.ts";
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
  feeds(step: number): Parameters<TrainingSession["run"]>[0];
  /** Where to keep the checkpoint; absent, nothing is kept. */
  checkpoint?: string;
  /** Further arrays that the loop's owner changes and that a resumed run needs. */
  extra?: { save(): Record<string, StoredArray>; restore(arrays: Record<string, StoredArray>): void };
  /** Called before a step; may change what `feeds` returns. */
  before?(step: number): Promise<void>;
  onStep?(step: number, values: Record<string, number>): void;
  /** Called after a step with the number of steps done: the place to look at the average. */
  after?(done: number): Promise<void>;
}

/** Seconds between checkpoints: what a kill can cost at most. Where machines are taken away at short notice, set less. */
const CHECKPOINT_SECONDS = Number(process.env.ANDROSCOPE_CHECKPOINT_SECONDS || 10);
/** Points on a learning curve. */
const CURVE_POINTS = 60;

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
  while (step < steps) {
    await options.before?.(step);
    const values = await session.run(options.feeds(step), {
      learningRate: oneCycle(step, steps, optimisation.learningRate, optimisation.warmup),
      emaDecay: averageDecay(step, optimisation.averageDecay),
    });
    step++;
    for (const [name, value] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + (value as number);
    if (step % interval === 0 || step === steps) {
      const since = step % interval || interval;
      curve.push({ step, values: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / since])) });
      sums = {};
    }
    options.onStep?.(step, values as Record<string, number>);
    await options.after?.(step);
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
