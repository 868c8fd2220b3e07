/** Folds in several processes: the same result for any number of them, whatever happens to one, and none left behind. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { crossValidate, openDataset, resolveConfig } from "../src/index.ts";
import { canSeeProcesses, endingAt, essence, expectTidy, start, stopped, waitForProcesses } from "./killing.ts";
import { androscope, failure, json, TINY, TINY_CONFIG, temporary, twoClasses } from "./support.ts";

/** Enough steps for two checkpoints of either stage. The teacher replaces masks half-way. */
const SETTINGS = [...TINY, "--set=distill.steps=20", "--set=tune.steps=20", "--set=distill.teacher.rounds=[0.5]"];
const FOLDS = ["1", "2", "3"];
const FILES = [
  ...FOLDS.flatMap((fold) => [
    `models/fold-${fold}.onnx`,
    `checkpoint/fold-${fold}.masks`,
    `checkpoint/fold-${fold}.json`,
  ]),
  "predictions.csv",
  "splits.json",
  "config.json",
  "metrics.json",
];

let root = "";
let out = "";
let expected: Record<string, unknown> = {};
const command = (run: string, ...more: string[]) => [
  ...["crossval", root, "--k=3", "--out", join(out, run), "--json", ...SETTINGS],
  ...more,
];
const events = async (run: string) => readFile(join(out, run, "events.jsonl"), "utf8");

/** The run came to its end, and to the same. */
async function expectTheSame(run: string): Promise<void> {
  await expectTidy(join(out, run));
  expect(await essence(join(out, run), FILES)).toEqual(expected);
}

beforeAll(async () => {
  [root, out] = [await twoClasses(6), await temporary()];
  const { workers } = json(await androscope(command("one", "--workers=1")));
  expect(workers).toBe(1);
  expected = await essence(join(out, "one"), FILES);
});

describe("the result is the same, byte for byte,", () => {
  test("of two workers, and of more than there are folds", async () => {
    const { status, stdout, stderr } = await androscope(command("two", "--workers=2"));
    const result = json({ status, stdout, stderr });
    expect(result.workers).toBeGreaterThan(0);
    expect(result.totalPeakRssBytes).toBeGreaterThan(result.peakRssBytes);
    // One document on stdout, whatever the workers have to say; progress of all as one on stderr.
    for (const fold of FOLDS) expect(stderr).toMatch(new RegExp(`^fold ${fold}: \\d of 4 right`, "m"));
    expect(stderr).toMatch(/^6 tasks, 2 at a time done in /m);
    await expectTheSame("two");
    json(await androscope(command("many", "--workers=9")));
    await expectTheSame("many");
  });

  test("where a worker is killed once: its task goes on in another one", async () => {
    const env = endingAt("after fold-1.distilled 1 SIGKILL self");
    const { status, stdout, stderr } = await androscope(command("once", "--workers=2"), { env });
    json({ status, stdout, stderr });
    expect(stderr).toContain("fold 1, stage 1: its process ended by SIGKILL; begun again");
    expect(await events("once")).toContain('"fold restarted","fold":"1"');
    await expectTheSame("once");
  });

  test("where one is killed again and again: the run says so, ends, and can be continued", async () => {
    // Before its first checkpoint, and the same after it was begun again.
    const env = endingAt("before fold-2.tune.checkpoint 1 SIGKILL self");
    const crashed = failure(await androscope(command("again", "--workers=2"), { env }), "job/crashed");
    expect(crashed).toMatchObject({ where: "fold 2, stage 2", found: expect.stringContaining("SIGKILL, 2 times") });
    expect(crashed.fix).toContain("--resume");
    expect(existsSync(join(out, "again/lock"))).toBe(false);
    json(await androscope(command("again", "--workers=2", "--resume")));
    await expectTheSame("again");
  });

  test("where everything is killed, again and again, and the number of workers changes", async () => {
    // All of one fold: how far the others are meanwhile is chance.
    const moments = [
      "before prepared.bin 1",
      "after fold-3.distill.checkpoint 1",
      "after fold-3.distilled 1",
      "after fold-3.tune.checkpoint 2",
      "event done 1",
    ];
    for (const [i, moment] of moments.entries()) {
      await stopped(command("killed", "--workers=2", ...(i === 0 ? [] : ["--resume"])), `${moment} SIGKILL group`);
    }
    json(await androscope(command("killed", "--workers=1", "--resume")));
    await expectTheSame("killed");
  });
});

test("an error in a worker comes out with its code, and the others end", async () => {
  const resumed = command("damaged", "--workers=2", "--resume");
  await stopped(command("damaged", "--workers=2"), "after fold-1.distilled 1 SIGKILL group");
  const file = join(out, "damaged/checkpoint/fold-1.distilled");
  await truncate(file, 100);
  const mark = randomUUID();
  const env = { ...process.env, MARK: mark };
  expect(failure(await androscope(resumed, { env }), "file/unreadable").where).toBe(file);
  if (canSeeProcesses) await waitForProcesses(mark, 0);
  expect(existsSync(join(out, "damaged/lock"))).toBe(false);
});

describe.runIf(canSeeProcesses)("no worker outlives (skipped where /proc shows no processes)", () => {
  test.each([
    ["Ctrl-C", "SIGINT group"],
    ["a closed terminal", "SIGHUP group"],
    ["the process that started it", "SIGKILL parent"],
  ])("%s", async (_, stop) => {
    const mark = randomUUID();
    const run = `stopped ${stop}`;
    const long = command(run, "--workers=2", "--set=distill.steps=100000");
    await stopped(long, `after fold-2.distill.checkpoint 2 ${stop}`, { MARK: mark });
    await waitForProcesses(mark, 0);
    // And the next one finds the folder free.
    const next = start([...long, "--resume"], "", { MARK: mark });
    // bin/androscope, the command, two workers.
    await waitForProcesses(mark, 4);
    expect(next.exitCode).toBeNull();
    // The command's own starter: it ends the command, and that the workers.
    next.kill("SIGKILL");
    await waitForProcesses(mark, 0);
  });
});

test("two runs at once are held apart while only workers are at work", async () => {
  const long = command("busy", "--workers=2", "--set=distill.steps=100000");
  const first = start(long);
  while (first.exitCode === null && !existsSync(join(out, "busy/checkpoint/fold-2.distill.checkpoint"))) await wait(20);
  for (const more of [[], ["--resume"]]) failure(await androscope([...long, ...more]), "run/busy");
  expect(first.exitCode).toBeNull();
  process.kill(-first.pid!, "SIGKILL");
});

test("a number of workers is a whole number from 1, or auto", async () => {
  for (const workers of ["0", "-1", "1.5", "many", ""]) {
    expect(failure(await androscope(command("none", `--workers=${workers}`)), "usage/bad-value").where).toBe(
      "--workers",
    );
  }
  expect(existsSync(join(out, "none"))).toBe(false);
});

test("crossValidate from a program, in two workers", async () => {
  const options = {
    dataset: await openDataset(root),
    config: resolveConfig({ ...TINY_CONFIG, tune: { ...TINY_CONFIG.tune, wavelets: {} } }),
    split: { kind: "drawn", k: 2 },
  } as const;
  const results = [];
  for (const workers of [1, 2]) {
    const run = join(out, `program ${workers}`);
    await crossValidate({ ...options, out: run, threads: 1, workers });
    results.push(await essence(run, ["predictions.csv", "metrics.json", "models/fold-1.onnx", "models/fold-2.onnx"]));
  }
  expect(results[0]).toEqual(results[1]);
});
