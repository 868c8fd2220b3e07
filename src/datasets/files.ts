/** Finding image files, and what makes two datasets the same. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { AndroscopeError, fileError } from "../runs/index.ts";
import type { Dataset, Problem, Sample } from "./dataset.ts";

/** Pictures of kinds that are not read: named to the user, while other files (Thumbs.db, notes) are passed over. */
const FOREIGN_EXTENSIONS = new Set([".gif", ".heic", ".jp2", ".avif", ".dcm", ".czi", ".nd2", ".svs", ".lif"]);
const IMAGE_EXTENSIONS = new Set([".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"]);

export function isImageName(name: string): boolean {
  return !name.startsWith(".") && IMAGE_EXTENSIONS.has(extname(name).toLowerCase());
}

/**
 * Image files below a folder, relative with "/", sorted. Names that are not UTF-8 become problems: they could not be
 * written down in a manifest.
 */
export async function listImages(root: string): Promise<{ paths: string[]; problems: Problem[] }> {
  const paths: string[] = [];
  const problems: Problem[] = [];
  const walk = async (folder: string, above: readonly string[]): Promise<void> => {
    const here = await realpath(join(root, folder)).catch((error) => {
      throw fileError(error, join(root, folder));
    });
    // A link to a folder above: round and round.
    if (above.includes(here)) return;
    const entries = await readdir(join(root, folder), { withFileTypes: true, encoding: "buffer" }).catch((error) => {
      throw fileError(error, join(root, folder));
    });
    for (const entry of entries) {
      const name = entry.name.toString("utf8");
      const path = folder ? `${folder}/${name}` : name;
      if (name.startsWith(".")) continue;
      // Links may lead to pictures and folders of them; a link that leads nowhere is reported when it is read.
      const target = entry.isSymbolicLink() ? await stat(join(root, path)).catch(() => undefined) : entry;
      // A pipe or device named like a picture would be waited for without end.
      if (target && !target.isDirectory() && !target.isFile()) continue;
      if (name.includes("\uFFFD")) {
        problems.push({
          id: path,
          code: "file/unreadable",
          message: `${path}: the name is not UTF-8. Rename the file.`,
        });
      } else if (target?.isDirectory()) await walk(path, [...above, here]);
      else if (isImageName(name)) paths.push(path);
      else if (FOREIGN_EXTENSIONS.has(extname(name).toLowerCase())) {
        const message = `${path}: pictures of this kind are not read. Convert it to PNG or TIFF.`;
        problems.push({ id: path, code: "image/unknown-format", message });
      }
    }
  };
  await walk("", []);
  return { paths: paths.sort(), problems };
}

/** SHA-256 of a file's bytes. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw fileError(error, path);
  }
  return hash.digest("hex");
}

/** One hash for ids, labels, folds, groups, patients, votes and contents, whatever the order of the files. */
export function datasetHash(
  classes: readonly string[],
  entries: readonly { sample: Sample; content: string }[],
): string {
  const lines = entries
    .map(({ sample, content }) =>
      JSON.stringify([
        sample.id,
        sample.label ?? null,
        sample.fold ?? null,
        sample.group ?? null,
        sample.raters ?? null,
        content,
        // Grouped folds depend on it. Left out where unknown, so that such datasets keep the hash they had.
        ...(sample.patient === undefined ? [] : [{ patient: sample.patient }]),
      ]),
    )
    .sort();
  return createHash("sha256").update(JSON.stringify(classes)).update(lines.join("\n")).digest("hex");
}

/** What a reader of a report is told, who need not know where the folder lay, nor whose it was. */
export function problemOf(id: string, error: unknown, root: string): Problem {
  const { code = "file/unreadable", message } = error as Error & { code?: string };
  return { id, code, message: message.replaceAll(`${root}/${id}`, id).replaceAll(join(root, id), id) };
}

/** Finishes a dataset of files: hashes contents, reports what is missing. */
export async function fromFiles(
  kind: string,
  root: string,
  classes: readonly string[],
  samples: readonly Sample[],
  problems: readonly Problem[],
): Promise<Dataset> {
  const good: { sample: Sample; content: string }[] = [];
  const bad: Problem[] = [...problems];
  for (const sample of samples) {
    try {
      good.push({ sample, content: await hashFile(join(root, sample.id)) });
    } catch (error) {
      bad.push(problemOf(sample.id, error, root));
    }
  }
  return {
    kind,
    root,
    classes,
    samples: good.map(({ sample }) => sample),
    problems: bad,
    hash: datasetHash(classes, good),
  };
}

/** Refuses a folder that holds files already: what is written there must not mix with them. It need not exist. */
export async function requireEmptyFolder(path: string): Promise<void> {
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw fileError(error, path, "write");
  });
  if (entries.length > 0) {
    throw new AndroscopeError("file/not-writable", {
      expected: "a folder that does not exist yet, or is empty",
      found: `${entries.length} ${entries.length === 1 ? "entry" : "entries"} in it`,
      where: path,
      fix: "Name another folder.",
    });
  }
}
