/** A run's folder: one run, one writer, resumable. */
import { existsSync } from "node:fs";
import { appendFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AndroscopeError, fileError } from "./errors.ts";
import { makeFolder, readJson, writeJson } from "./files.ts";
import { lockFolder } from "./lock.ts";

export interface RunFolder {
  readonly path: string;
  file(name: string): string;
  /** Appends a line to events.jsonl. */
  event(kind: string, detail?: Record<string, unknown>): Promise<void>;
  /** Nothing came of the run: the folder may be used for another one, such as the same with better data. */
  abandon(): Promise<void>;
  /** Gives the folder free for another process. */
  close(): Promise<void>;
}

/**
 * Opens a run folder for a run described by `identity`, which decides whether a resumed run is the same one.
 * @throws `run/exists`, `run/different`, `run/busy`, `file/*`
 */
export async function openRun(path: string, identity: unknown, { resume = false } = {}): Promise<RunFolder> {
  await makeFolder(path);
  // Looked at only under the lock: another process may have begun a run here a moment ago.
  const close = await lockFolder(path);
  try {
    await requireSame(path, identity, resume);
    if (resume) await removeParts(path);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    path,
    file: (name) => join(path, name),
    event: async (kind, detail = {}) => {
      const line = `${JSON.stringify({ time: new Date().toISOString(), kind, ...detail })}\n`;
      await appendFile(join(path, "events.jsonl"), line).catch((error) => {
        throw fileError(error, path, "write");
      });
    },
    abandon: async () => {
      for (const name of ["config.json", "environment.json", "splits.json", "events.jsonl"])
        await rm(join(path, name), { force: true });
    },
    close,
  };
}

/** Writes down what the run is, or compares with what is written. */
async function requireSame(path: string, identity: unknown, resume: boolean): Promise<void> {
  const config = join(path, "config.json");
  if (!existsSync(config)) return writeJson(config, identity);
  if (!resume) {
    throw new AndroscopeError("run/exists", {
      expected: "a folder without a run",
      found: "a run",
      where: path,
      fix: "Choose another --out, or continue it with --resume.",
    });
  }
  const before = await readJson(config);
  const now = JSON.parse(JSON.stringify(identity));
  if (JSON.stringify(before) !== JSON.stringify(now)) {
    throw new AndroscopeError("run/different", {
      expected: "the configuration, data, seed and version that the run was started with",
      found: differing(before, now),
      where: path,
      fix: "Start it as before, or choose another --out.",
    });
  }
}

/** Removes what a killed process had begun to write. */
async function removeParts(path: string): Promise<void> {
  for (const name of await readdir(path, { recursive: true })) {
    if (/\.\d+-[0-9a-f]{8}\.part$/.test(name)) await rm(join(path, name), { force: true });
  }
}

/** The keys in which two documents differ, for people. */
function differing(a: unknown, b: unknown, path = ""): string {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 80) ?? "nothing";
    return `${path || "value"} ${shown(b)} instead of ${shown(a)}`;
  }
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const record = (x: object, key: string) => (x as Record<string, unknown>)[key];
  return keys
    .filter((key) => JSON.stringify(record(a, key)) !== JSON.stringify(record(b, key)))
    .map((key) => differing(record(a, key), record(b, key), path ? `${path}.${key}` : key))
    .join(", ");
}
