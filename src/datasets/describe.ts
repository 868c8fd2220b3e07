/** What is in a dataset: counts, sizes, duplicates, agreement of the experts, and which public set it is. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../runs/index.ts";
import { checkImages, type ImageFacts } from "./check.ts";
import type { Dataset, Problem, Sample } from "./dataset.ts";
import { hashFile } from "./files.ts";
import { PUBLIC_SETS, type PublicSet, publicSums } from "./publicSets.ts";

export interface Description {
  readonly kind: string;
  readonly root: string;
  readonly hash: string;
  readonly images: number;
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  readonly unlabelled: number;
  /** Number of different values given; 0 where the dataset has none. */
  readonly groups: number;
  readonly patients: number;
  /** Images per fold. */
  readonly folds: Readonly<Record<string, number>>;
  /** Groups whose images stand in more than one fold: they leak between training and test. */
  readonly groupsAcrossFolds: number;
  /** "131×131" → count, the most frequent first. */
  readonly sizes: Readonly<Record<string, number>>;
  /** "bmp, 8 bit, 3 channels" → count. */
  readonly formats: Readonly<Record<string, number>>;
  readonly duplicates: readonly Duplicate[];
  /** Present where experts' votes are. */
  readonly agreement?: Agreement;
  readonly publicSet?: RecognisedSet;
  readonly problems: readonly Problem[];
}

/** Images with identical pixels. */
export interface Duplicate {
  readonly ids: readonly string[];
  readonly acrossClasses: boolean;
  readonly acrossFolds: boolean;
}

export interface Agreement {
  readonly raters: number;
  /** Images with all votes given and equal, and with all votes given. */
  readonly unanimous: number;
  readonly complete: number;
  /** Of all pairs of votes on one image, the share that is equal; null without any pair. */
  readonly pairwise: number | null;
}

export interface RecognisedSet extends PublicSet {
  readonly set: string;
  /** Files whose SHA-256 sum is published, and how many files the set has; absent where no sums are kept. */
  readonly sums?: { readonly matching: number; readonly published: number };
}

/** Decodes every image. @throws only what is no fault of a single image */
export async function describeDataset(dataset: Dataset, progress?: Progress): Promise<Description> {
  const { dataset: readable, facts } = await checkImages(dataset, progress);
  const { samples, classes, problems, kind, root, hash } = readable;
  const distinct = (values: (string | undefined)[]) => new Set(values.filter((v) => v !== undefined)).size;
  const agreement = agreementOf(samples);
  const publicSet = await recognise(dataset);
  return {
    kind,
    root,
    hash,
    images: samples.length,
    classes: classes.map((name, c) => ({ name, count: samples.filter(({ label }) => label === c).length })),
    unlabelled: samples.filter(({ label }) => label === undefined).length,
    groups: distinct(samples.map(({ group }) => group)),
    patients: distinct(samples.map(({ patient }) => patient)),
    folds: counted(samples.flatMap(({ fold }) => fold ?? []).sort()),
    groupsAcrossFolds: groupsAcrossFolds(samples),
    sizes: byFrequency(counted(facts.map(({ width, height }) => `${width}×${height}`))),
    formats: byFrequency(counted(facts.map(formatOf))),
    duplicates: duplicatesOf(samples, facts),
    ...(agreement ? { agreement } : {}),
    ...(publicSet ? { publicSet } : {}),
    problems,
  };
}

function formatOf({ format, bitDepth, channels }: ImageFacts): string {
  return `${format}, ${bitDepth} bit, ${channels} ${channels === 1 ? "channel" : "channels"}`;
}

function counted(values: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function byFrequency(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

function groupsAcrossFolds(samples: readonly Sample[]): number {
  const folds = new Map<string, Set<string>>();
  for (const { group, fold } of samples) {
    if (group !== undefined && fold !== undefined) folds.set(group, (folds.get(group) ?? new Set()).add(fold));
  }
  return [...folds.values()].filter(({ size }) => size > 1).length;
}

function duplicatesOf(samples: readonly Sample[], facts: readonly ImageFacts[]): Duplicate[] {
  const byPixels = new Map<string, Sample[]>();
  samples.forEach((sample, i) => {
    const key = facts[i]!.pixels;
    byPixels.set(key, [...(byPixels.get(key) ?? []), sample]);
  });
  return [...byPixels.values()]
    .filter(({ length }) => length > 1)
    .map((same) => ({
      ids: same.map(({ id }) => id),
      acrossClasses: new Set(same.map(({ label }) => label)).size > 1,
      acrossFolds: new Set(same.map(({ fold }) => fold)).size > 1,
    }));
}

function agreementOf(samples: readonly Sample[]): Agreement | undefined {
  const raters = Math.max(0, ...samples.map((sample) => sample.raters?.length ?? 0));
  if (raters < 2) return undefined;
  let [unanimous, complete, pairs, equal] = [0, 0, 0, 0];
  for (const sample of samples) {
    const votes = (sample.raters ?? []).filter((vote) => vote !== null);
    if (votes.length === raters) {
      complete++;
      if (new Set(votes).size === 1) unanimous++;
    }
    for (let i = 0; i < votes.length; i++) {
      for (let j = 0; j < i; j++) {
        pairs++;
        if (votes[i] === votes[j]) equal++;
      }
    }
  }
  return { raters, unanimous, complete, pairwise: pairs > 0 ? equal / pairs : null };
}

/** The public set by its layout, or, whatever the layout, by the sums of its files. */
async function recognise({ kind, root, samples }: Dataset): Promise<RecognisedSet | undefined> {
  const files = [...new Set(samples.map(({ id }) => id.split("#")[0]!))];
  const present = new Set(await Promise.all(files.map((file) => hashFile(join(root, file)))));
  for (const [set, about] of Object.entries(PUBLIC_SETS)) {
    const sums = Object.entries((await publicSums(set))?.files ?? {});
    // Of a set of arrays the dataset reads only some; the others are looked up where they are published.
    if (kind === set) for (const [path] of sums) present.add(await hashIfThere(join(root, path)));
    const published = sums.map(([, { sha256 }]) => sha256);
    const matching = published.filter((sum) => present.has(sum)).length;
    if (kind !== set && matching === 0) continue;
    return { ...about, set, ...(published.length > 0 ? { sums: { matching, published: published.length } } : {}) };
  }
  return undefined;
}

async function hashIfThere(path: string): Promise<string> {
  return existsSync(path) ? hashFile(path) : "";
}
