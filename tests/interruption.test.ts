/**
 * Runs that are killed, and continued: what comes out equals, byte for byte, what an undisturbed run gives. Each kill
 * takes the whole process group, when the run folder shows that the moment has come.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../src/index.ts";
import { unpackArrays } from "../src/runs/index.ts";
import { androscope, BIN, drawnCrop, failure, json, TINY, temporary, twoClasses } from "./support.ts";

const STEPS = 12;
/** The teacher replaces every mask half-way: what it changed must be in the checkpoint too. */
const LONGER = [
  ...TINY,
  `--set=distill.steps=${STEPS}`,
  `--set=tune.steps=${STEPS}`,
  "--set=distill.teacher.rounds=[0.5]",
  "--set=distill.teacher.disagreement=1",
  "--set=distill.teacher.consistency=0",
];

let root = "";
let out = "";
beforeAll(async () => {
  [root, out] = [await twoClasses(6), await temporary()];
});

/** A moment of a run: what its folder holds by then, and what it must not hold yet. */
interface Moment {
  name: string;
  come(run: string): boolean;
  past?(run: string): boolean;
}

const has = (run: string, name: string) => existsSync(join(run, name));
const happened = (run: string, kind: string, fold: string) =>
  has(run, "events.jsonl") &&
  readFileSync(join(run, "events.jsonl"), "utf8")
    .split("\n")
    .some((line) => line.includes(`"kind":"${kind}"`) && line.includes(`"fold":"${fold}"`));

/** Steps done by the checkpoint of a stage; 0 where there is none. */
function stepsDone(run: string, name: string): number {
  const path = join(run, "checkpoint", name);
  try {
    return (unpackArrays(readFileSync(path), path).meta as { step: number }).step;
  } catch {
    return 0;
  }
}

function start(args: readonly string[]): ChildProcess {
  return spawn(BIN, args, {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, ANDROSCOPE_CHECKPOINT_SECONDS: "0" },
  });
}

/** Kills the command and all that it started once the moment has come. */
async function killedAt(args: readonly string[], run: string, { name, come, past }: Moment): Promise<void> {
  const child = start(args);
  const closed = once(child, "close");
  while (child.exitCode === null && !come(run)) await wait(1);
  expect(child.exitCode, `the run ended before: ${name}`).toBeNull();
  process.kill(-child.pid!, "SIGKILL");
  await closed;
  // The processes of the group end by themselves, a little later than the one that was waited for.
  await wait(50);
  if (past) expect(past(run), `the kill came too late for: ${name}`).toBe(false);
}

/** What must be the same: all of it but times and memory. */
async function essence(run: string, files: readonly string[]): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of files) found[name] = (await readFile(join(run, name))).toString("base64");
  const metrics = await readFile(join(run, "metrics.json"), "utf8");
  const measured = ["seconds", "peakRssBytes", "model"];
  found.metrics = JSON.parse(metrics, (key, value) => (measured.includes(key) ? undefined : value));
  return found;
}

/** Nothing of the interruptions is left behind. */
async function expectTidy(run: string): Promise<void> {
  const names = await readdir(run, { recursive: true });
  expect(names.filter((name) => /\.part$|\.checkpoint$|(^|\/)lock$/.test(name))).toEqual([]);
}

describe("killed again and again", () => {
  test("a cross-validation comes out the same", async () => {
    const command = (run: string) => ["crossval", root, "--k=2", "--out", run, "--json", ...LONGER];
    const run = join(out, "crossval");
    const inStage = (fold: string, stage: "distill" | "tune", step: number): Moment => ({
      name: `fold ${fold}, ${stage}, step ${step}`,
      come: (run) => stepsDone(run, `fold-${fold}.${stage}.checkpoint`) >= step,
      past: (run) => has(run, `checkpoint/fold-${fold}.${stage === "distill" ? "distilled" : "json"}`),
    });
    const moments: Moment[] = [
      {
        name: "preparing",
        come: (run) => has(run, "splits.json"),
        past: (run) => has(run, "checkpoint/prepared.bin"),
      },
      inStage("1", "distill", 1),
      inStage("1", "distill", STEPS / 2 + 1),
      inStage("1", "tune", 2),
      { name: "between the folds", come: (run) => happened(run, "fold done", "1") },
      inStage("2", "distill", 2),
      inStage("2", "tune", 2),
    ];
    for (const [i, moment] of moments.entries()) {
      await killedAt(i === 0 ? command(run) : [...command(run), "--resume"], run, moment);
    }
    json(await androscope([...command(run), "--resume"]));
    await expectTidy(run);

    const undisturbed = join(out, "crossval-undisturbed");
    json(await androscope(command(undisturbed)));
    const files = ["models/fold-1.onnx", "models/fold-2.onnx", "predictions.csv", "splits.json", "config.json"];
    expect(await essence(run, files)).toEqual(await essence(undisturbed, files));
    // The teacher did something, or half of this would prove nothing.
    const record = JSON.parse(await readFile(join(run, "checkpoint/fold-1.json"), "utf8"));
    expect(record.masks.some(({ replaced }: { replaced: boolean }) => replaced)).toBe(true);

    // A finished run, resumed, stays as it is.
    const again = json(await androscope([...command(run), "--resume"]));
    expect(again.accuracy).toBe(JSON.parse(await readFile(join(undisturbed, "metrics.json"), "utf8")).accuracy);
    expect(await essence(run, files)).toEqual(await essence(undisturbed, files));
  });

  test("a training comes out the same", async () => {
    const command = (run: string) => ["train", root, "--out", run, "--json", ...LONGER];
    const run = join(out, "train");
    const moments: Moment[] = [
      {
        name: "preparing",
        come: (run) => has(run, "events.jsonl"),
        past: (run) => has(run, "checkpoint/prepared.bin"),
      },
      { name: "stage 1", come: (run) => stepsDone(run, "all.distill.checkpoint") >= STEPS / 2 + 1 },
      { name: "between the stages", come: (run) => has(run, "checkpoint/all.distilled") },
      {
        name: "stage 2",
        come: (run) => stepsDone(run, "all.tune.checkpoint") >= 2,
        past: (run) => has(run, "model.onnx"),
      },
    ];
    for (const [i, moment] of moments.entries()) {
      await killedAt(i === 0 ? command(run) : [...command(run), "--resume"], run, moment);
    }
    json(await androscope([...command(run), "--resume"]));
    await expectTidy(run);
    const undisturbed = join(out, "train-undisturbed");
    json(await androscope(command(undisturbed)));
    expect(await essence(run, ["model.onnx"])).toEqual(await essence(undisturbed, ["model.onnx"]));
  });
});

