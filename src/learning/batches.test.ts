/**
 * A crop's result does not depend on the crops beside it: in batches of any size, the last one smaller, and in any order.
 * ONNX Runtime may block its products differently for another batch size, which leaves roundings of about 1e-7 relative;
 * through some ten layers, softmax and moments they stay below a thousandth of what is shown to anyone.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawn } from "../autodiff/testing/properties.ts";
import { silent } from "../runs/index.ts";
import { phantomSet, smallConfig } from "./fixtures.ts";
import { type Classified, classify, type Trained, train } from "./fold.ts";
import { exportModel, Model, type Prediction } from "./model.ts";
import { cropOf, type PreparedSet } from "./prepare.ts";
import { type SegmentedHead, Segmenter } from "./segmenter.ts";

const COUNT = 21;
const PROBABILITY = 1e-5;
/** Pixels, of heads some 40 pixels long. */
const LENGTH = 2e-3;

let set: PreparedSet;
let trained: Trained;
let model: Model;
const config = smallConfig({
  distill: { steps: 40, batch: 16, learningRate: 0.01 },
  tune: { steps: 20, batch: 16, viewSize: 48, testViews: { rotations: [-8, 8] } },
});
beforeAll(async () => {
  set = await phantomSet(COUNT);
  // Crops of several sizes: some are cut on the right, some below.
  for (let i = 0; i < COUNT; i++) set.sizes.set([set.side - (i % 3) * 5, set.side - (i % 4) * 3], i * 2);
  const task = { set, train: [...set.ids.keys()], config, seed: 1, name: "all", threads: 2, progress: silent };
  trained = await train(task);
  const description = {
    program: "test",
    classes: set.classes,
    training: { dataset: "test", hash: "", images: COUNT, seed: 1, licence: "", transductive: false },
  };
  model = await Model.from(await exportModel(trained.parts, description), "test");
});
afterAll(() => model.dispose());

/** Any members, in any order, more or fewer than a batch. */
const members = fc.shuffledSubarray(
  Array.from({ length: COUNT }, (_, i) => i),
  { minLength: 1 },
);
const threads = fc.constantFrom(1, 2);

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>, within: number, what: string): void {
  expect(found.length).toBe(expected.length);
  for (let k = 0; k < found.length; k++)
    expect(Math.abs(found[k]! - expected[k]!), `${what}, element ${k}`).toBeLessThanOrEqual(within);
}

describe("alone or among others", () => {
  test("classify", async () => {
    const of = async (samples: readonly number[], n: number) => {
      const out = await classify(set, samples, trained.parts, { threads: n });
      expect(out.map(({ index }) => index)).toEqual(samples);
      return out;
    };
    const alone = new Map<number, Classified>();
    for (let i = 0; i < COUNT; i++) alone.set(i, (await of([i], 1))[0]!);
    const property = fc.asyncProperty(members, threads, async (samples, n) => {
      for (const found of await of(samples, n)) {
        const expected = alone.get(found.index)!;
        expectNear(found.probabilities, expected.probabilities, PROBABILITY, "probability");
        expectNear([found.length, found.width], [expected.length, expected.width], LENGTH, "length and width");
        expectNear([found.agreement], [expected.agreement], PROBABILITY, "agreement");
        expectNear(found.mask, expected.mask, PROBABILITY, "mask");
      }
    });
    await fc.assert(property, drawn(6));
  });

  test("the segmenter", async () => {
    const of = async (samples: readonly number[], n: number) => {
      const segmenter = await Segmenter.create(
        trained.parts.distilled,
        trained.parts.geometry,
        config.network,
        set.side,
        { threads: n },
      );
      const out = new Map<number, SegmentedHead>();
      for await (const { index, head } of segmenter.each(set, samples)) out.set(index, head);
      segmenter.dispose();
      expect([...out.keys()]).toEqual(samples);
      return out;
    };
    const alone = new Map<number, SegmentedHead>();
    for (let i = 0; i < COUNT; i++) alone.set(i, (await of([i], 1)).get(i)!);
    const property = fc.asyncProperty(members, threads, async (samples, n) => {
      for (const [index, found] of await of(samples, n)) {
        const expected = alone.get(index)!;
        const pose = ({ pose: p }: SegmentedHead) => [p.x, p.y, p.axisX * 10, p.axisY * 10];
        expectNear(pose(found), pose(expected), LENGTH, "pose");
        expectNear([found.length, found.width], [expected.length, expected.width], LENGTH, "length and width");
        expectNear(found.background, expected.background, LENGTH, "background");
        expectNear([found.agreement, found.direction], [expected.agreement, expected.direction], 1e-4, "agreement");
        // A byte, which a rounding may tip.
        expectNear(found.frameMask, expected.frameMask, 1, "mask");
      }
    });
    await fc.assert(property, drawn(6));
  });

  test("the model, whose canvas is as large as the largest crop beside it", async () => {
    const images = Array.from({ length: COUNT }, (_, i) => cropOf(set, i));
    const alone: Prediction[] = [];
    for (const image of images) alone.push((await model.predict([image]))[0]!);
    // As different from each other as their heads are: else the comparison below could not fail.
    expect(new Set(alone.map(({ length }) => length.toFixed(2))).size).toBeGreaterThan(COUNT / 2);
    const property = fc.asyncProperty(members, fc.boolean(), async (samples, beside) => {
      // A crop that is much larger than all others, and a tiny one.
      const others = [
        [200, 150],
        [1, 1],
      ].map(([width, height]) => ({
        width: width!,
        height: height!,
        data: new Uint8Array(width! * height! * 3).fill(90),
      }));
      const given = [...(beside ? others : []), ...samples.map((i) => images[i]!)];
      const out = (await model.predict(given)).slice(beside ? others.length : 0);
      for (const [at, index] of samples.entries()) {
        const [found, expected] = [out[at]!, alone[index]!];
        expectNear(found.probabilities, expected.probabilities, PROBABILITY, "probability");
        expectNear(
          [...found.centre, found.length, found.width],
          [...expected.centre, expected.length, expected.width],
          LENGTH,
          "lengths",
        );
        expectNear(found.axis, expected.axis, 1e-3, "axis");
        expectNear(found.mask, expected.mask, PROBABILITY, "mask");
        expectNear(found.acrosome, expected.acrosome, PROBABILITY, "acrosome");
      }
    });
    await fc.assert(property, drawn(8));
  });

  test("the model says what classify says", async () => {
    const images = Array.from({ length: COUNT }, (_, i) => cropOf(set, i));
    const [predicted, classified] = [
      await model.predict(images),
      await classify(set, [...set.ids.keys()], trained.parts, { threads: 1 }),
    ];
    for (const [i, { probabilities }] of classified.entries())
      expectNear(predicted[i]!.probabilities, probabilities, PROBABILITY, "probability");
  });
});
