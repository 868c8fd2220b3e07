/**
 * Runs that are killed, and continued: what comes out equals, byte for byte, what an undisturbed run gives. Each kill
 * takes the whole process group, at the moment that a certain file appears in the run folder.
 */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../src/index.ts";
import { essence, expectTidy, start, stopped } from "./killing.ts";
import { androscope, drawnCrop, failure, json, TINY, temporary, twoClasses, WAVELETS } from "./support.ts";

/** Several calls of ONNX Runtime, of eight steps at most, and a checkpoint after each. */
const STEPS = 40;
/** The teacher replaces every mask half-way: what it changed must be in the checkpoint too. */
const LONGER = [
  ...TINY,
  WAVELETS,
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

const has = (run: string, name: string) => existsSync(join(run, name));

/** Interrupts a run at one moment after the other, each time continued, and lets it end. */
async function interrupted(command: readonly string[], run: string, moments: readonly string[]): Promise<void> {
  for (const [i, moment] of moments.entries()) {
    await stopped(i === 0 ? command : [...command, "--resume"], `${moment} SIGKILL group`);
  }
  json(await androscope([...command, "--resume"]));
  await expectTidy(run);
}

describe("killed again and again", () => {
  test("a cross-validation comes out the same", async () => {
    const command = (run: string) => ["crossval", root, "--k=2", "--workers=1", "--out", run, "--json", ...LONGER];
    const run = join(out, "crossval");
    await interrupted(command(run), run, [
      "before prepared.bin 1",
      "after fold-1.distill.checkpoint 1",
      "before fold-1.distill.checkpoint 2",
      // Past the teacher's round.
      "after fold-1.distill.checkpoint 2",
      "after fold-1.distilled 1",
      "after fold-1.tune.checkpoint 2",
      "after fold-1.onnx 1",
      "event done 1",
      "after fold-2.distill.checkpoint 3",
      "after fold-2.tune.checkpoint 3",
      "after predictions.csv 1",
    ]);
    const undisturbed = join(out, "crossval-undisturbed");
    json(await androscope(command(undisturbed)));
    const files = [
      "models/fold-1.onnx",
      "models/fold-2.onnx",
      "predictions.csv",
      "splits.json",
      "config.json",
      "metrics.json",
    ];
    expect(await essence(run, files)).toEqual(await essence(undisturbed, files));
    // The teacher did something, or half of this would prove nothing.
    const record = JSON.parse(await readFile(join(run, "checkpoint/fold-1.json"), "utf8"));
    expect(record.masks.some(({ replaced }: { replaced: boolean }) => replaced)).toBe(true);

    // A finished run, resumed, stays as it is.
    json(await androscope([...command(run), "--resume"]));
    expect(await essence(run, files)).toEqual(await essence(undisturbed, files));
  });

  test("a training comes out the same", async () => {
    const command = (run: string) => ["train", root, "--out", run, "--json", ...LONGER];
    const run = join(out, "train");
    await interrupted(command(run), run, [
      "before prepared.bin 1",
      // Past the teacher's round.
      "after all.distill.checkpoint 4",
      "after all.distilled 1",
      "after all.tune.checkpoint 2",
      "before model.onnx 1",
    ]);
    const undisturbed = join(out, "train-undisturbed");
    json(await androscope(command(undisturbed)));
    expect(await essence(run, ["model.onnx", "metrics.json"])).toEqual(
      await essence(undisturbed, ["model.onnx", "metrics.json"]),
    );
  });
});

test("Ctrl-C, and the end of the starting process alone, leave a run that can be continued", async () => {
  const run = join(out, "stopped");
  const command = ["train", root, "--out", run, "--json", ...LONGER];
  // As a terminal does: to the whole group.
  await stopped(command, "after all.distill.checkpoint 1 SIGINT group");
  // bin/androscope alone: what it started must not go on by itself.
  await stopped([...command, "--resume"], "after all.distill.checkpoint 2 SIGKILL parent");
  for (let attempt = 0; attempt < 600 && lockIsHeld(run); attempt++) await wait(100);
  expect(has(run, "model.onnx")).toBe(false);
  await interrupted(command, run, []);
});

function lockIsHeld(run: string): boolean {
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
    const base = (...more: string[]) => [
      "crossval",
      changing,
      "--out",
      run,
      "--json",
      "--k=2",
      "--workers=1",
      ...LONGER,
      ...more,
    ];
    const child = start(base("--set=tune.steps=100000"));
    const closed = once(child, "close");
    while (child.exitCode === null && !has(run, "checkpoint/prepared.bin")) await wait(20);

    // Two processes at once.
    for (const more of [[], ["--resume"]]) {
      const refusal = failure(await androscope(base("--set=tune.steps=100000", ...more)), "run/busy");
      expect(refusal).toMatchObject({ where: run, found: expect.stringMatching(/^process \d+ /) });
    }
    expect(child.exitCode).toBeNull();
    process.kill(-child.pid!, "SIGKILL");
    await closed;
    while (lockIsHeld(run)) await wait(20);

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
