/**
 * Importing a published set from a folder, a zip or a URL. Files are recognised by their SHA-256 sums, so any layout
 * of the source will do; the result has the published one. The destination appears whole or not at all.
 */
import { createHash, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AndroscopeError, fileError, makeFolder, type Progress, silent } from "../runs/index.ts";
import { readArchive } from "./archive.ts";
import { type DownloadOptions, download } from "./download.ts";
import { isImageName, listImages, requireEmptyFolder } from "./files.ts";
import { PUBLIC_SETS, publicSums, type Sums } from "./publicSets.ts";

export interface ImportResult {
  readonly set: string;
  readonly root: string;
  /** Files written; always all of the published ones. */
  readonly files: number;
  /** Images of the source that the set does not hold; they were left out. */
  readonly extra: readonly string[];
}

interface SourceFile {
  name: string;
  content: Uint8Array;
}

/**
 * @param from a folder, a zip file or an http(s) URL of a zip
 * @param to a folder that does not exist yet, or is empty
 * @throws `data/import` naming missing and changed files, `data/unsafe-archive`, `data/download`, `file/*`
 */
export async function importPublicSet(
  set: string,
  from: string,
  to: string,
  options: DownloadOptions & { progress?: Progress } = {},
): Promise<ImportResult> {
  const sums = await publicSums(set);
  if (!sums)
    throw new AndroscopeError("usage/bad-value", {
      expected: "hushem or mhsma",
      found: set,
      fix: "See docs/data.md for other sets.",
    });
  return importFiles(set, sums, from, to, options);
}

/** Imports the files that `sums` lists: what {@link importPublicSet} does, for any list. */
export async function importFiles(
  set: string,
  sums: Sums,
  from: string,
  to: string,
  options: DownloadOptions & { progress?: Progress } = {},
): Promise<ImportResult> {
  const root = resolve(to);
  await requireEmptyFolder(root);
  const staging = `${root}.${process.pid}-${randomUUID().slice(0, 8)}.part`;
  const removeNow = () => rmSync(staging, { recursive: true, force: true });
  const interrupted = (signal: NodeJS.Signals) => {
    removeNow();
    process.kill(process.pid, signal);
  };
  let parents: string | undefined;
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted).once("exit", removeNow);
  try {
    parents = await makeFolder(dirname(root));
    await makeFolder(join(staging, "files"));
    const extra = await collect(
      set,
      sums,
      sourceFiles(from, join(staging, "download.zip"), sums, options),
      join(staging, "files"),
      from,
      options.progress,
    );
    await rename(join(staging, "files"), root);
    return { set, root, files: Object.keys(sums.files).length, extra };
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    await removeEmptyFolders(dirname(root), parents);
    throw fileError(error, root, "write");
  } finally {
    await rm(staging, { recursive: true, force: true });
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted).off("exit", removeNow);
  }
}

/** Removes `last` and the folders above it up to `first`, which were made for the import, as far as they are empty. */
async function removeEmptyFolders(last: string, first: string | undefined): Promise<void> {
  if (first === undefined) return;
  for (let path = last; path.startsWith(first); path = dirname(path)) await rmdir(path).catch(() => {});
}

/** Writes every published file found in the source; returns the images that are none. */
async function collect(
  set: string,
  sums: Sums,
  source: AsyncIterable<SourceFile>,
  folder: string,
  from: string,
  progress: Progress = silent,
) {
  const published = Object.entries(sums.files);
  const byHash = new Map(published.map(([path, { sha256 }]) => [sha256, path]));
  const found = new Set<string>();
  const others: string[] = [];
  progress.start(`Checking ${set}`, published.length);
  for await (const { name, content } of source) {
    const path = byHash.get(createHash("sha256").update(content).digest("hex"));
    if (path === undefined) others.push(name);
    else if (!found.has(path)) {
      await makeFolder(dirname(join(folder, path)));
      await writeFile(join(folder, path), content, { flag: "wx" });
      found.add(path);
      progress.update(found.size);
    }
  }
  progress.finish();
  const absent = published.map(([path]) => path).filter((path) => !found.has(path));
  // A file of the right name with other content was changed; only its folder and name can tell.
  const changed = absent.filter((path) => others.some((name) => name === path || name.endsWith(`/${path}`)));
  const missing = absent.filter((path) => !changed.includes(path));
  if (absent.length > 0) {
    throw new AndroscopeError("data/import", {
      expected: `the ${published.length} published files of ${set}`,
      found: [describe("missing", missing), describe("changed", changed)].filter(Boolean).join("; "),
      where: from,
      fix: `Get it again from ${PUBLIC_SETS[set]!.page}. Nothing was written.`,
    });
  }
  return others;
}

function describe(what: string, paths: readonly string[]): string {
  if (paths.length === 0) return "";
  return `${paths.length} ${what} (${paths.slice(0, 5).join(", ")}${paths.length > 5 ? ", …" : ""})`;
}

/** The files of a source that could belong to the set: its kinds of file, not far larger than the largest. */
async function* sourceFiles(
  from: string,
  downloaded: string,
  sums: Sums,
  options: DownloadOptions,
): AsyncGenerator<SourceFile> {
  const most = 2 * Math.max(...Object.values(sums.files).map(({ bytes }) => bytes));
  const arrays = Object.keys(sums.files).some((path) => path.endsWith(".npy"));
  const belongs = (name: string) =>
    !name.includes("__MACOSX/") && (arrays ? name.endsWith(".npy") : isImageName(basename(name)));
  const url = /^([a-z][a-z+.-]+):\/\//i.exec(from);
  if (url) {
    if (!/^https?$/i.test(url[1]!)) {
      throw new AndroscopeError("usage/bad-value", {
        expected: "an http or https address",
        found: from,
        where: "--from",
        fix: "Download the file first.",
      });
    }
    await download(from, downloaded, options);
    yield* readArchive(downloaded, ({ name, bytes }) => belongs(name) && bytes <= most);
    return;
  }
  const info = await stat(from).catch((error) => {
    throw fileError(error, from);
  });
  if (!info.isDirectory()) {
    yield* readArchive(from, ({ name, bytes }) => belongs(name) && bytes <= most);
    return;
  }
  const names = arrays ? (await readdir(from)).filter(belongs) : (await listImages(from)).paths;
  for (const name of names.sort()) {
    const path = join(from, name);
    if ((await stat(path)).size > most) continue;
    yield {
      name,
      content: await readFile(path).catch((error) => {
        throw fileError(error, path);
      }),
    };
  }
}
