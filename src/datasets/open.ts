/** Opening a dataset: what kind it is, and its samples. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { readImage } from "../imaging/index.ts";
import { AndroscopeError, fileError } from "../runs/index.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { fromFiles, listImages } from "./files.ts";
import { normalId, openManifest, optional, readTable } from "./manifest.ts";
import { type MhsmaAttribute, type MhsmaOptions, openMhsma } from "./mhsma.ts";
import { openScian } from "./scian.ts";

export interface OpenOptions {
  /** CSV with `path,fold` (and more): published folds to join by path. */
  folds?: string;
  /** SCIAN: the experts' votes; `votes_and_folds.csv` beside the images where not given. */
  votes?: string;
  /** SCIAN: all images with a majority, or those on which all three experts agree. */
  agreement?: "partial" | "total";
  /** MHSMA: which structure's label, or "all" for the combinations of head, acrosome and vacuole as eight classes. */
  attribute?: MhsmaAttribute;
  /** MHSMA: which of the published crops; the large ones by default. */
  size?: MhsmaOptions["size"];
}

/** The class folders of HuSHeM in the order of the publication. */
const HUSHEM = ["01_Normal", "02_Tapered", "03_Pyriform", "04_Amorphous"];

/** Opens a folder per class, a manifest, or one of the public sets. Throws `data/*`, `manifest/*`, `file/*`. */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<Dataset> {
  const info = await stat(path).catch((error) => {
    throw fileError(error, path);
  });
  const dataset = info.isDirectory() ? await openFolder(path, options) : await openManifest(path);
  if (dataset.samples.length === 0) {
    throw new AndroscopeError("data/empty", {
      expected: "images in a folder per class, or a manifest of images",
      found:
        dataset.problems.length > 0
          ? `${dataset.problems.length} problems, the first: ${dataset.problems[0]!.message}`
          : "no image",
      where: path,
      fix: "Put the crops of each class into a folder of its name, or see docs/data.md.",
    });
  }
  return options.folds ? joinFolds(dataset, options.folds) : dataset;
}

async function openFolder(root: string, options: OpenOptions): Promise<Dataset> {
  const mhsma = await openMhsma(root, { attribute: options.attribute ?? "head", size: options.size });
  if (mhsma) return mhsma;
  const { paths, problems } = await listImages(root);
  const scian = await openScian(root, paths, { agreement: options.agreement ?? "partial", votes: options.votes });
  if (scian) return scian;
  const folders = [...new Set(paths.filter((p) => p.includes("/")).map((p) => p.split("/")[0]!))].sort();
  const hushem = HUSHEM.every((name) => folders.includes(name));
  // A manifest in an ordinary folder says what belongs to it: beside the crops there may be masks or overviews.
  if (!hushem && existsSync(join(root, "manifest.csv"))) return openManifest(join(root, "manifest.csv"));
  const smids = !hushem && isSmids(folders);
  const names = hushem ? HUSHEM : folders;
  // Publications number the folders; the class is what follows.
  const classes = names.map((name) => (hushem ? name.replace(/^\d+_/, "") : name));
  const samples = paths.map((id): Sample => {
    const folder = id.includes("/") ? names.indexOf(id.split("/")[0]!) : -1;
    return { id, ...optional("label", folder < 0 ? undefined : folder), load: () => readImage(`${root}/${id}`) };
  });
  return fromFiles(hushem ? "hushem" : smids ? "smids" : "folder", root, classes, samples, problems);
}

/** SMIDS (Ilhan et al. 2020): normal, abnormal and non-sperm patches. */
function isSmids(folders: readonly string[]): boolean {
  const plain = folders.map((name) => name.toLowerCase().replace(/[^a-z]/g, ""));
  return (
    ["normal", "abnormal"].every((name) => plain.some((p) => p.startsWith(name))) &&
    plain.some((p) => p.startsWith("nonsperm"))
  );
}

async function joinFolds(dataset: Dataset, file: string): Promise<Dataset> {
  const { header, rows } = await readTable(file);
  if (!header.includes("path") || !header.includes("fold")) {
    throw new AndroscopeError("manifest/bad-header", {
      expected: "columns path and fold",
      found: header.join(","),
      where: file,
      fix: "Name the columns path,fold.",
    });
  }
  const folds = new Map<string, string>();
  for (const { line, cells } of rows) {
    const id = normalId(cells.path!);
    const before = folds.get(id);
    if (before !== undefined && before !== cells.fold) {
      throw new AndroscopeError("manifest/bad-row", {
        expected: "one fold for every image",
        found: `${id} in fold ${before} and in fold ${cells.fold}`,
        where: `${file} line ${line}`,
        fix: "Remove one of the rows.",
      });
    }
    folds.set(id, cells.fold!);
  }
  const missing = dataset.samples.filter(({ id }) => !folds.get(id));
  if (missing.length > 0) {
    throw new AndroscopeError("data/no-fold", {
      expected: "a fold for every image",
      found: `${missing.length} images without one, the first ${missing[0]!.id}`,
      where: file,
      fix: `Paths in ${basename(file)} must be relative to the dataset's folder.`,
    });
  }
  const samples = dataset.samples.map((sample) => ({ ...sample, fold: folds.get(sample.id)! }));
  const hash = createHash("sha256")
    .update(dataset.hash)
    .update(JSON.stringify(samples.map((s) => [s.id, s.fold]).sort()))
    .digest("hex");
  return { ...dataset, samples, hash, hashWithoutFolds: dataset.hash };
}

/** Checks that a dataset can train a classifier. @param folds the number of folds, for cross-validation */
export function requireTrainable({ classes, samples, root }: Dataset, folds = 1): void {
  const counts = classes.map((_, c) => samples.filter((s) => s.label === c).length);
  const present = counts.filter((n) => n > 0).length;
  if (present === 0) {
    throw new AndroscopeError("data/unlabelled", {
      expected: "labelled images",
      found: `${samples.length} images without a label`,
      where: root,
      fix: "Sort the crops into a folder per class, or give labels in a manifest.",
    });
  }
  if (present === 1) {
    throw new AndroscopeError("data/one-class", {
      expected: "at least two classes",
      found: `only ${classes[counts.findIndex((n) => n > 0)]}`,
      where: root,
      fix: "Add images of another class.",
    });
  }
  const small = counts.findIndex((n) => n > 0 && n < folds);
  if (small >= 0) {
    throw new AndroscopeError("data/class-too-small", {
      expected: `at least ${folds} images of every class for ${folds} folds`,
      found: `${counts[small]} of ${classes[small]}`,
      where: root,
      fix: "Use fewer folds (--k), or add images.",
    });
  }
}

/** The same once the images have been read: those that could not be must leave enough of every class. */
export function requireStillTrainable(dataset: Dataset, read: ReadonlySet<string>, folds = 1): void {
  for (const [c, name] of dataset.classes.entries()) {
    const members = dataset.samples.filter(({ label }) => label === c);
    const left = members.filter(({ id }) => read.has(id)).length;
    if (members.length === 0 || left >= folds) continue;
    throw new AndroscopeError("data/class-too-small", {
      expected: `at least ${folds} usable images of every class`,
      found: `${left} of ${name}; ${members.length - left} others cannot be used`,
      where: dataset.root,
      fix: `Mend or replace them: androscope data describe ${dataset.root} says what is wrong.`,
    });
  }
}
