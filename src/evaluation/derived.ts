/** Datasets made from others for studies: other pixels, the same names, labels and folds. */
import type { Dataset } from "../datasets/index.ts";
import { type Image, resized } from "../imaging/index.ts";
import { hashOf } from "../runs/index.ts";
import { greyed } from "./alterations.ts";

const DERIVATIONS = {
  /** What SCIAN looks like: 35 × 35 pixels without colour. */
  "grey-35": async (image: Image) => greyed(await resized(image, 35, 35)),
} as const;

export type Derivation = keyof typeof DERIVATIONS;

export function derivedDataset(dataset: Dataset, derivation: Derivation): Dataset {
  const derive = DERIVATIONS[derivation];
  const { hashWithoutFolds, ...rest } = dataset;
  const derived = (hash: string) => hashOf({ of: hash, derivation });
  return {
    ...rest,
    hash: derived(dataset.hash),
    ...(hashWithoutFolds ? { hashWithoutFolds: derived(hashWithoutFolds) } : {}),
    samples: dataset.samples.map((sample) => ({ ...sample, load: async () => derive(await sample.load()) })),
  };
}
