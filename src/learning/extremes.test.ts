/**
 * Extreme crops, masks, labels and settings through both stages and the exported model: losses, gradients and state stay
 * finite, and what cannot be is refused by name.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type Feeds, TrainingSession, type TrainingStep } from "../autodiff/index.ts";
import type { Dataset } from "../datasets/index.ts";
import type { Image } from "../imaging/index.ts";
import { isAndroscopeError, Random, silent } from "../runs/index.ts";
import { resolveConfig } from "./config.ts";
import { distillFeeds, distillStep } from "./distill.ts";
import { phantomSet, posedSet, type Settings, smallConfig } from "./fixtures.ts";
import { colourStatistics, type Trained, train } from "./fold.ts";
import { exportModel, Model } from "./model.ts";
import { type PreparedSet, prepare } from "./prepare.ts";
import { tuneFeeds, tuneStep } from "./tune.ts";

let set: PreparedSet;
beforeAll(async () => {
  set = await phantomSet(6);
});

/** Three steps on the same batch: everything that comes out must be a number. */
async function expectFinite(step: TrainingStep, feeds: Feeds): Promise<Record<string, number>[]> {
  const session = await TrainingSession.create(step, { threads: 1 });
  try {
    session.initialize(Random.seeded(1));
    const out: Record<string, number>[] = [];
    for (let k = 0; k < 3; k++) {
      const values = await session.run(feeds, { learningRate: 0.01 });
      expect(Object.entries(values).filter(([, value]) => !Number.isFinite(value))).toEqual([]);
      out.push(values);
    }
    const broken = [...session.state()].filter(([, { data }]) => !data.every(Number.isFinite)).map(([name]) => name);
    expect(broken).toEqual([]);
    return out;
  } finally {
    session.dispose();
  }
}

const copy = (change: Partial<PreparedSet>): PreparedSet => ({ ...set, ...change });
const filled = (array: Uint8Array, value: number) => new Uint8Array(array.length).fill(value);
/** Targets with a channel for each of mask, distance and acrosome. */
const targetsOf = (mask: number, distance: number, acrosome: number) =>
  set.targets.map((_, i) => [mask, distance, acrosome][i % 3]!);

const SETS: Readonly<Record<string, () => PreparedSet>> = {
  "black crops": () => copy({ pixels: filled(set.pixels, 0) }),
  "white crops": () => copy({ pixels: filled(set.pixels, 255) }),
  "grey crops": () => copy({ pixels: filled(set.pixels, 179) }),
  "empty masks": () => copy({ targets: targetsOf(0, 0, 0) }),
  "full masks": () => copy({ targets: targetsOf(255, 255, 255) }),
  "masks of one pixel": () =>
    copy({ targets: set.targets.map((_, i) => (i % (set.side * set.side * 3) === 0 ? 255 : 0)) }),
  "no reliability anywhere": () => copy({ reliability: new Float32Array(set.reliability.length) }),
  "black crops, empty masks, no reliability": () =>
    copy({
      pixels: filled(set.pixels, 0),
      targets: targetsOf(0, 0, 0),
      reliability: new Float32Array(set.reliability.length),
    }),
  "crops of one pixel": () => copy({ sizes: new Float32Array(set.sizes.length).fill(1) }),
  "crops one pixel wide": () => copy({ sizes: set.sizes.map((size, i) => (i % 2 ? size : 1)) }),
  "a tiny crop among large ones": () => copy({ sizes: set.sizes.map((size, i) => (i < 2 ? 2 : size)) }),
  "one class": () => copy({ labels: new Int32Array(set.labels.length) }),
  "votes of zero": () => copy({ votes: new Float32Array(set.votes.length) }),
  "all votes for one class": () => copy({ votes: set.votes.map((_, i) => (i % 3 ? 0 : 1)) }),
};
const cases = Object.entries(SETS);

describe("stage 1", () => {
  test.each(cases)("%s", async (_, make) => {
    const changed = make();
    const members = [...changed.ids.keys()];
    const config = smallConfig();
    const geometry = {
      frameExtent: set.frameExtent,
      viewExtent: set.frameExtent,
      ...colourStatistics(changed, members),
    };
    expect(Object.values(geometry).flat().every(Number.isFinite)).toBe(true);
    const feeds = distillFeeds(changed, members, geometry, config, Random.seeded(3))(0);
    await expectFinite(distillStep(changed, geometry, config), feeds);
  });

  test("no reliability teaches the pixel tasks nothing", async () => {
    const changed = SETS["no reliability anywhere"]!();
    const config = smallConfig({ distill: { tasks: { rotation: 0 } } });
    const { geometry } = posedSet(changed, config);
    const feeds = distillFeeds(changed, [...changed.ids.keys()], geometry, config, Random.seeded(3))(0);
    for (const { loss, gradientNorm } of await expectFinite(distillStep(changed, geometry, config), feeds))
      expect({ loss, gradientNorm }).toEqual({ loss: expect.closeTo(0, 6), gradientNorm: expect.closeTo(0, 6) });
  });
});