test("Ctrl-C, and the end of the starting process alone, leave a run that can be continued", async () => {
  const run = join(out, "stopped");
  const command = ["train", root, "--out", run, "--json", ...LONGER];
  const training = () => stepsDone(run, "all.distill.checkpoint") > 0;
  for (const stop of [
    // As a terminal does: to the whole group.
    (child: ChildProcess) => process.kill(-child.pid!, "SIGINT"),
    // bin/androscope alone: what it started must not go on by itself.
    (child: ChildProcess) => process.kill(child.pid!, "SIGKILL"),
  ]) {
    const child = start([...command, "--resume"]);
    const closed = once(child, "close");
    while (child.exitCode === null && !training()) await wait(1);
    stop(child);
    const [status, signal] = await closed;
    expect(status !== 0 || signal).toBeTruthy();
  }
  // The lock of the one that was started may still be held for the moment that it takes to notice.
  for (let attempt = 0; attempt < 50 && has(run, "lock") && isAlive(run); attempt++) await wait(100);
  json(await androscope([...command, "--resume"]));
  await expectTidy(run);
});

function isAlive(run: string): boolean {
  try {
    process.kill(Number(readFileSync(join(run, "lock"), "utf8").split(" ")[0]), 0);
    return true;
  } catch {
    return false;
  }
}

describe("a run that is under way or was started otherwise", () => {
  test("is refused, in words that say what differs, and goes on where it was", async () => {
    const changing = await twoClasses(4);
    const run = join(out, "other");
    const base = (...more: string[]) => ["crossval", changing, "--out", run, "--json", "--k=2", ...LONGER, ...more];
    const child = start(base("--set=tune.steps=100000"));
    const closed = once(child, "close");
    while (child.exitCode === null && !happened(run, "fold started", "1")) await wait(1);

    // Two processes at once.
    for (const more of [[], ["--resume"]]) {
      const refusal = failure(await androscope(base("--set=tune.steps=100000", ...more)), "run/busy");
      expect(refusal).toMatchObject({ where: run, found: expect.stringMatching(/^process \d+ /) });
    }
    expect(child.exitCode).toBeNull();
    process.kill(-child.pid!, "SIGKILL");
    await closed;
    await wait(50);

    const resumed = (...more: string[]) => androscope(base("--set=tune.steps=100000", "--resume", ...more));
    failure(await androscope(base("--set=tune.steps=100000")), "run/exists");
    for (const [option, found] of [
      ["--seed=2", "seed 2 instead of 1"],
      ["--set=tune.steps=3", "config.tune.steps 3 instead of 100000"],
      ["--k=3", "split.k 3 instead of 2"],
      ["--threads=2", "threads 2 instead of 1"],
    ] as const) {
      expect(failure(await resumed(option), "run/different").found).toBe(found);
    }

    // Changed data: a picture, a label, one more picture.
    const before = await readFile(join(changing, "Round/0.png"));
    await writeFile(join(changing, "Round/0.png"), await encodePng(drawnCrop(1.1, 99)));
    expect(failure(await resumed(), "run/different").found).toContain("dataset.hash");
    await writeFile(join(changing, "Round/0.png"), before);
    await rename(join(changing, "Round/1.png"), join(changing, "Tapered/9.png"));
    expect(failure(await resumed(), "run/different").found).toContain("dataset.hash");
    await rename(join(changing, "Tapered/9.png"), join(changing, "Round/1.png"));
    await writeFile(join(changing, "Round/9.png"), await encodePng(drawnCrop(1.1, 9)));
    expect(failure(await resumed(), "run/different").found).toContain("dataset.hash");
    expect(has(run, "lock")).toBe(false);
  });
});
