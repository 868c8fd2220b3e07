/**
 * Crops made ready for training: pixels on one canvas size and stage 0's pseudo-mask, parts and signed distance beside
 * them. Done once per dataset, shared by all folds, and kept in one file.
 */
import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import { type Dataset, type Problem, problemOf } from "../datasets/index.ts";
import { PARTS, parts, pseudoMask } from "../heads/index.ts";
import { type Image, type Mask, signedDistance } from "../imaging/index.ts";
import {
  AndroscopeError,
  type ArrayFile,
  isAndroscopeError,
  type Progress,
  type RunFolder,
  readArrays,
  writeArrays,
} from "../runs/index.ts";

/** A whole photograph: held in memory with many others before the usual size is known, it would fill it. */
const MOST_PIXELS = 2 ** 24;

export interface PreparedSet {
  readonly classes: readonly string[];
  readonly ids: readonly string[];
  /** Class index, or -1 where unlabelled. */
  readonly labels: Int32Array;
  /** Soft targets [N, classes] from the experts' votes; rows of zeros where there are none. */
  readonly votes: Float32Array;
  /** Side of the square canvas in pixels. */
  readonly side: number;
  /** [N, 2] width and height of each crop on its canvas. */
  readonly sizes: Float32Array;
  /** [N, side, side, 3], each crop at the top left. */
  readonly pixels: Uint8Array;
  /** [N, side, side, 3]: pseudo-mask 0/255, signed distance (see {@link encodeDistance}), acrosome 0/255. */
  readonly targets: Uint8Array;
  /** [N] reliability of the pseudo-mask, 0 to 1. */
  readonly reliability: Float32Array;
  /** The usual side of a crop, in pixels: what stage 1 looks at. */
  readonly frameExtent: number;
  readonly problems: readonly Problem[];
}

/** Signed distance over the equivalent radius, clipped to ±1, as a byte. */
export function encodeDistance(distance: number, radius: number): number {
  return Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, distance / radius)));
}

/** The acrosome of a part map, its vacuoles included, as 0/1. */
export function acrosomeOf(map: Mask): Mask {
  return { ...map, data: map.data.map((part) => (part === PARTS.acrosome || part === PARTS.vacuole ? 1 : 0)) };
}

/** Writes a mask and what follows from it into the targets of sample `index`. */
export function setTargets(
  set: Pick<PreparedSet, "side" | "targets">,
  index: number,
  mask: Mask,
  acrosome: Mask,
): void {
  const { side, targets } = set;
  let area = 0;
  for (const inside of mask.data) area += inside ? 1 : 0;
  const radius = Math.max(1, Math.sqrt(area / Math.PI));
  const distance = signedDistance(mask);
  const base = index * side * side * 3;
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      const from = y * mask.width + x;
      const to = base + (y * side + x) * 3;
      targets[to] = mask.data[from] ? 255 : 0;
      targets[to + 1] = encodeDistance(distance.data[from]!, radius);
      targets[to + 2] = acrosome.data[from] ? 255 : 0;
    }
  }
}

/**
 * The prepared crops of a run: from its folder, or made and kept there. Where they cannot be made, or `check` throws,
 * the run has not begun.
 */
export async function preparedFor(
  run: RunFolder,
  dataset: Dataset,
  progress: Progress,
  check: (set: PreparedSet) => void,
): Promise<PreparedSet> {
  const file = run.file("checkpoint/prepared.bin");
  if (existsSync(file)) return unpackPrepared(await readArrays(file));
  try {
    const set = await prepare(dataset, progress);
    check(set);
    await writeArrays(file, packPrepared(set));
    return set;
  } catch (error) {
    await run.abandon();
    throw error;
  }
}

