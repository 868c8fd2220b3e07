/** A dataset: crops with what is known about each. Labels may be missing; pixels are read when asked for. */
import type { Image } from "../imaging/index.ts";

export interface Sample {
  /** Path relative to the dataset's root with `/` separators; for arrays `file.npy#index`. Unique. */
  readonly id: string;
  /** Index into {@link Dataset.classes}; undefined where unlabelled. */
  readonly label?: number;
  /** Published or user-given fold, as written. */
  readonly fold?: string;
  /** Images that must not be split between training and test (a field, a slide). */
  readonly group?: string;
  readonly patient?: string;
  /** Micrometres per pixel; undefined where unknown, never guessed. */
  readonly umPerPx?: number;
  /** Each expert's class index; null where that expert gave none. */
  readonly raters?: readonly (number | null)[];
  load(): Promise<Image>;
}

/** A sample that could not be used, and why. Reported, never silently dropped. */
export interface Problem {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

export interface Dataset {
  /** "hushem", "scian", "scian-stand-ins" (drawn), "smids", "mhsma", "phantoms", "folder" or "manifest". */
  readonly kind: string;
  readonly root: string;
  readonly classes: readonly string[];
  readonly samples: readonly Sample[];
  readonly problems: readonly Problem[];
  /** SHA-256 over ids, labels, folds, groups, patients, raters and image contents. */
  readonly hash: string;
  /** Where folds came from a table of their own (`--folds`): the hash of the same data without them. */
  readonly hashWithoutFolds?: string;
}
