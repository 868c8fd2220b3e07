/**
 * Worker processes against threads: the same folds, default network, a few steps, in each way in turn.
 *
 *   node scripts/with-node.mjs bench/workers.ts [--data FOLDER] [--k 4] [--distill 30] [--tune 20] [--rounds 1]
 *     [--ways 1x1,2x1,1x2] [--json FILE]
 *
 * A way is workers x threads of each. Without --data it draws phantoms of 131 x 131. Crops are prepared once, before
 * the clock runs; what is timed is everything from the first fold's begin to the last one's end, processes' starts
 * included. Only ratios of one run mean something, and only on a machine with nothing else to do: the load is printed.
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDataset, phantomDataset } from "../src/datasets/index.ts";
import { crossValidate } from "../src/evaluation/index.ts";
import { foldsInWorkers } from "../src/jobs/index.ts";
import { packPrepared, prepare, resolveConfig } from "../src/learning/index.ts";
import { silent, version, writeArrays, writeJson } from "../src/runs/index.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    k: { type: "string", default: "4" },
    distill: { type: "string", default: "30" },
    tune: { type: "string", default: "20" },
    rounds: { type: "string", default: "1" },
    ways: { type: "string", default: "1x1,2x1,1x2" },
    json: { type: "string" },
  },
});
const config = resolveConfig({ distill: { steps: Number(values.distill) }, tune: { steps: Number(values.tune) } });
const dataset = values.data ? await openDataset(values.data) : phantomDataset({ count: 216, seed: 1, size: 131 });
const ways = values.ways.split(",").map((way) => way.split("x").map(Number) as [workers: number, threads: number]);

const root = await mkdtemp(join(tmpdir(), "androscope-workers-"));
const results = ways.map(([workers, threads]) => ({ workers, threads, seconds: [] as number[], peakRssBytes: 0 }));
try {
  const prepared = join(root, "prepared.bin");
  await writeArrays(prepared, packPrepared(await prepare(dataset, silent)));
  for (let round = 0; round < Number(values.rounds); round++) {
    // Every other round backwards, so that a load that grows or falls favours nobody.
    for (const result of round % 2 ? results.toReversed() : results) {
      const { workers, threads } = result;
      const out = join(root, `${round}-${workers}x${threads}`);
      await mkdir(join(out, "checkpoint"), { recursive: true });
      await copyFile(prepared, join(out, "checkpoint/prepared.bin"));
      let seconds = 0;
      const runFolds = foldsInWorkers(workers);
      const run = await crossValidate({
        dataset,
        config,
        seed: 1,
        split: { kind: "drawn", k: Number(values.k) },
        out,
        threads,
        version: version(),
        licence: "for a measurement",
        progress: silent,
        runFolds: async (...folds) => {
          const begun = performance.now();
          await runFolds(...folds);
          seconds = (performance.now() - begun) / 1000;
        },
      });
      result.seconds.push(seconds);
      // With one worker it is this process, which has done other things before.
      if (workers > 1) result.peakRssBytes = Math.max(...run.result.folds.map((fold) => fold.peakRssBytes));
      const load = loadavg()[0]!.toFixed(1);
      console.log(`${workers} workers x ${threads} threads: ${seconds.toFixed(1)} s (load average ${load})`);
    }
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
const middle = (list: readonly number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]!;
const first = middle(results[0]!.seconds);
const rows = results.map((result) => ({
  ...result,
  median: middle(result.seconds),
  ratio: first / middle(result.seconds),
}));
console.table(rows.map(({ seconds, ...row }) => ({ ...row, runs: seconds.length })));
if (values.json) await writeJson(values.json, { k: Number(values.k), config, rows });