/** Decodes every crop, makes its pseudo-mask and packs all on canvases. Unreadable crops become problems. */
export async function prepare(dataset: Dataset, progress: Progress): Promise<PreparedSet> {
  const problems: Problem[] = [...dataset.problems];
  const loaded: { index: number; image: Image }[] = [];
  let held = 0;
  progress.start("Reading crops", dataset.samples.length);
  for (const [index, sample] of dataset.samples.entries()) {
    try {
      const image = await sample.load();
      if (image.width * image.height > MOST_PIXELS) throw notACrop(sample.id, image, "crops");
      loaded.push({ index, image });
      requireMemory((held += image.data.length), loaded.length, dataset.root);
    } catch (error) {
      if (!isAndroscopeError(error)) throw error;
      if (error.code === "data/too-large") throw error;
      problems.push(problemOf(sample.id, error, dataset.root));
    }
    progress.update(index + 1);
  }
  progress.finish();
  if (loaded.length === 0) {
    throw new AndroscopeError("data/empty", {
      expected: "at least one readable image",
      found: `${problems.length} problems and no image`,
      where: dataset.root,
      fix: "Run androscope data describe on it.",
    });
  }

  dropOversized(loaded, dataset, problems);
  const side = Math.max(...loaded.map(({ image }) => Math.max(image.width, image.height)));
  const sides = loaded.map(({ image }) => Math.max(image.width, image.height)).sort((a, b) => a - b);
  const count = loaded.length;
  const classes = dataset.classes.length;
  // Pixels, targets, stage 1's copy of them, and the file made of both.
  requireMemory(held + 5 * count * side * side * 3, count, dataset.root);
  const set = {
    classes: dataset.classes,
    ids: loaded.map(({ index }) => dataset.samples[index]!.id),
    labels: Int32Array.from(loaded, ({ index }) => dataset.samples[index]!.label ?? -1),
    votes: new Float32Array(count * classes),
    side,
    sizes: new Float32Array(count * 2),
    pixels: new Uint8Array(count * side * side * 3),
    targets: new Uint8Array(count * side * side * 3),
    reliability: new Float32Array(count),
    frameExtent: sides[sides.length >> 1]!,
    problems,
  };
  progress.start("Drawing pseudo-masks", count);
  for (const [row, { index, image }] of loaded.entries()) {
    place(set.pixels, side, row, image);
    set.sizes.set([image.width, image.height], row * 2);
    for (const rater of dataset.samples[index]!.raters ?? []) {
      if (rater !== null) set.votes[row * classes + rater]! += 1;
    }
    const head = pseudoMask(image);
    // A head that image processing could not find teaches nothing: weight 0, but the crop stays in the data.
    set.reliability[row] = head.accepted ? head.reliability : 0;
    setTargets(set, row, head.mask, acrosomeOf(parts(head.mask, head.contrast.plane)));
    progress.update(row + 1);
    // The pseudo-mask is plain computation: let timers and messages through between images.
    if (row % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  progress.finish();
  normaliseRows(set.votes, classes);
  return set;
}

/** A whole photograph among crops would make every canvas as large as itself. */
function dropOversized(loaded: { index: number; image: Image }[], dataset: Dataset, problems: Problem[]): void {
  const sides = loaded.map(({ image }) => Math.max(image.width, image.height)).sort((a, b) => a - b);
  const limit = 3 * sides[sides.length >> 1]!;
  for (let i = loaded.length - 1; i >= 0; i--) {
    const { index, image } = loaded[i]!;
    if (Math.max(image.width, image.height) <= limit) continue;
    loaded.splice(i, 1);
    const { id } = dataset.samples[index]!;
    const { code, message } = notACrop(id, image, `crops of about ${sides[sides.length >> 1]} px`);
    problems.push({ id, code, message });
  }
}

function notACrop(id: string, { width, height }: Image, expected: string): AndroscopeError {
  return new AndroscopeError("image/not-a-crop", {
    expected,
    found: `${width}×${height}`,
    where: id,
    fix: "Cut the heads out of it.",
  });
}

function requireMemory(bytes: number, count: number, where: string): void {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  if (bytes <= 0.8 * memory) return;
  throw new AndroscopeError("data/too-large", {
    expected: `crops that fit into ${(memory / 1e9).toFixed(1)} GB of memory`,
    found: `${count} crops that need ${(bytes / 1e9).toFixed(1)} GB`,
    where,
    fix: "Scale them down, leave the largest out, or use a machine with more memory.",
  });
}

function place(pixels: Uint8Array, side: number, row: number, { width, height, data }: Image): void {
  const base = row * side * side * 3;
  for (let y = 0; y < height; y++) pixels.set(data.subarray(y * width * 3, (y + 1) * width * 3), base + y * side * 3);
}

function normaliseRows(values: Float32Array, columns: number): void {
  for (let from = 0; from < values.length; from += columns) {
    const row = values.subarray(from, from + columns);
    const total = row.reduce((sum, value) => sum + value, 0);
    if (total > 0) for (let i = 0; i < columns; i++) row[i]! /= total;
  }
}

/** Crop `index` without its padding. */
export function cropOf(set: PreparedSet, index: number): Image {
  const [width, height] = [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!];
  const data = new Uint8Array(width * height * 3);
  const base = index * set.side * set.side * 3;
  for (let y = 0; y < height; y++) {
    data.set(set.pixels.subarray(base + y * set.side * 3, base + (y * set.side + width) * 3), y * width * 3);
  }
  return { width, height, data };
}

/** The pseudo-mask of crop `index`, 0/1, without padding. */
export function pseudoMaskOf(set: PreparedSet, index: number): Mask {
  const [width, height] = [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!];
  const data = new Uint8Array(width * height);
  const base = index * set.side * set.side;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = set.targets[(base + y * set.side + x) * 3]! > 127 ? 1 : 0;
  }
  return { width, height, data };
}

export function packPrepared(set: PreparedSet): ArrayFile {
  const { classes, ids, side, frameExtent, problems, ...arrays } = set;
  return { arrays, meta: { classes, ids, side, frameExtent, problems } };
}

export function unpackPrepared({ arrays, meta }: ArrayFile): PreparedSet {
  return { ...(arrays as object), ...(meta as object) } as PreparedSet;
}
