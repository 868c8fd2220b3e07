/** Folds: published ones as they are, stratified ones that keep groups together, or one for each group. */
import type { Sample } from "../datasets/index.ts";
import { AndroscopeError, Random } from "../runs/index.ts";

export interface SplitOptions {
  k: number;
  seed: number;
  /** Images with the same value stay in one fold. */
  group?: "group" | "patient";
}

/** Fold 10 comes after fold 2. */
const byNumber = (a: string, b: string) => numerals.compare(a, b) || (a < b ? -1 : 1);
const numerals = new Intl.Collator("en", { numeric: true });

/** The folds that the dataset comes with, in order of their names. @throws `data/no-fold` where one has none */
export function publishedFolds(samples: readonly Sample[]): { names: string[]; fold: number[] } {
  const without = samples.filter((s) => s.fold === undefined);
  if (without.length > 0) {
    throw new AndroscopeError("data/no-fold", {
      expected: "a fold for every image",
      found: `${without.length} of ${samples.length} without one`,
      where: without[0]!.id,
      fix: "Complete the folds, or leave --folds out to draw new ones.",
    });
  }
  const names = [...new Set(samples.map((s) => s.fold!))].sort(byNumber);
  return { names, fold: samples.map((s) => names.indexOf(s.fold!)) };
}

/** Every group or patient is a fold of its own, by its name. @throws `data/groups` where an image names none */
export function foldPerGroup(
  samples: readonly Sample[],
  group: "group" | "patient",
): { names: string[]; fold: number[] } {
  const values = samples.map((sample) => namedBy(sample, group));
  const names = [...new Set(values)].sort(byNumber);
  const at = new Map(names.map((name, f) => [name, f]));
  return { names, fold: values.map((value) => at.get(value)!) };
}

function namedBy(sample: Sample, group: "group" | "patient"): string {
  const value = sample[group];
  if (value !== undefined) return value;
  throw new AndroscopeError("data/groups", {
    expected: `a ${group} for every image`,
    found: `none for ${sample.id}`,
    where: sample.id,
    fix: `Fill in the ${group} column of the manifest, or leave --group out.`,
  });
}

/** One part of a dataset that is tested, others that are learned from; what is in neither is left alone. */
export interface HeldOutSplit {
  kind: "held-out";
  test: string;
  train: readonly string[];
}

/** How images are kept from training to be tested. */
export type Split =
  | { kind: "published" }
  | { kind: "pairs" }
  | HeldOutSplit
  | { kind: "drawn"; k: number; group?: "group" | "patient" }
  | { kind: "one-out"; group: "group" | "patient" };

/**
 * The split of a dataset whose folds are named train, test and perhaps valid: made for one training and one test, not to
 * be rotated. The validation part is for choices, so that a final test leaves it alone. Undefined for other names.
 */
export function officialSplit(samples: readonly Sample[]): HeldOutSplit | undefined {
  const names = new Set(samples.flatMap(({ fold }) => fold ?? []));
  const known = [...names].every((name) => ["train", "valid", "val", "validation", "test"].includes(name));
  return known && names.has("train") && names.has("test")
    ? { kind: "held-out", test: "test", train: ["train"] }
    : undefined;
}

/** The samples that a held-out split concerns, and those without label and fold. @throws `data/no-fold`, `usage/bad-value` */
export function concernedBy(samples: readonly Sample[], { test, train }: HeldOutSplit): Sample[] {
  const there = [...new Set(samples.flatMap(({ fold }) => fold ?? []))];
  const missing = [test, ...train].find((name) => !there.includes(name));
  if (missing !== undefined) {
    throw new AndroscopeError("data/no-fold", {
      expected: `a fold ${missing}`,
      found: there.length > 0 ? `the folds ${there.sort(byNumber).join(", ")}` : "no folds",
      fix: "Name folds that the dataset has.",
    });
  }
  if (train.length === 0 || train.includes(test)) {
    throw new AndroscopeError("usage/bad-value", {
      expected: "at least one fold to train on, and another one to test",
      found: `${train.join(", ") || "none"} to train on, ${test} to test`,
      fix: "A fold that is tested must not be trained on.",
    });
  }
  return samples.filter(({ fold }) => fold === undefined || fold === test || train.includes(fold));
}

/** Every two folds as one part to keep from training, by their indices. */
export function pairsOf(names: readonly string[]): { name: string; folds: [number, number] }[] {
  return names.flatMap((a, i) =>
    names.slice(i + 1).map((b, j) => ({ name: `${a}+${b}`, folds: [i, i + 1 + j] as [number, number] })),
  );
}

/**
 * Draws k folds with the classes spread evenly; with groups, each group falls into one fold, largest first into the
 * fold that is then most balanced. Deterministic for a seed.
 */
export function drawFolds(
  samples: readonly Sample[],
  { k, seed, group }: SplitOptions,
): { names: string[]; fold: number[] } {
  const random = Random.seeded(seed).stream("folds");
  const units = new Map<string, number[]>();
  for (const [i, sample] of samples.entries()) {
    const key = group ? namedBy(sample, group) : `#${i}`;
    units.set(key, [...(units.get(key) ?? []), i]);
  }
  if (units.size < k) {
    throw new AndroscopeError("data/groups", {
      expected: `at least ${k} ${group ?? "image"}s for ${k} folds`,
      found: `${units.size}`,
      fix: "Use fewer folds (--k).",
    });
  }
  const classes = samples.reduce((most, { label = -1 }) => Math.max(most, label), -1) + 1;
  const counts = Array.from({ length: k }, () => new Array<number>(classes + 1).fill(0));
  const fold = new Array<number>(samples.length).fill(0);
  const totals = new Array<number>(k).fill(0);
  const labelOf = (members: readonly number[]) => samples[members[0]!]!.label ?? classes;
  // Shuffled, then by size: the many single images come last and even out what large groups left. Class by class, so
  // that what remains of each class goes to the folds that are smallest by then.
  const order = random.shuffle([...units.values()]).sort((a, b) => b.length - a.length || labelOf(a) - labelOf(b));
  for (const members of order) {
    const added = new Array<number>(classes + 1).fill(0);
    for (const i of members) added[samples[i]!.label ?? classes]! += 1;
    const load = counts.map((count) => count.reduce((sum, n, c) => sum + (n + added[c]!) ** 2 - n ** 2, 0));
    const least = Math.min(...load);
    // Of equals the smallest fold; so an empty one always goes first, and none stays empty.
    let best = load.indexOf(least);
    for (let f = best + 1; f < k; f++) if (load[f] === least && totals[f]! < totals[best]!) best = f;
    totals[best]! += members.length;
    for (const i of members) fold[i] = best;
    for (const [c, n] of added.entries()) counts[best]![c]! += n;
  }
  return { names: Array.from({ length: k }, (_, i) => `${i + 1}`), fold };
}

/** The folds of a split, by their names. @throws `data/no-fold`, `data/groups` */
export function foldsOf(split: Split, labelled: readonly Sample[], seed: number): { names: string[]; fold: number[] } {
  switch (split.kind) {
    case "drawn":
      return drawFolds(labelled, { ...split, seed });
    case "one-out":
      return foldPerGroup(labelled, split.group);
    default:
      return publishedFolds(labelled);
  }
}
