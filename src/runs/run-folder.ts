/** A run's folder: one run, one writer, resumable. */
import { existsSync } from "node:fs";
import { appendFile, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AndroscopeError, fileError } from "./errors.ts";
import { readJson, writeJson } from "./files.ts";

export interface RunFolder {
  readonly path: string;
  file(name: string): string;
  /** Appends a line to events.jsonl. */
  event(kind: string, detail?: Record<string, unknown>): Promise<void>;
  /** Gives the folder free for another process. */
  close(): Promise<void>;
}

/** Whether a process is running. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function lock(path: string): Promise<() => Promise<void>> {
  const file = join(path, "lock");
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError(error, file);
      const owner = Number(await readFile(file, "utf8").catch(() => "0"));
      if (attempt > 0 || (owner > 0 && owner !== process.pid && alive(owner))) {
        throw new AndroscopeError("run/busy", {
          expected: "a run folder that nobody writes to",
          found: `process ${owner} at work in it`,
          where: path,
          fix: "Wait for it to end, or use another folder.",
        });
      }
      // The owner was killed: its lock is void.
      await rm(file, { force: true });
    }
  }
}

/**
 * Opens a run folder for a run described by `identity`, which decides whether a resumed run is the same one.
 * @throws `run/exists`, `run/different`, `run/busy`, `file/*`
 */
export async function openRun(path: string, identity: unknown, { resume = false } = {}): Promise<RunFolder> {
  const config = join(path, "config.json");
  if (existsSync(config)) {
    if (!resume) {
      throw new AndroscopeError("run/exists", {
        expected: "a folder without a run",
        found: "a run",
        where: path,
        fix: "Choose another --out, or continue it with --resume.",
      });
    }
    const before = await readJson(config);
    if (JSON.stringify(before) !== JSON.stringify(JSON.parse(JSON.stringify(identity)))) {
      throw new AndroscopeError("run/different", {
        expected: "the configuration, data, seed and version that the run was started with",
        found: differing(before, JSON.parse(JSON.stringify(identity))),
        where: path,
        fix: "Start it as before, or choose another --out.",
      });
    }
  }
  await mkdir(path, { recursive: true }).catch((error) => {
    throw fileError(error, path);
  });
  const unlock = await lock(path);
  try {
    if (!existsSync(config)) await writeJson(config, identity);
  } catch (error) {
    await unlock();
    throw error;
  }
  return {
    path,
    file: (name) => join(path, name),
    event: async (kind, detail = {}) => {
      const line = `${JSON.stringify({ time: new Date().toISOString(), kind, ...detail })}\n`;
      await appendFile(join(path, "events.jsonl"), line).catch((error) => {
        throw fileError(error, path);
      });
    },
    close: unlock,
  };
}

/** The keys in which two documents differ, for people. */
function differing(a: unknown, b: unknown, path = ""): string {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return `another ${path || "value"}`;
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const record = (x: object, key: string) => (x as Record<string, unknown>)[key];
  return keys
    .filter((key) => JSON.stringify(record(a, key)) !== JSON.stringify(record(b, key)))
    .map((key) => differing(record(a, key), record(b, key), path ? `${path}.${key}` : key))
    .join(", ");
}
