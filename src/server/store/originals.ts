/**
 * Uploaded files as they came, each under its SHA-256, never changed. A file is written in `incoming/`, flushed and then
 * moved into its place, so what is there is whole; what a killed program left in `incoming/` is removed at the next start.
 */
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { chmod, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileError, makeFolder } from "../../runs/index.ts";

export const ORIGINALS = "originals";
const INCOMING = "incoming";

/** @param sha256 in hexadecimal, as the server computed it */
export function originalPath(folder: string, sha256: string): string {
  return join(folder, ORIGINALS, sha256.slice(0, 2), sha256);
}

/** A name of the server's making for a file on its way. */
export function incomingPath(folder: string): string {
  return join(folder, INCOMING, randomUUID());
}

/** Makes the folders, and removes what was on its way when the program ended. */
export async function prepareOriginals(folder: string): Promise<void> {
  await makeFolder(join(folder, ORIGINALS));
  await makeFolder(join(folder, INCOMING));
  for (const name of await readdir(join(folder, INCOMING))) {
    await rm(join(folder, INCOMING, name), { recursive: true, force: true });
  }
}

export interface Received {
  path: string;
  sha256: string;
  bytes: number;
}

/** Writes a stream to a file of its own, flushed. Whoever called removes it or keeps it. @throws what the stream does, `file/*` */
export async function receive(folder: string, stream: Readable, signal: AbortSignal): Promise<Received> {
  const path = incomingPath(folder);
  const sum = createHash("sha256");
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, next) {
      sum.update(chunk);
      bytes += chunk.length;
      next(null, chunk);
    },
  });
  const file = createWriteStream(path, { flags: "wx", mode: 0o600, flush: true });
  try {
    await pipeline(stream, counted, file, { signal });
    return { path, sha256: sum.digest("hex"), bytes };
  } catch (error) {
    // Broken off early, it may not be open yet: removed before, it would be made after.
    if (!file.closed) await once(file, "close");
    await rm(path, { force: true });
    throw fileError(error, path, "write");
  }
}

/** Moves a received file into its place; there it stays. */
export async function keep(folder: string, { path, sha256, bytes }: Received): Promise<void> {
  const place = originalPath(folder, sha256);
  try {
    const there = await stat(place).catch(() => undefined);
    if (there?.size === bytes) {
      await rm(path, { force: true });
      return;
    }
    await makeFolder(dirname(place));
    await chmod(path, 0o400);
    await rename(path, place);
    await flushFolder(dirname(place));
    await flushFolder(dirname(dirname(place)));
  } catch (error) {
    throw fileError(error, place, "write");
  }
}

/** So that the name, too, outlives a loss of power. Windows cannot flush folders. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
