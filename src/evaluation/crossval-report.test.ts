import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { phantomDataset, type Sample } from "../datasets/index.ts";
import { defaultConfig, type PreparedSet, prepare, resolveConfig } from "../learning/index.ts";
import { silent } from "../runs/index.ts";
import type { CrossvalRun } from "./crossval.ts";
import { crossvalReport, writeCrossvalReport } from "./crossval-report.ts";
import { differences } from "./differences.ts";
import { groupings } from "./grouping.ts";
import { computeMetrics, type PredictionRow, wilson } from "./metrics.ts";
import { calibrationPoints, classFigures, coveragePoints, f1Estimate } from "./report-figures.ts";

const row = (label: number, probabilities: number[], id = "a"): PredictionRow => ({
  id,
  label,
  fold: "1",
  probabilities,
});

describe("figures with intervals", () => {
  test("F1 is that of precision and recall, and its interval holds it", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (hits, missed, wrong) => {
        const { value, low, high } = f1Estimate(hits, hits + missed, hits + wrong);
        const all = 2 * hits + missed + wrong;
        expect(value).toBeCloseTo(all ? (2 * hits) / all : 0, 12);
        expect(low).toBeLessThanOrEqual(value + 1e-12);
        expect(high).toBeGreaterThanOrEqual(value - 1e-12);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("the interval of F1 covers the true value about as often as it says", () => {
    // 40 images of a class and 120 others; recall 0.8, one in ten of the others taken for it: F1 = 64 / (64 + 8 + 12).
    const truth = 64 / 84;
    let state = 12345;
    const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const binomial = (n: number, p: number) => Array.from({ length: n }).filter(() => uniform() < p).length;
    let covered = 0;
    const trials = 2000;
    for (let i = 0; i < trials; i++) {
      const hits = binomial(40, 0.8);
      const { low, high } = f1Estimate(hits, 40, hits + binomial(120, 0.1));
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.93);
  });

  test("classes: precision over the column, recall over the row", () => {
    const [a, b] = classFigures(
      [
        [8, 2],
        [4, 0],
      ],
      ["a", "b"],
    );
    expect(a).toMatchObject({
      support: 10,
      predicted: 12,
      precision: { value: 8 / 12 },
      recall: { value: 0.8, ...wilson(8, 10) },
    });
    expect(b).toMatchObject({ support: 4, predicted: 2, precision: { value: 0 }, f1: { value: 0, low: 0 } });
  });

  test("bins of confidence have their borders, and Wilson's interval of their counts", () => {
    const bins = [
      { confidence: 0.3, accuracy: 0.25, count: 8 },
      { confidence: 0.8, accuracy: 0, count: 0 },
    ];
    expect(calibrationPoints(bins)).toMatchObject([
      { from: 0, to: 0.5, confidence: 0.3, count: 8, value: 0.25, ...wilson(2, 8) },
      { from: 0.5, to: 1, count: 0 },
    ]);
  });

  test("coverage counts from the most confident on", () => {
    const rows = [row(0, [0.6, 0.4], "a"), row(1, [0.9, 0.1], "b"), row(1, [0.2, 0.8], "c")];
    expect(coveragePoints(rows)).toMatchObject([
      { share: 1 / 3, count: 1, confidence: 0.9, value: 0, ...wilson(0, 1) },
      { share: 2 / 3, count: 2, confidence: 0.8, value: 0.5 },
      { share: 1, count: 3, confidence: 0.6, value: 2 / 3 },
    ]);
  });

  test("coverage of many images keeps at most 200 points, the last of them all", () => {
    const rows = Array.from({ length: 1540 }, (_, i) => row(i % 2, [0.5 + i / 4000, 0.5 - i / 4000], `${i}`));
    const points = coveragePoints(rows);
    expect(points.length).toBeLessThanOrEqual(200);
    expect(points.at(-1)).toMatchObject({ share: 1, count: 1540, value: 0.5 });
  });
});

test("differences of configurations name the leaves that differ", () => {
  expect(differences(defaultConfig, defaultConfig)).toEqual([]);
  const other = resolveConfig({ network: { widths: [8, 16, 32, 64] }, tune: { testViews: { mirror: false } } });
  expect(differences(other, defaultConfig)).toEqual([
    { key: "network.widths", value: [8, 16, 32, 64], usual: defaultConfig.network.widths },
    { key: "tune.testViews.mirror", value: false, usual: true },
  ]);
  expect(differences({ a: { b: 1 } }, { a: 2, c: null })).toEqual([
    { key: "a", value: { b: 1 }, usual: 2 },
    { key: "c", value: undefined, usual: null },
  ]);
});

test("groups are counted where they are named, and those in several folds", () => {
  const sample = (patient: string | undefined, group?: string) => ({ id: "x", patient, group }) as Sample;
  const samples = [sample("p", "a"), sample("p", "b"), sample("q", "b"), sample(undefined, "c")];
  expect(groupings(samples, [0, 1, 1, 0])).toEqual([
    { key: "patient", count: 2, divided: 1 },
    { key: "group", count: 3, divided: 0 },
  ]);
  expect(groupings([sample(undefined)], [0])).toEqual([]);
});

/** A finished run over six phantoms whose masks are squares in the middle; every second answer is wrong. */
async function finishedRun(): Promise<CrossvalRun> {
  const dataset = phantomDataset({ count: 6, seed: 3, size: 64, classes: ["Normal", "Tapered"] });
  const set: PreparedSet = await prepare(dataset, silent);
  const side = 16;
  const frame = Float32Array.from({ length: side * side }, (_, i) =>
    Math.abs((i % side) - 7.5) < 4 && Math.abs(Math.floor(i / side) - 7.5) < 4 ? 0.9 : 0.1,
  );
  const rows = set.ids.map((id, i): PredictionRow => {
    const right = i % 2 === 0 ? 0.7 : 0.4 - i / 100;
    const label = set.labels[i]!;
    return { id, label, fold: `${i % 3}`, probabilities: label === 0 ? [right, 1 - right] : [1 - right, right] };
  });
  const records = ["0", "1", "2"].map((name, f) => ({
    task: "",
    spells: [],
    name,
    train: 4,
    test: 2,
    correct: rows.filter((r, i) => r.fold === name && i % 2 === 0).length,
    accuracy: 0.5,
    seconds: 10,
    peakRssBytes: 1e8,
    predictions: rows.flatMap((r, index) =>
      r.fold === name
        ? [{ index, probabilities: [...r.probabilities], length: 20, width: 12, agreement: 0.9 - index / 10 }]
        : [],
    ),
    curves: {
      distill: [{ step: 1, values: { loss: 2 } }],
      tune: [{ step: 1, values: { loss: 1, accuracy: 0.5 } }],
    },
    masks: [{ id: "x", reliability: 0.9, overlap: 0.8, agreement: 0.9, replaced: f === 0 }],
    looks: [],
  }));
  const config = resolveConfig({ distill: { steps: 7 } });
  return {
    set,
    rows,
    records,
    masks: new Map(set.ids.map((_, i) => [i, frame])),
    environment: { node: "v24", onnxruntime: "1", platform: "x", cpu: "y", cores: 2, memoryBytes: 1e9 },
    result: {
      protocol: "Fixed.",
      split: { kind: "drawn", k: 3 },
      grouping: [],
      ...computeMetrics(rows, set.classes),
      calibrated: { ...computeMetrics(rows, set.classes), temperatures: [] },
      temperature: 1,
      folds: records,
      config,
      seed: 5,
      threads: 2,
      device: "cpu",
      dataset: { kind: "phantoms", hash: dataset.hash, images: 6, skipped: 0 },
      seconds: 30,
      workSeconds: 30,
      workers: 1,
      peakRssBytes: 1e8,
      totalPeakRssBytes: 1e8,
    },
  };
}

describe("a finished run", () => {
  test("becomes a report's data", async () => {
    const data = await crossvalReport(await finishedRun(), { version: "0", command: "androscope demo" });
    expect(data.folds.map((f) => f.name)).toEqual(["0", "1", "2"]);
    expect(data.dataset.counts).toEqual([3, 3]);
    expect(data.changed).toEqual([{ key: "distill.steps", value: 7, usual: defaultConfig.distill.steps }]);
    expect(data.masks).toMatchObject({ replaced: 1, taught: 3, trainingOverlap: 0.8 });
    expect(data.masks.testOverlap).toHaveLength(6);
    expect(data.curves.stage1).toEqual(["0", "1", "2"].map((name) => ({ name, points: [{ step: 1, value: 2 }] })));
    // Wrong are 1, 3 and 5, the last the most confident; the masks of the last agree least.
    const ids = (crops: readonly { id: string }[]) => crops.map((c) => Number(/(\d+)\.png$/.exec(c.id)![1]));
    expect(ids(data.mistakes)).toEqual([5, 3, 1]);
    expect(ids(data.doubtful)).toEqual([5, 4, 3, 2, 1, 0]);
    expect(data.mistakes[0]).toMatchObject({ width: 64, height: 64, truth: "Tapered", predicted: "Normal", fold: "2" });
    // The square of 8 of 16 cells on a crop of 64 pixels: between 16 and 48.
    const xs = data.mistakes[0]!.outlines.flat().map(([x]) => x);
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([16, 48]);
    expect(data.doubtful[0]!.notes![0]).toBe("agreement 0.40");
  });

  test("with refined labels shows those that are likelier another, averaged over the folds", async () => {
    const run = await finishedRun();
    expect((await crossvalReport(run, { version: "0", command: "x" })).labels).toBeUndefined();
    const likely = [
      [0.9, 0.1],
      [0.2, 0.8],
    ];
    const records = run.records.map((record, f) => ({
      ...record,
      // Image 1 is Tapered; folds 0 and 1 learned from it, and differ.
      labels: f < 2 ? [{ index: 1, given: 1, likely: likely[f]! }] : [{ index: 0, given: 0, likely: likely[0]! }],
    }));
    const { labels } = await crossvalReport({ ...run, records }, { version: "0", command: "x" });
    expect(labels).toMatchObject({ count: 2, doubted: 1 });
    expect(labels!.crops).toHaveLength(1);
    expect(labels!.crops[0]).toMatchObject({ truth: "Tapered", likely: "Normal" });
    expect(labels!.crops[0]!.probabilities![0]).toBeCloseTo(0.55, 12);
  });

  test("is written whole, and draws again from its data", async () => {
    const out = await mkdtemp(join(tmpdir(), "androscope-report-"));
    onTestFinished(() => rm(out, { recursive: true, force: true }));
    const path = await writeCrossvalReport(await finishedRun(), out, { version: "0", command: "androscope demo" });
    const html = await readFile(path, "utf8");
    const { renderRunReport } = await import("../reports/index.ts");
    expect(renderRunReport(JSON.parse(await readFile(join(out, "report-data.json"), "utf8")))).toBe(html);
    expect(html).not.toMatch(/NaN|undefined/);
  });
});
