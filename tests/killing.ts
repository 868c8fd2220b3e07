/** What tests of runs that are killed share: a command that ends at an exact moment, and what must come out the same. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { BIN } from "./support.ts";

/** The environment of a command that is ended at a moment, and keeps a checkpoint of every step. @param stopAt see stop-at.ts */
export function endingAt(stopAt: string): NodeJS.ProcessEnv {
  const hook = new URL("stop-at.ts", import.meta.url);
  return {
    ...process.env,
    ANDROSCOPE_CHECKPOINT_SECONDS: "0",
    STOP_AT: stopAt,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import=${hook}`,
  };
}

/** Starts a command in a process group of its own. */
export function start(args: readonly string[], stopAt = "", env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(BIN, args, { detached: true, stdio: "ignore", env: { ...endingAt(stopAt), ...env } });
}

/** Runs a command that ends before its end. @param stopAt see stop-at.ts */
export async function stopped(args: readonly string[], stopAt: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = start(args, stopAt, env);
  const [status, signal] = await once(child, "close");
  await groupGone(child.pid!);
  expect(status === 0 && signal === null, `the run came to its end without: ${stopAt}`).toBe(false);
}

/**
 * Waits until no process of a group is left: on a busy machine one that was killed beside its parent may take a moment
 * longer to go, and until then it holds the lock of its run.
 */
async function groupGone(leader: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      process.kill(-leader, 0);
    } catch {
      return;
    }
    await wait(100);
  }
}

/** Nothing of what a run needs on its way is left in its folder. */
export async function expectTidy(run: string): Promise<void> {
  const names = await readdir(run, { recursive: true });
  expect(names.filter((name) => /\.part$|\.checkpoint$|(^|\/)lock$/.test(name))).toEqual([]);
}

const MEASURED = ["seconds", "workSeconds", "workers", "peakRssBytes", "totalPeakRssBytes", "spells", "model"];

/** What must be the same: all of it but times, memory and what follows from them. */
export async function essence(run: string, files: readonly string[]): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of files) {
    const bytes = await readFile(join(run, name));
    found[name] = name.endsWith(".json")
      ? JSON.parse(bytes.toString(), (key, value) => (MEASURED.includes(key) ? undefined : value))
      : bytes.toString("base64");
  }
  return found;
}

/** The processes that were started with a certain text in their environment, by themselves or through others. Linux. */
async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
    if (environment.includes(text)) found.push(Number(name));
  }
  return found;
}

export const canSeeProcesses = existsSync("/proc/self/environ");

/** Waits until no process, or at least so many, have a text in their environment. */
export async function waitForProcesses(text: string, least: number): Promise<void> {
  const enough = (count: number) => (least === 0 ? count === 0 : count >= least);
  let found = await processesWith(text);
  for (let attempt = 0; attempt < 1200 && !enough(found.length); attempt++) {
    await wait(100);
    found = await processesWith(text);
  }
  expect(found.length, `processes ${found.join(", ")}`)[least === 0 ? "toBe" : "toBeGreaterThanOrEqual"](least);
}
