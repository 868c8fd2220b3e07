/** Files that appear whole or not at all: written beside their destination, flushed, then renamed over it. */
import { randomUUID } from "node:crypto";
import { access, constants, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { AndroscopeError, fileError } from "./errors.ts";

/**
 * Makes a folder and those above it. Node's own recursive mkdir never returns where the parent cannot hold a folder
 * and says so with ENOENT, as /proc does.
 * @returns the topmost folder it made, undefined where all were there
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return (await makeOne(path)) ? path : undefined;
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw fileError(error, path, "write");
    const first = await makeFolder(parent);
    // Others may make the same folders meanwhile; but ENOENT with the parent there means that it cannot hold one.
    const made = await makeOne(path).catch((again) => {
      throw fileError(again, path, "write");
    });
    return first ?? (made ? path : undefined);
  }
}

/** @returns false where the folder was there */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && (await stat(path)).isDirectory()) return false;
    throw error;
  }
}

/** Makes the folders of a file that is written after long work: what stands in its way is said before the work. */
export async function requireWritable(path: string): Promise<void> {
  await makeFolder(dirname(path));
  try {
    await access(dirname(path), constants.W_OK);
    if ((await stat(path).catch(() => undefined))?.isDirectory()) {
      throw Object.assign(new Error("a folder"), { code: "EISDIR", syscall: "open" });
    }
  } catch (error) {
    throw fileError(error, path, "write");
  }
}

/** Whole, or in pieces of text that need not be in memory at once. */
export type FileContent = string | Uint8Array | Iterable<string>;

/**
 * Writes `content` to `path`, creating its folders. A reader sees the old file or the new one, never a part. A link is
 * followed; a pipe or device, such as /dev/stdout, is written to and not replaced.
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => undefined);
  if (there === undefined || there.isFile() || there.isDirectory()) return replaceFile(target, content);
  await writeFile(target, content).catch((error) => {
    throw fileError(error, path, "write");
  });
}

async function replaceFile(path: string, content: FileContent): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomUUID().slice(0, 8)}.part`;
  try {
    await makeFolder(dirname(path));
    const handle = await open(temporary, "w");
    try {
      if (typeof content === "string" || content instanceof Uint8Array) await handle.writeFile(content);
      else for (const part of content) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw fileError(error, path, "write");
  }
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** A whole file. Unlike readFile it also takes files above 2 GiB, as those of prepared crops may be. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const handle = await open(path);
    try {
      const info = await handle.stat();
      // A folder, which it refuses, or a pipe, whose size is not known.
      if (!info.isFile()) return await handle.readFile();
      const { size } = info;
      const bytes = new Uint8Array(size);
      let at = 0;
      while (at < size) {
        const { bytesRead } = await handle.read(bytes, at, Math.min(size - at, 2 ** 30), at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return bytes.subarray(0, at);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, path);
  }
}

export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw fileError(error, path);
  }
}

export async function readJson<T = unknown>(path: string): Promise<T> {
  const text = await readText(path);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new AndroscopeError("file/unreadable", {
      expected: "a JSON document",
      found: (cause as Error).message,
      where: path,
      fix: "Restore the file or make it again.",
      cause,
    });
  }
}
