/**
 * One point of bench/scaling.ts, in a process of its own so that its peak memory is its own. Takes a job as JSON, prints
 * {rate, peakRss} as JSON.
 */
import { phantomDataset, phantomOf } from "../src/datasets/index.ts";
import { prepare } from "../src/learning/prepare.ts";
import { silent } from "../src/runs/index.ts";
import { predictor, trainer } from "./cases/resnet18.ts";
import { learner, workload } from "./learning.ts";

export type Job =
  | { kind: "train" | "predict"; batch: number; size: number; threads: number }
  | { kind: "tune"; batch: number; threads: number }
  | { kind: "prepare"; count: number };

/** Turns of about this long. */
const SECONDS = 1.5;

async function rateOf(job: Job): Promise<number> {
  if (job.kind === "prepare") {
    // Drawing phantoms is not what is measured: they are drawn before.
    const images = Array.from({ length: job.count }, (_, i) => phantomOf({ count: job.count, seed: 1 }, i).image);
    const dataset = phantomDataset({ count: job.count, seed: 1 });
    const samples = dataset.samples.map((sample, i) => ({ ...sample, load: async () => images[i]! }));
    const start = performance.now();
    await prepare({ ...dataset, samples }, silent);
    return job.count / ((performance.now() - start) / 1000);
  }
  const contestant =
    job.kind === "tune"
      ? await learner(await workload("tune", job.batch), job.threads)
      : await (job.kind === "train" ? trainer : predictor)(job, job.threads);
  const { seconds } = await contestant.turn(2);
  const amount = Math.max(2, Math.ceil((SECONDS / seconds) * 2));
  const turns = [];
  for (let k = 0; k < 3; k++) turns.push((await contestant.turn(amount)).seconds);
  await contestant.stop();
  // The best of three: others use the machine, too.
  return (amount * job.batch) / Math.min(...turns);
}

const rate = await rateOf(JSON.parse(process.argv[2]!));
// Kibibytes on every system that Node runs on.
process.stdout.write(JSON.stringify({ rate, peakRss: process.resourceUsage().maxRSS * 1024 }));
