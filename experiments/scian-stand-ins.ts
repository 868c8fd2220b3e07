/**
 * Every protocol of SCIAN, end to end, on stand-ins drawn from its votes: SCIAN's images could not be obtained. The
 * figures say nothing of cells. What they can show is that folds, votes and reports work at the set's full size, and
 * whether votes as soft targets help where votes decide the shape, which in stand-ins they do.
 *
 *   node experiments/scian-stand-ins.ts ../shared/data/scian/votes_and_folds.csv runs/scian-stand-ins
 *
 * A small network and few steps: about ten minutes of one core. Finished runs are kept, interrupted ones continue.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { licenceOf, openDataset, type Sample, writeStandIns } from "../src/datasets/index.ts";
import { bootstrap, type CrossvalOptions, type CrossvalResult, crossValidate } from "../src/evaluation/index.ts";
import { resolveConfig } from "../src/learning/index.ts";
import { terminalProgress, version, writeJson } from "../src/runs/index.ts";
import { NETWORK } from "./baselines.ts";

const DRAWN_WITH = 1;
const SMALL = {
  network: { widths: [12, 24, 48, 96], blocks: [1, 1, 1, 1], viewSize: 32 },
  distill: { steps: 120 },
  tune: { ...NETWORK, steps: 240 },
};

interface Protocol {
  name: string;
  agreement: "partial" | "total";
  split: CrossvalOptions["split"];
  votes: boolean;
  seeds: readonly number[];
}

const PARTIAL: Protocol = {
  name: "partial agreement, published folds",
  agreement: "partial",
  split: { kind: "published" },
  votes: true,
  seeds: [1, 2, 3],
};
const PROTOCOLS: Protocol[] = [
  PARTIAL,
  { ...PARTIAL, votes: false },
  { ...PARTIAL, name: "total agreement, published folds", agreement: "total", seeds: [1] },
  {
    ...PARTIAL,
    name: "partial agreement, folds that keep fields together",
    split: { kind: "drawn", k: 5, group: "group" },
    seeds: [1],
  },
  {
    ...PARTIAL,
    name: "partial agreement, leave one subject out",
    split: { kind: "one-out", group: "patient" },
    seeds: [1],
  },
];

interface StandInsRun extends Pick<CrossvalResult, "count" | "correct" | "accuracy" | "accuracyInterval"> {
  protocol: string;
  votes: boolean;
  seed: number;
  folds: { name: string; train: number; test: number; correct: number }[];
  grouping: CrossvalResult["grouping"];
  balancedAccuracy: number;
  /** Of the predictions against the experts' shares, in nats. */
  votesCrossEntropy: number;
  seconds: number;
}

/** With votes less without, over images and seeds, with 95 % intervals. */
interface Difference {
  mean: number;
  interval: { low: number; high: number };
}

export interface ScianStandIns {
  what: string;
  drawnWithSeed: number;
  config: unknown;
  version: string;
  /** Runs in all; fewer are there where it was interrupted. */
  planned: number;
  runs: StandInsRun[];
  votesAgainstLabels: { seeds: number; images: number; accuracy: Difference; votesCrossEntropy: Difference };
}

/** Cross-entropy of a prediction against the experts' shares. */
function againstVotes(probabilities: readonly number[], raters: readonly (number | null)[]): number {
  return raters.reduce<number>((sum, vote) => sum - Math.log(Math.max(1e-7, probabilities[vote!]!)), 0) / raters.length;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

if (process.argv[1] === import.meta.filename) {
  const [votes, out] = process.argv.slice(2);
  if (!votes || !out) throw new Error("usage: scian-stand-ins.ts VOTES_AND_FOLDS_CSV RUNS_FOLDER");
  const progress = terminalProgress();
  const images = join(out, "images");
  if (!existsSync(join(images, "votes_and_folds.csv"))) {
    await writeStandIns(images, { votes, seed: DRAWN_WITH }, progress);
  }
  const runs: StandInsRun[] = [];
  /** By votes or labels, then by seed and image. */
  const hits: Record<string, number[][]> = { votes: [], labels: [] };
  const entropies: Record<string, number[][]> = { votes: [], labels: [] };
  const difference = ({ votes = [], labels = [] }: Record<string, number[][]>): Difference => {
    const gains = labels.map((values, s) => votes[s]!.map((value, i) => value - values[i]!));
    return { mean: mean(gains.map(mean)), interval: bootstrap(gains) };
  };
  /** After every run, so that an interrupted experiment leaves what it has. */
  const save = async () => {
    if (hits.labels!.length < PARTIAL.seeds.length) return;
    const results: ScianStandIns = {
      what: "Protocols of SCIAN on stand-ins drawn from its votes; nothing here says anything of cells",
      drawnWithSeed: DRAWN_WITH,
      config: SMALL,
      version: version(),
      planned: PROTOCOLS.flatMap(({ seeds }) => seeds).length,
      runs,
      votesAgainstLabels: {
        seeds: PARTIAL.seeds.length,
        images: hits.votes![0]!.length,
        accuracy: difference(hits),
        votesCrossEntropy: difference(entropies),
      },
    };
    await writeJson(join(import.meta.dirname, "results/scian-stand-ins.json"), results);
  };
  for (const protocol of PROTOCOLS) {
    const { name, agreement, split } = protocol;
    const dataset = await openDataset(images, { agreement });
    const samples = new Map<string, Sample>(dataset.samples.map((sample) => [sample.id, sample]));
    for (const seed of protocol.seeds) {
      const run = join(out, `${name}-${protocol.votes ? "votes" : "labels"}-${seed}`.replaceAll(/[ ,]+/g, "-"));
      const { result, rows } = await crossValidate({
        dataset,
        config: resolveConfig({ ...SMALL, tune: { ...SMALL.tune, votes: protocol.votes } }),
        seed,
        split,
        out: run,
        resume: existsSync(run),
        threads: 1,
        stage1: join(out, "stage1"),
        version: version(),
        licence: licenceOf(dataset.kind),
        progress,
      });
      const entropy = rows.map(({ id, probabilities }) => againstVotes(probabilities, samples.get(id)!.raters!));
      const { count, correct, accuracy, accuracyInterval, balancedAccuracy, grouping, seconds } = result;
      runs.push({
        protocol: name,
        votes: protocol.votes,
        seed,
        count,
        correct,
        accuracy,
        accuracyInterval,
        balancedAccuracy,
        votesCrossEntropy: mean(entropy),
        grouping,
        folds: result.folds.map(({ name, train, test, correct }) => ({ name, train, test, correct })),
        seconds: Math.round(seconds),
      });
      if (name === PARTIAL.name) {
        const targets = protocol.votes ? "votes" : "labels";
        entropies[targets]!.push(entropy);
        hits[targets]!.push(
          rows.map((row) => Number(row.probabilities.indexOf(Math.max(...row.probabilities)) === row.label)),
        );
      }
      await save();
    }
  }
}
