/** Datasets made from others for studies: fewer images, or other pixels with the same names, labels and folds. */
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
  return {
    ...rehashed(dataset, { derivation }),
    samples: dataset.samples.map((sample) => ({ ...sample, load: async () => derive(await sample.load()) })),
  };
}

/** The images of some of its folds alone, where choices are to leave the others untouched. */
export function partOf(dataset: Dataset, folds: readonly string[]): Dataset {
  return {
    ...rehashed(dataset, { folds }),
    samples: dataset.samples.filter(({ fold }) => fold !== undefined && folds.includes(fold)),
  };
}

/** Known by what it was made from, and by how. */
function rehashed(dataset: Dataset, how: object): Dataset {
  const { hashWithoutFolds, ...rest } = dataset;
  const made = (hash: string) => hashOf({ of: hash, ...how });
  return {
    ...rest,
    hash: made(dataset.hash),
    ...(hashWithoutFolds ? { hashWithoutFolds: made(hashWithoutFolds) } : {}),
  };
}
