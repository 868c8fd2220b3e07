/**
 * A whole training step (forward, backward, AdamW) of the genuine ResNet-18 at 64 × 64, batch 32, against PyTorch on
 * the same threads. The two take turns in one run, so that whatever else the machine does meets both; what is quoted
 * is the median of the ratios of neighbouring turns, with their range. Processor time is compared beside it: where
 * other programs take part of the machine, it is the steadier figure.
 *
 *     node scripts/with-node.mjs bench/train-step.ts [--threads 2] [--rounds 9] [--steps 4] [--json FILE] [--profile PREFIX]
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { input, Scope, softTargetCrossEntropy, TrainingSession, trainingStep } from "../src/autodiff/index.ts";
import { resnet18 } from "../src/autodiff/testing/networks.ts";
import { Random } from "../src/runs/random.ts";
import { Peer, pythonWithTorch } from "./peer.ts";

const BATCH = 32;
const SIZE = 64;
const CLASSES = 10;
const WIDTHS = [64, 128, 256, 512];

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "9" },
    steps: { type: "string", default: "4" },
    json: { type: "string" },
    profile: { type: "string" },
    "no-peer": { type: "boolean", default: false },
  },
});
const threads = Number(options.threads);
const rounds = Number(options.rounds);
const steps = Number(options.steps);

/** Seconds of a number of steps, and the processor time of all threads in them. */
interface Timing {
  seconds: number;
  cpu: number;
}
type Timer = (count: number) => Promise<Timing>;

async function ours(): Promise<{ session: TrainingSession; time: Timer }> {
  const scope = new Scope();
  const logits = resnet18(scope, input("x", [BATCH, SIZE, SIZE, 3]), WIDTHS, CLASSES);
  const loss = softTargetCrossEntropy(logits, input("targets", [BATCH, CLASSES]));
  const step = trainingStep({ scope, loss, optimizer: { weightDecay: 0.05 } });
  const session = await TrainingSession.create(step, { threads, profile: options.profile });
  session.initialize(Random.seeded(1));
  const random = Random.seeded(2);
  const x = Float32Array.from({ length: BATCH * SIZE * SIZE * 3 }, () => random.uniform());
  const targets = new Float32Array(BATCH * CLASSES);
  for (let n = 0; n < BATCH; n++) targets[n * CLASSES + (n % CLASSES)] = 1;
  const time = async (count: number) => {
    const start = performance.now();
    const cpu = process.cpuUsage();
    for (let k = 0; k < count; k++) await session.run({ x, targets }, { learningRate: 1e-3 });
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
  };
  return { session, time };
}

async function startPeer(): Promise<{ peer: Peer; name: string; time: Timer } | undefined> {
  if (options["no-peer"]) return undefined;
  const python = pythonWithTorch();
  if (!python) {
    console.error("PyTorch is not installed, so only our side is measured. To compare: apt-get install python3-torch");
    return undefined;
  }
  const script = fileURLToPath(new URL("./peers/pytorch_train_step.py", import.meta.url));
  const { peer, hello } = await Peer.start(python, [script, "--threads", String(threads)]);
  const time = async (count: number) => (await peer.ask({ steps: count })) as unknown as Timing;
  return { peer, name: hello.name as string, time };
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median, low: sorted[0]!, high: sorted.at(-1)! };
}

const show = ({ median, low, high }: ReturnType<typeof spread>, digits: number) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;

const loadBefore = loadavg()[0]!;
const { session, time } = await ours();
const theirs = await startPeer();
await time(2);
await theirs?.time(2);
const timings = { ours: [] as Timing[], theirs: [] as Timing[] };
const measureOurs = async () => timings.ours.push(await time(steps));
const measureTheirs = async () => {
  if (theirs) timings.theirs.push(await theirs.time(steps));
};
for (let round = 0; round < rounds; round++) {
  // Whoever goes first changes every round: a drift of the machine favours neither.
  for (const measure of round % 2 ? [measureTheirs, measureOurs] : [measureOurs, measureTheirs]) await measure();
}
if (options.profile) session.endProfile();
session.dispose();
await theirs?.peer.stop();

const speed = ({ seconds }: Timing) => (BATCH * steps) / seconds;
const own = spread(timings.ours.map(speed));
const other = theirs && spread(timings.theirs.map(speed));
const ratioBy = (key: keyof Timing) =>
  theirs && spread(timings.ours.map((timing, k) => timings.theirs[k]![key] / timing[key]));
const ratio = ratioBy("seconds");
const cpuRatio = ratioBy("cpu");
const load = { before: loadBefore, after: loadavg()[0]! };
console.log(`train-step/resnet18-64-b32, ${threads} threads, ${rounds} rounds of ${steps} steps, images/s:`);
console.log(`  Androscope  ${show(own, 1)}`);
if (theirs && other && ratio && cpuRatio) {
  console.log(`  ${theirs.name}  ${show(other, 1)}`);
  console.log(`  ratio  ${show(ratio, 2)}; of images per second of processor time  ${show(cpuRatio, 2)}`);
}
console.log(`  load of the machine: ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after`);
if (options.json) {
  const result = {
    name: "train-step/resnet18-64-b32",
    peer: theirs?.name ?? null,
    ours: own.median,
    theirs: other?.median ?? null,
    ratio: ratio?.median ?? null,
    unit: "images/s",
    spread: { ours: own, theirs: other ?? null, ratio: ratio ?? null, cpuRatio: cpuRatio ?? null },
    threads,
    rounds,
    load,
  };
  writeFileSync(options.json, `${JSON.stringify([result], null, 2)}\n`);
}
