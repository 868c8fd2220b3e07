/** Images named on the command line: files, folders with all images below them, and manifests. */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { listImages, openDataset, type Problem } from "../datasets/index.ts";
import { type Image, readCrop } from "../imaging/index.ts";
import { AndroscopeError, fileError, isAndroscopeError } from "../runs/index.ts";

/** What a command could not use; its place and why. */
export interface Skipped {
  path: string;
  code: string;
  message: string;
}

export interface NamedImage {
  /** Where the file is. */
  path: string;
  /** A short name that no other image of the call has, whatever its case, without extension. */
  stem: string;
}

export interface NamedImages {
  images: NamedImage[];
  /** What the folders hold beside them and cannot be read. */
  skipped: Skipped[];
}

/**
 * @param out a folder that the command writes to: what it wrote there before is no input
 * @throws `usage/missing-argument`, `file/not-found`, `data/empty`, `manifest/*`
 */
export async function namedImages(command: string, names: readonly string[], out?: string): Promise<NamedImages> {
  if (names.length === 0) {
    throw new AndroscopeError("usage/missing-argument", {
      expected: "images or folders",
      found: "nothing",
      fix: `See androscope ${command} --help.`,
    });
  }
  const found: { path: string; name: string }[] = [];
  const skipped: Skipped[] = [];
  for (const argument of names) {
    const info = await stat(argument).catch((error) => {
      throw fileError(error, argument);
    });
    const { root, ids, problems } = info.isDirectory()
      ? await inFolder(argument)
      : argument.endsWith(".csv")
        ? await inDataset(argument)
        : { root: dirname(argument), ids: [basename(argument)], problems: [] };
    const own = (path: string) =>
      info.isDirectory() &&
      out !== undefined &&
      resolve(dirname(path)) === resolve(out) &&
      /\.(mask|overlay)\.png$/.test(path);
    for (const id of ids) if (!own(join(root, id))) found.push({ path: join(root, id), name: id });
    for (const { id, code, message } of problems) skipped.push({ path: join(root, id), code, message });
  }
  if (found.length === 0) {
    throw new AndroscopeError("data/empty", {
      expected: "at least one image",
      found: skipped.length > 0 ? `${skipped.length} problems, the first: ${skipped[0]!.message}` : "none",
      where: names.join(" "),
      fix: "Name image files, or a folder that holds some.",
    });
  }
  return { images: withStems(found), skipped };
}

interface Listed {
  root: string;
  ids: readonly string[];
  problems: readonly Problem[];
}

/** A manifest in a folder says what belongs to it: beside the crops there may be masks or overviews. */
async function inFolder(root: string): Promise<Listed> {
  if (existsSync(join(root, "manifest.csv"))) return inDataset(root);
  const { paths, problems } = await listImages(root);
  return { root, ids: paths, problems };
}

async function inDataset(path: string): Promise<Listed> {
  const { root, samples, problems } = await openDataset(path);
  return { root, ids: samples.map(({ id }) => id), problems };
}

function withStems(found: readonly { path: string; name: string }[]): NamedImage[] {
  const used = new Set<string>();
  return found.map(({ path, name }) => {
    const plain = name.replace(/\.[^./]+$/, "").replace(/[\\/]/g, "__");
    let stem = plain;
    // Disks that ignore case hold A.png and a.png as one.
    for (let n = 2; used.has(stem.toLowerCase()); n++) stem = `${plain}~${n}`;
    used.add(stem.toLowerCase());
    return { path, stem };
  });
}

/** Reads one crop; what is wrong with it is added to `skipped`, and the others go on. */
export async function readOrSkip(path: string, skipped: Skipped[]): Promise<Image | undefined> {
  try {
    return await readCrop(path);
  } catch (error) {
    if (!isAndroscopeError(error)) throw error;
    skipped.push({ path, code: error.code, message: error.message });
    return undefined;
  }
}
