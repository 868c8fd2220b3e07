/** What sizes cost: throughput and peak memory against batch, image and dataset size and threads, and start-up. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Progress, writeFileAtomic, writeJson } from "../src/runs/index.ts";
import { machine, resultsFile, rounded } from "./results.ts";
import { type Drawing, scalingPlot } from "./scaling-plot.ts";
import type { Job } from "./scaling-worker.ts";
import { spread } from "./statistics.ts";

export interface Sweep extends Drawing {
  /** Names its drawing: docs/images/performance-NAME.svg. */
  name: string;
}

export interface Scaling {
  machine: string;
  date: string;
  load: { before: number; after: number };
  startup: { what: string; seconds: number }[];
  sweeps: Sweep[];
}

interface Plan extends Omit<Sweep, "points"> {
  jobs: { at: number; job: Job }[];
}

const at = <T extends Job>(values: readonly number[], job: (value: number) => T) =>
  values.map((value) => ({ at: value, job: job(value) }));

function plans(quick: boolean): Plan[] {
  const some = <T>(values: readonly T[]) => (quick ? values.filter((_, i) => i % 2 === 0) : values);
  return [
    {
      name: "batch",
      title: "Training step of stage 2 against the batch, 2 threads",
      axis: "crops per step",
      unit: "crops/s",
      jobs: at(some([2, 4, 8, 16, 32, 64]), (batch) => ({ kind: "tune", batch, threads: 2 })),
    },
    {
      name: "image",
      title: "Training step of ResNet-18 against the image's side, batch 16, 2 threads",
      axis: "side in pixels",
      unit: "images/s",
      jobs: at(some([32, 48, 64, 96, 128]), (size) => ({ kind: "train", batch: 16, size, threads: 2 })),
    },
    {
      name: "inference",
      title: "Inference of ResNet-18 at 64 × 64 against the batch, 2 threads",
      axis: "images per batch",
      unit: "images/s",
      jobs: at(some([1, 4, 16, 32, 64]), (batch) => ({ kind: "predict", batch, size: 64, threads: 2 })),
    },
    {
      name: "dataset",
      title: "Preparing a dataset (pseudo-masks and targets) against its size",
      axis: "crops",
      unit: "crops/s",
      jobs: at(some([50, 100, 200, 400]), (count) => ({ kind: "prepare", count })),
    },
    {
      name: "threads",
      title: "Training step of stage 2 against threads, batch 32",
      axis: "threads",
      unit: "crops/s",
      jobs: at([1, 2], (threads) => ({ kind: "tune", batch: 32, threads })),
    },
  ];
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const run = (...args: string[]) =>
  execFileSync(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" });

/** Whole processes, from their start to their end; the files are in the system's cache. */
async function startup(rounds: number): Promise<Scaling["startup"]> {
  const median = (...args: string[]) => {
    const seconds = Array.from({ length: rounds }, () => {
      const start = performance.now();
      run(...args);
      return (performance.now() - start) / 1000;
    });
    return spread(seconds).median;
  };
  const cli = path("../src/cli/main.ts");
  const folder = await mkdtemp(join(tmpdir(), "androscope-bench-"));
  try {
    const [crops, model] = [join(folder, "crops"), join(folder, "run")];
    run(cli, "data", "phantoms", "--out", crops, "--n", "20");
    // Steps do not change what a prediction costs.
    const brief = ["--set", "distill.steps=2", "--set", "tune.steps=2"];
    run(cli, "train", join(crops, "manifest.csv"), "--out", model, ...brief);
    const images = await readdir(join(crops, "images"), { recursive: true });
    const image = join(crops, "images", images.find((name) => name.endsWith(".png"))!);
    const csv = join(folder, "p.csv");
    return [
      { what: "`androscope --help`", seconds: median(cli, "--help") },
      {
        what: "`androscope predict` of one crop, start and loading included",
        seconds: median(cli, "predict", "--model", join(model, "model.onnx"), image, "--out", csv),
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function measureScaling({ quick, progress }: { quick: boolean; progress: Progress }): Promise<void> {
  const before = loadavg()[0]!;
  progress.start("Start-up", 1);
  const started = await startup(quick ? 3 : 7);
  progress.finish();
  const sweeps: Sweep[] = [];
  for (const { jobs, ...plan } of plans(quick)) {
    progress.start(plan.title, jobs.length);
    const points = jobs.map(({ at, job }, i) => {
      const point = JSON.parse(run(path("scaling-worker.ts"), JSON.stringify(job)));
      progress.update(i + 1);
      return { at, ...point };
    });
    progress.finish();
    const sweep = { ...plan, points };
    await writeFileAtomic(path(`../docs/images/performance-${plan.name}.svg`), scalingPlot(sweep));
    sweeps.push(sweep);
  }
  const scaling: Scaling = {
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
    load: { before, after: loadavg()[0]! },
    startup: started,
    sweeps,
  };
  await writeJson(resultsFile("-scaling"), rounded(scaling));
}
