/**
 * A study: configurations that are compared on the same folds with the same seeds. Every cross-validation is kept as one
 * entry, known by all it depends on, in a JSON file that belongs into the repository: a study that is interrupted, or
 * gets another row or seed, computes only what is missing, and anyone can compute it again.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset, OpenOptions } from "../datasets/index.ts";
import {
  type Config,
  type EncoderInit,
  initRequired,
  initServesStage1,
  networkForInit,
  readInit,
  resolveConfig,
} from "../learning/index.ts";
import { hashOf, type Progress, readJson, silent, writeJson } from "../runs/index.ts";
import type { AlterationName } from "./alterations.ts";
import { type CrossvalOptions, crossValidate } from "./crossval.ts";
import { type Derivation, derivedDataset, partOf } from "./derived.ts";
import { argmax, type PredictionRow } from "./metrics.ts";
import { ALTERATION_NAMES, testRobustness } from "./robustness.ts";
import type { TrainingChange } from "./training-change.ts";

export interface StudyRow {
  /** In file names and results: letters, digits and hyphens. */
  name: string;
  /** What it is, for a reader of the table. */
  what: string;
  /** Any part of the configuration; the rest is the default. */
  config: unknown;
  change?: TrainingChange;
  /** Its encoders start from the weights that the study is given. */
  init?: boolean;
  /** The row it is compared with, image by image: the study's first where none is named, none where it is itself. */
  against?: string;
  /** Its networks are also tested on altered versions of their test images: robustness.ts. */
  altered?: boolean;
}

export interface Study {
  name: string;
  title: string;
  /** What it asks, how the choices in it were made, and what it may therefore say. */
  about: string;
  seeds: readonly number[];
  rows: readonly StudyRow[];
  /** How its dataset is opened, where that is no matter of course. */
  dataset?: OpenOptions;
  /**
   * The published folds one at a time, or every two together: see nested.ts. Or any other that a cross-validation takes.
   * One at a time by default.
   */
  split?: "published" | "pairs" | CrossvalOptions["split"];
  /** Only images of these folds of its dataset take part, where choices are to leave the others untouched. */
  only?: readonly string[];
  /** Other versions of all images, for training and test. */
  images?: Derivation;
}

/** One cross-validation. */
export interface StudyEntry {
  row: string;
  seed: number;
  /** Of all that the result depends on but the program. */
  id: string;
  version: string;
  correct: number;
  accuracy: number;
  balancedAccuracy: number;
  logLoss: number;
  calibrationError: number;
  seconds: number;
  /** Probabilities of every image and class in the order of `images`, as 16-bit numbers in base 64. */
  probabilities: string;
  /** The same of altered test images, where the row asks for it. */
  altered?: Partial<Record<AlterationName, string>>;
}

export interface StudyResults {
  study: string;
  dataset: { kind: string; hash: string };
  classes: readonly string[];
  images: readonly { id: string; label: number; fold: string }[];
  entries: StudyEntry[];
}

export interface StudyRun extends Pick<CrossvalOptions, "version" | "licence" | "runFolds" | "threads"> {
  study: Study;
  dataset: Dataset;
  /** The JSON file. */
  results: string;
  /** Where runs lie while they are computed. */
  folder: string;
  /** Folder with the weights for rows that start from some. */
  init?: string;
  /** Only these; all by default. */
  seeds?: readonly number[];
  rows?: readonly string[];
  progress: Progress;
}

/** The configuration of a row. @throws `config/*` */
export function configOf(study: Study, row: StudyRow): Config {
  return resolveConfig(row.config, `study ${study.name}, row ${row.name}`);
}

function splitOf({ split = "published" }: Study): CrossvalOptions["split"] {
  return typeof split === "string" ? { kind: split } : split;
}

/**
 * Computes what is missing, all rows with the first seed before the next seed: whenever it ends, rows can be compared.
 * Two cross-validations are under way at a time, so that no worker waits for the last fold of one.
 */
