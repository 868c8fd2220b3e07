/**
 * MHSMA (Javadi and Mirroshandel 2019): unstained grey crops in numpy arrays, one label per structure, a fixed split.
 * Licence CC BY-NC-SA 4.0: for evaluation, never for a shipped model.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Image } from "../imaging/index.ts";
import { AndroscopeError, fileError } from "../runs/index.ts";
import type { Dataset, Sample } from "./dataset.ts";
import { datasetHash } from "./files.ts";
import { optional, readTable } from "./manifest.ts";
import { parseNpy } from "./npy.ts";

const SPLITS = ["train", "valid", "test"] as const;

/** The structures of the head that the publications classify, in the order of the bits of a combined class. */
export const MHSMA_STRUCTURES = ["head", "acrosome", "vacuole"] as const;

/** One structure's label, or the combination of {@link MHSMA_STRUCTURES}. */
export const MHSMA_ATTRIBUTES = [...MHSMA_STRUCTURES, "tail", "all"] as const;

export type MhsmaAttribute = (typeof MHSMA_ATTRIBUTES)[number];

/** Sides of the published crops in pixels; the smaller ones are the middle of the larger. */
export const MHSMA_SIZES = [128, 64] as const;

/** Of every combined class, in its place: is this structure abnormal in it? */
export const combinedClasses = (structure: (typeof MHSMA_STRUCTURES)[number]): boolean[] =>
  COMBINED.map((_, label) => ((label >> MHSMA_STRUCTURES.indexOf(structure)) & 1) === 1);

const COMBINED = Array.from({ length: 2 ** MHSMA_STRUCTURES.length }, (_, label) => {
  const abnormal = MHSMA_STRUCTURES.filter((_, bit) => (label >> bit) & 1);
  return abnormal.length > 0 ? `Abnormal ${abnormal.join(" and ")}` : "Normal";
});

export interface MhsmaOptions {
  attribute: MhsmaAttribute;
  /** The larger crops that are there, where not given. */
  size?: (typeof MHSMA_SIZES)[number];
}

/** The set with its official split as folds; undefined where the folder is none. */
export async function openMhsma(root: string, options: MhsmaOptions): Promise<Dataset | undefined> {
  const { attribute } = options;
  const size = MHSMA_SIZES.find(
    (side) =>
      side === (options.size ?? side) && SPLITS.every((split) => existsSync(join(root, `x_${side}_${split}.npy`))),
  );
  if (size === undefined) return undefined;
  const structures = attribute === "all" ? MHSMA_STRUCTURES : [attribute];
  const read = async (name: string) => {
    const bytes = await readFile(join(root, name)).catch((error) => {
      throw fileError(error, join(root, name));
    });
    return { array: parseNpy(bytes, join(root, name)), hash: createHash("sha256").update(bytes).digest("hex") };
  };
  const groupsFile = join(root, "groups.csv");
  const groups = new Map<string, string>();
  if (existsSync(groupsFile)) {
    for (const { cells } of (await readTable(groupsFile)).rows)
      groups.set(`${cells.split}/${cells.index}`, cells.group!);
  }
  const samples: Sample[] = [];
  const contents: { sample: Sample; content: string }[] = [];
  for (const split of SPLITS) {
    const images = await read(`x_${size}_${split}.npy`);
    const labels = await Promise.all(structures.map((structure) => read(`y_${structure}_${split}.npy`)));
    const [count, height, width] = images.array.shape as [number, number, number];
    const wrong = labels.map(({ array }) => array.data).find((v) => v.length !== count || v.some((value) => value > 1));
    if (images.array.shape.length !== 3 || wrong) {
      const values = wrong ?? labels[0]!.array.data;
      throw new AndroscopeError("data/unknown-kind", {
        expected: "images N×H×W and one label, 0 or 1, for each",
        found: `images of shape (${images.array.shape}) and ${values.length} labels up to ${values.reduce((a, b) => Math.max(a, b), 0)}`,
        where: join(root, `x_${size}_${split}.npy`),
        fix: "Get the files again from the set's page.",
      });
    }
    for (let i = 0; i < count; i++) {
      const sample: Sample = {
        id: `x_${size}_${split}.npy#${i}`,
        label: labels.reduce((sum, { array }, bit) => sum + (array.data[i]! << bit), 0),
        fold: split,
        ...optional("group", groups.get(`${split}/${i}`)),
        load: async () => grey(images.array.data.subarray(i * width * height, (i + 1) * width * height), width, height),
      };
      samples.push(sample);
      contents.push({ sample, content: `${images.hash}#${i}` });
    }
  }
  const classes = attribute === "all" ? COMBINED : ["Normal", "Abnormal"];
  return { kind: "mhsma", root, classes, samples, problems: [], hash: datasetHash([attribute, ...classes], contents) };
}

function grey(values: Uint8Array, width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < values.length; i++) data.fill(values[i]!, i * 3, i * 3 + 3);
  return { width, height, data };
}
