/** The public sets that Androscope knows: where they come from, what may be done with them, how to recognise them. */
import { fileURLToPath } from "node:url";
import { readJson } from "../runs/index.ts";

export interface PublicSet {
  readonly title: string;
  /** Where to get it. */
  readonly page: string;
  readonly licence: string;
  /** What a user must know before training on it or publishing about it. */
  readonly notes: readonly string[];
}

/** By {@link Dataset.kind}. */
export const PUBLIC_SETS: Readonly<Record<string, PublicSet>> = {
  hushem: {
    title: "HuSHeM, Human Sperm Head Morphology dataset",
    page: "https://doi.org/10.17632/tt3yj2pf38.3",
    licence: "CC BY 4.0: models may be trained on it and published with attribution",
    notes: [
      "The background tint goes with the class: a classifier that sees the background can cheat.",
      "Which images share a patient is not published: cross-validation can only be per image.",
    ],
  },
  scian: {
    title: "SCIAN-MorphoSpermGS",
    page: "the paper by Chang et al., Computers in Biology and Medicine, 2017",
    licence: "none stated with the images: ask its authors before publishing a model trained on it",
    notes: ["The published folds put every microscope field into several folds: also report folds by field."],
  },
  smids: {
    title: "SMIDS, Sperm Morphology Image Data Set",
    page: "the paper by Ilhan et al., 2020, and its page at Mendeley Data",
    licence: "as stated on its page",
    notes: ["The patches of one patient cannot be told apart: cross-validation can only be per image."],
  },
  mhsma: {
    title: "MHSMA, Modified Human Sperm Morphology Analysis dataset",
    page: "https://github.com/soroushj/mhsma-dataset",
    licence: "CC BY-NC-SA 4.0: evaluation and non-commercial study only; no shipped model may be trained on it",
    notes: ["Most smears span more than one of the official splits: also report folds by group."],
  },
};

/** Licence of what a model was trained on, for its metadata. */
export function licenceOf(kind: string): string {
  switch (kind) {
    case "hushem":
      return "HuSHeM, Shaker et al., Mendeley Data 10.17632/tt3yj2pf38.3, CC BY 4.0";
    case "mhsma":
      return "MHSMA, CC BY-NC-SA 4.0: evaluation only";
    case "phantoms":
    case "scian-stand-ins":
      return "generated phantoms, Apache-2.0";
    default:
      return "unknown: ask the owner of the training images";
  }
}

export interface Sums {
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}

/** The sums of the published files of a set by path; undefined where none are kept. */
export async function publicSums(kind: string): Promise<Sums | undefined> {
  if (kind !== "hushem" && kind !== "mhsma") return undefined;
  return readJson<Sums>(fileURLToPath(new URL(`./${kind}-sums.json`, import.meta.url)));
}
