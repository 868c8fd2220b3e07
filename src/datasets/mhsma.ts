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

/** The set with one structure's labels, its official split as folds; undefined where the folder is none. */
export async function openMhsma(
  root: string,
  attribute: "head" | "acrosome" | "vacuole" | "tail",
): Promise<Dataset | undefined> {
  const size = [128, 64].find((side) => SPLITS.every((split) => existsSync(join(root, `x_${side}_${split}.npy`))));
  if (size === undefined) return undefined;
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
    const labels = await read(`y_${attribute}_${split}.npy`);
    const [count, height, width] = images.array.shape as [number, number, number];
    const values = labels.array.data;
    if (images.array.shape.length !== 3 || values.length !== count || values.some((value) => value > 1)) {
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
        label: values[i]!,
        fold: split,
        ...optional("group", groups.get(`${split}/${i}`)),
        load: async () => grey(images.array.data.subarray(i * width * height, (i + 1) * width * height), width, height),
      };
      samples.push(sample);
      contents.push({ sample, content: `${images.hash}#${i}` });
    }
  }
  const classes = ["Normal", "Abnormal"];
  return { kind: "mhsma", root, classes, samples, problems: [], hash: datasetHash([attribute, ...classes], contents) };
}

function grey(values: Uint8Array, width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < values.length; i++) data.fill(values[i]!, i * 3, i * 3 + 3);
  return { width, height, data };
}
