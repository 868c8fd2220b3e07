/**
 * Where MHSMA's networks fail: their right answers by how steady stage 0 finds a head's mask, in fifths of the images of train
 * and valid. Those answers are the search's first recipe's; nothing is trained.
 *
 *     node scripts/with-node.mjs experiments/mhsma-reliability.ts data/mhsma
 *
 * Half a minute. Writes experiments/results/mhsma-reliability.json.
 */
import { MHSMA_STRUCTURES, openDataset } from "../src/datasets/index.ts";
import { argmax, type StudyResults } from "../src/evaluation/index.ts";
import { prepare } from "../src/learning/index.ts";
import { terminalProgress, writeJson } from "../src/runs/index.ts";
import { structureRows } from "./mhsma.ts";
import type { ReliabilityFifth } from "./mhsma-search-section.ts";
import { readResults } from "./read-results.ts";
import { study } from "./studies/mhsma-search.ts";

const FIFTHS = 5;

const [root] = process.argv.slice(2);
if (!root) throw new Error("usage: mhsma-reliability.ts MHSMA_FOLDER");
const results = readResults<StudyResults>("studies/mhsma-search.json");
const entry = results?.entries.find(({ row }) => row === study.rows[0]!.name);
if (!results || !entry) throw new Error("the study mhsma-search has no result yet");
const answers = MHSMA_STRUCTURES.map((structure) => {
  const rows = structureRows(results, [entry], structure);
  return new Map(rows.map(({ id, label, probabilities }) => [id, { label, right: argmax(probabilities) === label }]));
});

const dataset = await openDataset(root, study.dataset);
const samples = dataset.samples.filter(({ fold }) => study.only!.includes(fold!));
const { ids, reliability } = await prepare({ ...dataset, samples }, terminalProgress());
const steady = [...ids.keys()].sort((a, b) => reliability[a]! - reliability[b]!);
const fifths: ReliabilityFifth[] = Array.from({ length: FIFTHS }, (_, f) => {
  const part = steady.slice(Math.floor((f * steady.length) / FIFTHS), Math.floor(((f + 1) * steady.length) / FIFTHS));
  const share = (of: (answer: { label: number; right: boolean }) => boolean) =>
    answers.map((known) => part.filter((i) => of(known.get(ids[i]!)!)).length / part.length);
  return {
    images: part.length,
    reliability: [reliability[part[0]!]!, reliability[part.at(-1)!]!],
    abnormal: share(({ label }) => label === 1),
    right: share(({ right }) => right),
  };
});
await writeJson(new URL("results/mhsma-reliability.json", import.meta.url).pathname, fifths);
