/** The two learning steps in their default configuration, ready to run here, and their batches for the peer. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { channelBlock, type Feeds, type State, TrainingSession, type TrainingStep } from "../src/autodiff/index.ts";
import { type Phantom, phantomDataset, phantomOf } from "../src/datasets/index.ts";
import { defaultConfig } from "../src/learning/config.ts";
import { distillFeeds, distillStep } from "../src/learning/distill.ts";
import { colourStatistics } from "../src/learning/fold.ts";
import { viewExtentOf } from "../src/learning/posed.ts";
import { type PreparedSet, prepare } from "../src/learning/prepare.ts";
import { averageDecay } from "../src/learning/schedule.ts";
import type { Geometry } from "../src/learning/segment.ts";
import type { SegmentedHead } from "../src/learning/segmenter.ts";
import { tuneFeeds, tuneStep } from "../src/learning/tune.ts";
import { Random, silent } from "../src/runs/index.ts";
import type { Contestant } from "./case.ts";
import { runSteps, timed } from "./peer.ts";

export type Stage = "distill" | "tune";

/** Phantoms of the size of HuSHeM's crops, 131 px. */
const PHANTOMS = { count: 60, seed: 1 };
/** Batches that the peer is given, in a circle. */
const BATCHES = 6;
const LEARNING_RATE = 1e-4;

export interface Workload {
  step: TrainingStep;
  /** Draws the batch of a step: the same arrays, filled anew. */
  feeds(step: number): Feeds;
  geometry: Geometry;
  set: PreparedSet;
}

/** What stage 1 would say of a phantom, from what is known of it: the work of a step does not depend on who says it. */
function headOf({ pose, mask, shape }: Phantom, view: number): SegmentedHead {
  const frameMask = Uint8Array.from({ length: view * view }, (_, i) => {
    const at = (position: number) => Math.floor(((position + 0.5) * mask.width) / view);
    return 255 * mask.data[at(Math.floor(i / view)) * mask.width + at(i % view)]!;
  });
  const width = mask.data.reduce((sum, inside) => sum + inside, 0) / shape.length;
  return {
    pose: { x: pose.x, y: pose.y, axisX: Math.cos(pose.angle), axisY: Math.sin(pose.angle) },
    length: shape.length,
    width,
    direction: 1,
    agreement: 1,
    background: [200, 180, 210],
    frameMask,
    shapeMaps: { distance: frameMask, acrosome: frameMask },
    cropMask: () => mask,
  };
}

let prepared: Promise<PreparedSet> | undefined;

/** A stage on phantoms; `batch` only where the default is not wanted. */
export async function workload(stage: Stage, batch?: number): Promise<Workload> {
  const set = await (prepared ??= prepare(phantomDataset(PHANTOMS), silent));
  const members = set.ids.map((_, i) => i);
  const config =
    batch === undefined ? defaultConfig : { ...defaultConfig, [stage]: { ...defaultConfig[stage], batch } };
  const random = Random.seeded(1).stream("bench", stage);
  const target = { channelBlock: await channelBlock() };
  const frame: Geometry = {
    frameExtent: set.frameExtent,
    viewExtent: set.frameExtent,
    ...colourStatistics(set, members),
  };
  if (stage === "distill") {
    const feeds = distillFeeds(set, members, frame, config, random);
    return { step: distillStep(set, frame, config, target), feeds, geometry: frame, set };
  }
  const view = config.network.viewSize;
  const heads = new Map(members.map((i) => [i, headOf(phantomOf(PHANTOMS, i), view)]));
  const geometry = { ...frame, viewExtent: viewExtentOf(heads.values(), config.tune.margin) };
  const posed = { set, heads, geometry };
  return { step: tuneStep(posed, config, target), feeds: tuneFeeds(posed, members, config, random), geometry, set };
}

/** Steps as training runs them: each draws its batch. `firstLoss` is that of the first step. */
export async function learner(
  { step, feeds }: Workload,
  threads: number,
): Promise<Contestant & { first: State; firstLoss: number }> {
  const profile = process.env.ANDROSCOPE_BENCH_PROFILE;
  const session = await TrainingSession.create(step, { threads, profile });
  session.initialize(Random.seeded(1).stream("weights"));
  const first = session.state();
  let done = 0;
  const next = () => ({
    learningRate: LEARNING_RATE,
    emaDecay: averageDecay(done, defaultConfig.tune.averageDecay),
    feeds: feeds(done++),
  });
  const [values] = await session.runMany(1, next);
  return {
    name: "Androscope",
    first,
    firstLoss: values!.loss!,
    turn: (amount) =>
      timed(async () => {
        await runSteps(session, amount, next);
      }),
    stop: async () => {
      if (profile) session.endProfile();
      session.dispose();
    },
  };
}

/**
 * Writes batches and first weights for bench/peers/pytorch_learning.py: a JSON file of settings and of where each array
 * lies in a binary one beside it.
 * @returns the folder, and how to remove it
 */
export async function writeWorkload(
  stage: Stage,
  { feeds, step, geometry, set }: Workload,
  first: State,
): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "androscope-bench-"));
  const arrays: Record<string, { dtype: string; shape: readonly number[]; from: number; bytes: number }> = {};
  const parts: Uint8Array[] = [];
  let from = 0;
  const add = (name: string, dtype: string, shape: readonly number[], data: ArrayBufferView) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    arrays[name] = { dtype, shape, from, bytes: bytes.length };
    parts.push(bytes);
    from += bytes.length;
  };
  for (let k = 0; k < BATCHES; k++) {
    const batch = feeds(k);
    // Rates are inputs, too, but of the optimiser: they are in the header.
    for (const [name, { shape, dtype }] of step.inputs) if (batch[name]) add(`${k}/${name}`, dtype, shape, batch[name]);
  }
  for (const [name, { shape, data }] of first) {
    if (name.startsWith("param/")) add(name, "float32", shape, data);
  }
  const { network, [stage]: settings } = defaultConfig;
  const header = {
    stage,
    batches: BATCHES,
    network,
    settings,
    geometry,
    classes: set.classes.length,
    learningRate: LEARNING_RATE,
    arrays,
  };
  await writeFile(join(folder, "workload.json"), JSON.stringify(header));
  await writeFile(join(folder, "workload.bin"), Buffer.concat(parts));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