describe("stage 2", () => {
  const everything = {
    consistency: 1,
    auxiliaryMask: 1,
    mixup: 0.2,
    agreementWeighting: true,
  };
  const run = async (changed: PreparedSet, settings: Settings["tune"], frames?: number) => {
    const config = smallConfig({ tune: settings });
    const posed = posedSet(changed, config);
    const feeds = { ...tuneFeeds(posed, [...changed.ids.keys()], config, Random.seeded(3))(0) };
    if (frames !== undefined) feeds.frames = filled(feeds.frames, frames);
    return expectFinite(tuneStep(posed, config), feeds);
  };

  test.each(cases)("%s", async (_, make) => {
    await run(make(), everything);
  });

  test.each([0, 255])("predicted masks of %i, pooled over the mask alone", async (frames) => {
    await run(set, { ...everything, pooling: "mask", loss: "generalised" }, frames);
  });

  test.each([
    ["dropout of everything", { dropout: 1 }],
    ["smoothing of everything", { labelSmoothing: 1 }],
    ["no margin", { suppress: { margin: [0, 0] } }],
    ["a mixup of almost whole crops", { mixup: 0.001 }],
    ["black and white gains", { augmentation: { brightness: 1, colour: 1 } }],
    ["a batch of two", { batch: 2 }],
  ])("%s", async (_, settings) => {
    await run(set, settings);
  });

  test("a loss that is right beyond doubt, and one that is wrong beyond doubt", async () => {
    const config = smallConfig({ tune: { loss: "generalised", labelSmoothing: 0, consistency: 1 } });
    const posed = posedSet(set, config);
    const feeds = tuneFeeds(posed, [...set.ids.keys()], config, Random.seeded(3))(0);
    for (const loss of ["generalised", "crossEntropy"]) {
      const step = tuneStep(posed, smallConfig({ tune: { loss, labelSmoothing: 0, consistency: 1 } }));
      const session = await TrainingSession.create(step, { threads: 1 });
      session.initialize(Random.seeded(1));
      const state = session.state();
      for (const size of [1e4, -1e4, 1e15]) {
        const bias = { shape: [3], data: Float32Array.of(size, 0, 0) };
        session.load(new Map([...state, ["param/classifier/logits/bias", bias]]));
        const values = await session.run(feeds, { learningRate: 0.01 });
        expect(Object.values(values).every(Number.isFinite), `${loss} ${size}`).toBe(true);
        for (const [name, { data }] of session.state()) expect(data.every(Number.isFinite), name).toBe(true);
      }
      session.dispose();
    }
  });
});

describe("settings that cannot be", () => {
  test.each([
    ["a margin that shrinks", { tune: { suppress: { margin: [5, 2] } } }],
    ["no zoom", { tune: { augmentation: { zoom: [0, 1] } } }],
    ["a zoom below zero", { distill: { augmentation: { zoom: [-1, 1] } } }],
  ])("%s", (_, settings) => {
    expect(() => resolveConfig(settings)).toThrow(expect.objectContaining({ code: "config/bad-value" }));
  });
});

/** A crop of one colour. */
const plain = (width: number, height: number, value: number): Image => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(value),
});

function datasetOf(images: readonly Image[], labels: readonly number[]): Dataset {
  const samples = images.map((image, i) => ({ id: `${i}`, label: labels[i]!, load: async () => image }));
  return { kind: "folder", root: "", classes: ["a", "b"], samples, problems: [], hash: "" };
}

describe("whole trainings of crops without heads, and their models", () => {
  const description = {
    program: "test",
    classes: ["a", "b"],
    training: { dataset: "test", hash: "", images: 4, seed: 1, licence: "", transductive: false },
  };
  const odd: readonly Image[] = [
    ...[0, 128, 255].map((value) => plain(24, 24, value)),
    ...[plain(1, 1, 7), plain(1, 40, 200), plain(40, 1, 3), plain(2, 3, 90), plain(500, 300, 128)],
  ];

  test.each([
    ["all black", [0, 0, 0, 0].map((value) => plain(24, 24, value))],
    ["all of one grey", [179, 179, 179, 179].map((value) => plain(24, 24, value))],
    ["of one pixel", [10, 200, 30, 100].map((value) => plain(1, 1, value))],
    ["of very different sizes", [plain(8, 8, 60), plain(24, 9, 200), plain(9, 24, 0), plain(20, 20, 255)]],
  ])("%s", async (_, images) => {
    const prepared = await prepare(datasetOf(images, [0, 1, 0, 1]), silent);
    const config = smallConfig({
      distill: { steps: 3, batch: 4 },
      tune: { steps: 3, batch: 4, testViews: { rotations: [0, 8] } },
    });
    const task = { set: prepared, train: [0, 1, 2, 3], config, seed: 1, name: "all", threads: 1, progress: silent };
    const trained: Trained = await train(task);
    for (const weights of [trained.parts.distilled, trained.parts.tuned])
      for (const [name, { data }] of weights) expect(data.every(Number.isFinite), name).toBe(true);
    const model = await Model.from(await exportModel(trained.parts, description), "test", { threads: 1 });
    try {
      const predictions = [...(await model.predict(odd)), ...(await model.predict([odd[3]!]))];
      expect(predictions).toHaveLength(odd.length + 1);
      for (const { probabilities, centre, axis, length, width, agreement, direction, mask } of predictions) {
        const total = probabilities.reduce((a, b) => a + b, 0);
        expect(total).toBeCloseTo(1, 5);
        const numbers = [...probabilities, ...centre, ...axis, length, width, agreement, direction, ...mask];
        expect(numbers.filter((value) => !Number.isFinite(value))).toEqual([]);
        expect(Math.hypot(...axis)).toBeCloseTo(1, 4);
      }
      expect(await model.predict([])).toEqual([]);
    } finally {
      model.dispose();
    }
  });

  test("no crop that can be read is refused by name", async () => {
    const nothing = { ...datasetOf([], []), samples: [] };
    const error = await prepare(nothing, silent).catch((e: unknown) => e);
    expect(isAndroscopeError(error, "data/empty")).toBe(true);
  });
});