export async function runStudy(options: StudyRun): Promise<StudyResults> {
  const { study, progress } = options;
  const concerned = study.only ? partOf(options.dataset, study.only) : options.dataset;
  const dataset = study.images ? derivedDataset(concerned, study.images) : concerned;
  const run = { ...options, dataset };
  const known = existsSync(run.results) ? await readJson<StudyResults>(run.results) : undefined;
  const results: StudyResults = {
    study: study.name,
    dataset: { kind: dataset.kind, hash: dataset.hash },
    classes: dataset.classes,
    images: [],
    entries: [],
    ...(known?.dataset.hash === dataset.hash ? known : {}),
  };
  const rows = study.rows.filter(({ name }) => run.rows?.includes(name) ?? true);
  const split = splitOf(study);
  const unusual = split.kind === "published" ? {} : { split: study.split };
  const inits = new Map<StudyRow, EncoderInit | undefined>();
  for (const row of rows) inits.set(row, await initOf(run, row));
  const wanted = (run.seeds ?? study.seeds).flatMap((seed) =>
    rows.map((row) => {
      const config = configOf(study, row);
      const init = inits.get(row);
      const id = hashOf({
        dataset: dataset.hash,
        config,
        change: row.change,
        init: init?.hash,
        seed,
        threads: run.threads,
        ...unusual,
        altered: row.altered,
      });
      return { row, seed, config, init, id };
    }),
  );
  // Of a row whose configuration has changed, nothing old may stay.
  const current = new Set(wanted.map(({ id }) => id));
  const touched = new Set(wanted.map(({ row, seed }) => `${row.name} ${seed}`));
  results.entries = results.entries.filter(({ id, row, seed }) => current.has(id) || !touched.has(`${row} ${seed}`));
  const queue = wanted.filter(({ id }) => !results.entries.some((entry) => entry.id === id));
  progress.log(`${study.name}: ${wanted.length - queue.length} of ${wanted.length} cross-validations are there`);
  let saving = Promise.resolve();
  // Rows that differ in stage 2 or labels alone share stage 1: the first of them computes it, the others wait for that.
  const stage1 = new Map<string, Promise<unknown>>();
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { row, seed, config, init, id } = next;
      const { network, distill } = config;
      const start = initServesStage1(config) ? init?.hash : undefined;
      const same = hashOf({ network, distill, images: row.change?.images, init: start, seed });
      const first = stage1.get(same);
      const { promise, resolve } = Promise.withResolvers<void>();
      if (first) await first;
      else stage1.set(same, promise);
      const out = join(run.folder, `${row.name}-${seed}-${id.slice(0, 8)}`);
      const { result, rows: predictions } = await crossValidate({
        ...run,
        config,
        init,
        change: row.change,
        seed,
        split,
        out,
        resume: existsSync(out),
        stage1: join(run.folder, "stage1"),
      }).finally(resolve);
      const order = [...predictions].sort((a, b) => ((a.id === b.id ? a.fold < b.fold : a.id < b.id) ? -1 : 1));
      const { correct, accuracy, balancedAccuracy, logLoss, calibrationError, seconds } = result;
      results.images = order.map(({ id: name, label, fold }) => ({ id: name, label, fold }));
      results.entries.push({
        row: row.name,
        seed,
        id,
        version: run.version,
        correct,
        accuracy,
        balancedAccuracy,
        logLoss,
        calibrationError,
        seconds: Math.round(seconds),
        probabilities: packProbabilities(order),
      });
      if (row.altered) results.entries.at(-1)!.altered = await alteredOf(out, run);
      sortEntries(results.entries, study);
      saving = saving.then(() => writeJson(run.results, results));
      await saving;
      progress.log(`${row.name}, seed ${seed}: ${(100 * accuracy).toFixed(1)} % (${correct} of ${result.count})`);
      await rm(out, { recursive: true });
    }
  };
  // Where one fails the other ends what it is at: nobody works on when this has thrown.
  const ends = await Promise.allSettled(
    [lane(), lane()].map((end) =>
      end.catch((error: unknown) => {
        queue.length = 0;
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results;
}

/** What the encoders of a row start from. @throws `file/*`, `weights/*` */
async function initOf({ study, init }: StudyRun, row: StudyRow): Promise<EncoderInit | undefined> {
  if (!row.init) return undefined;
  if (init === undefined) throw initRequired(`study ${study.name}, row ${row.name}`);
  return readInit(init, networkForInit(configOf(study, row)));
}

async function alteredOf(out: string, { dataset, threads }: StudyRun): Promise<StudyEntry["altered"]> {
  // The other lane's folds go on meanwhile and tell of themselves.
  const found = await testRobustness(out, dataset, ALTERATION_NAMES, { threads, progress: silent });
  const packed = ALTERATION_NAMES.map((name) => {
    const rows = found.images.map((image, i) => ({ ...image, probabilities: found.altered[name]![i]! }));
    return [name, packProbabilities(rows)] as const;
  });
  return Object.fromEntries(packed);
}

function sortEntries(entries: StudyEntry[], { rows }: Study): void {
  const place = ({ row }: StudyEntry) => rows.findIndex(({ name }) => name === row);
  entries.sort((a, b) => place(a) - place(b) || a.seed - b.seed);
}

const STEPS = 65535;

/** 16 bits each, in base 64: an entry of 216 images takes 2 kB. */
export function packProbabilities(rows: readonly PredictionRow[]): string {
  const packed = Uint16Array.from(rows.flatMap(({ probabilities }) => probabilities.map((p) => Math.round(p * STEPS))));
  return Buffer.from(packed.buffer).toString("base64");
}

/** Probabilities of an entry: [image][class]. */
export function probabilitiesOf(
  { images, classes }: StudyResults,
  { probabilities }: Pick<StudyEntry, "probabilities">,
): number[][] {
  const bytes = Buffer.from(probabilities, "base64");
  return images.map((_, i) => classes.map((_, c) => bytes.readUInt16LE(2 * (i * classes.length + c)) / STEPS));
}

/** Whether each image is right, image by image. */
export function hitsOf(results: StudyResults, entry: Pick<StudyEntry, "probabilities">): boolean[] {
  return probabilitiesOf(results, entry).map((p, i) => argmax(p) === results.images[i]!.label);
}
