/** Where encoders start from: which stage from what, and that runs with other weights share nothing. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import type { State } from "../autodiff/index.ts";
import { phantomDataset } from "../datasets/index.ts";
import { foldsInWorkers } from "../jobs/index.ts";
import {
  type Config,
  classify,
  networkOfInit,
  prepare,
  readInit,
  resolveConfig,
  train,
  tunedNetwork,
} from "../learning/index.ts";
import { silent } from "../runs/index.ts";
import { crossValidate } from "./crossval.ts";
import { runStudy, type Study } from "./study.ts";

const WEIGHTS = fileURLToPath(new URL("../learning/fixtures/mobilenet/", import.meta.url));
const network = { ...(await networkOfInit(WEIGHTS)), viewSize: 32 };
const tiny = (initialise: Config["tune"]["initialise"], learningRate = 1e-3) => ({
  network,
  distill: { steps: 1, batch: 4, learningRate, teacher: { enabled: false } },
  tune: { steps: 1, batch: 4, learningRate, initialise, wavelets: null },
});
const phantoms = phantomDataset({ count: 16, seed: 3, size: 72 });
const dataset = {
  ...phantoms,
  samples: phantoms.samples.map((s, i) => ({ ...s, fold: `${Math.floor(i / 4) % 2}` })),
};
const common = { dataset, threads: 1, version: "0", licence: "", progress: silent };

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "androscope-init-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** The furthest that a kernel, scale or shift of the encoder is from those of another network. */
function distance(a: State, b: State): number {
  const names = [...a.keys()].filter((name) => /^encoder\/.*(weight|scale|shift)$/.test(name));
  expect(names.length).toBe(23 * 3);
  return Math.max(
    ...names.flatMap((name) => [...a.get(name)!.data].map((v, k) => Math.abs(v - b.get(name)!.data[k]!))),
  );
}

describe("steps of no length leave encoders where they started", async () => {
  const set = await prepare(dataset, silent);
  const init = (await readInit(WEIGHTS, resolveConfig({ network }).network)).weights;
  const networks = async (initialise: Config["tune"]["initialise"], given: State | undefined) => {
    const config = resolveConfig(tiny(initialise, 1e-9));
    const all = [...set.ids.keys()];
    const trained = await train({
      set,
      train: all,
      config,
      init: given,
      seed: 1,
      name: "x",
      threads: 1,
      progress: silent,
    });
    const { distilled, tuned } = trained.parts;
    return {
      "stage 1": distance(init, distilled),
      "stage 2": distance(init, tuned),
      between: distance(distilled, tuned),
    };
  };
  const [near, far] = [1e-6, 0.1];

  test("from ImageNet, and stage 2 from stage 1", async () => {
    const found = await networks("distilled", init);
    expect(Math.max(...Object.values(found))).toBeLessThan(near);
  });
  test("both from ImageNet", async () => {
    const found = await networks("imagenet", init);
    expect(Math.max(...Object.values(found))).toBeLessThan(near);
  });
  test("stage 1 alone from ImageNet", async () => {
    const found = await networks("scratch", init);
    expect(found["stage 1"]).toBeLessThan(near);
    expect(found["stage 2"]).toBeGreaterThan(far);
  });
  test("without weights", async () => {
    const found = await networks("distilled", undefined);
    expect(found["stage 1"]).toBeGreaterThan(far);
    expect(found.between).toBeLessThan(near);
  });
});

test("an encoder of stage 2's own starts from the weights, and stage 1 is as it is without any", async () => {
  const set = await prepare(dataset, silent);
  const small = { widths: [8, 8, 8, 8], blocks: [1, 1, 1, 1], viewSize: 32 } as const;
  const { distill, tune } = tiny("imagenet", 1e-9);
  const { viewSize: _, ...own } = network;
  const config = resolveConfig({ network: small, distill, tune: { ...tune, network: own, viewSize: 48 } });
  const init = (await readInit(WEIGHTS, tunedNetwork(config))).weights;
  const all = [...set.ids.keys()];
  const common = { set, train: all, seed: 1, name: "x", threads: 1, progress: silent };
  const { parts } = await train({ ...common, config, init });
  expect(distance(init, parts.tuned)).toBeLessThan(1e-6);
  const alone = await train({
    ...common,
    config: resolveConfig({ network: small, distill, tune: tiny("scratch").tune }),
  });
  expect([...parts.distilled].map(([name, { data }]) => [name, [...data]])).toEqual(
    [...alone.parts.distilled].map(([name, { data }]) => [name, [...data]]),
  );
  // What is exported has both networks in it.
  const [first] = await classify(set, [0], parts, { threads: 1 });
  expect(first!.probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
}, 120_000);

test("a study gives weights to the rows that ask, shares no stage 1 between them and the others, and says what lacks", async () => {
  const out = await folder();
  const { viewSize: _, ...own } = network;
  const { tune, ...rest } = tiny("imagenet");
  const ownEncoder = { ...rest, tune: { ...tune, network: own } };
  const distilled = tiny("distilled");
  const probed = { ...distilled, tune: { ...distilled.tune, probe: { network: own, viewSize: 32 } } };
  const study: Study = {
    name: "starts",
    title: "Starts",
    about: "",
    seeds: [1],
    rows: [
      { name: "scratch", what: "", config: tiny("scratch") },
      { name: "distilled", what: "", config: tiny("distilled"), init: true },
      { name: "imagenet", what: "", config: tiny("imagenet"), init: true },
      { name: "random", what: "", config: tiny("distilled") },
      // Stage 1 is that of the row before, which starts from nothing.
      { name: "own", what: "", config: ownEncoder, init: true },
      { name: "probe", what: "", config: probed, init: true },
    ],
  };
  const run = { ...common, study, results: join(out, "results.json"), folder: join(out, "runs") };
  await expect(runStudy(run)).rejects.toMatchObject({ code: "weights/required" });
  const found = await runStudy({ ...run, init: WEIGHTS });
  // Two folds each, with the weights and without.
  expect(await readdir(join(out, "runs/stage1"))).toHaveLength(4);
  expect(new Set(found.entries.map(({ id }) => id)).size).toBe(6);
  expect(new Set(found.entries.map(({ probabilities }) => probabilities)).size).toBe(6);
  // Rows without weights need none, and are the same with them.
  const alone = await runStudy({ ...run, rows: ["scratch", "random"] });
  expect(alone.entries).toEqual(found.entries);
}, 120_000);

test("in processes of their own folds start from the same, and the result says from what", async () => {
  const out = await folder();
  const config = resolveConfig(tiny("imagenet"));
  const init = await readInit(WEIGHTS, config.network);
  const options = { ...common, config, seed: 1, split: { kind: "published" } as const };
  await expect(crossValidate({ ...options, out: join(out, "none") })).rejects.toMatchObject({
    code: "weights/required",
  });
  const here = await crossValidate({ ...options, init, out: join(out, "here") });
  const there = await crossValidate({ ...options, init, out: join(out, "there"), runFolds: foldsInWorkers(2) });
  expect(there.rows).toEqual(here.rows);
  expect(here.result.init).toBe(init.hash);
}, 120_000);
