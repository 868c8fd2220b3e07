/** The last layer learned again: the optimum by its own gradient, written out here; the rest of the model untouched. */
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { LinearLayer } from "../autodiff/index.ts";
import { generatePhantoms } from "../datasets/index.ts";
import { Random } from "../runs/index.ts";
import { BUNDLED_MODEL } from "./bundled.ts";
import { LastLayerLearner, lastLayer, withLastLayer } from "./last-layer.ts";
import { Model, type Prediction } from "./model.ts";

const [COUNT, CHANNELS, CLASSES] = [90, 12, 3];
const TEMPERATURE = 1.5;
const random = Random.seeded(3).stream("last layer");
const features = Array.from({ length: COUNT }, () =>
  Float32Array.from({ length: CHANNELS }, (_, c) => (c + 1) * random.normal(0.5, 1)),
);
const labels = features.map((row) => (row[0]! > 0.8 ? 2 : row[1]! > 1 ? 1 : 0));
const old: LinearLayer = {
  weight: Float32Array.from({ length: CHANNELS * CLASSES }, () => random.normal(0, 0.1)),
  bias: Float32Array.from({ length: CLASSES }, () => random.normal(0, 0.1)),
};
const everyone = [...labels.keys()];

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const columns = Array.from({ length: CHANNELS }, (_, c) => features.map((row) => row[c]!));
const centres = columns.map(mean);
const units = columns.map((column, c) => Math.sqrt(mean(column.map((value) => (value - centres[c]!) ** 2))));

/** The gradient of the objective by the change of weights in standard units, the bias' last. */
function gradient({ weight, bias }: LinearLayer, chosen: readonly number[], strength: number): number[] {
  const moved = columns.map((_, c) =>
    Array.from({ length: CLASSES }, (_, k) => (weight[c * CLASSES + k]! - old.weight[c * CLASSES + k]!) * units[c]!),
  );
  const movedBias = Array.from(
    { length: CLASSES },
    (_, k) =>
      bias[k]! - old.bias[k]! + mean(centres.map((centre, c) => (CHANNELS * centre * moved[c]![k]!) / units[c]!)),
  );
  const out = Array.from({ length: (CHANNELS + 1) * CLASSES }, () => 0);
  for (const i of chosen) {
    const logits = Array.from(
      { length: CLASSES },
      (_, k) => features[i]!.reduce((sum, value, c) => sum + value * weight[c * CLASSES + k]!, bias[k]!) / TEMPERATURE,
    );
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for (const [k, logit] of logits.entries()) {
      const off = (Math.exp(logit) / total - Number(labels[i] === k)) / TEMPERATURE / chosen.length;
      for (let c = 0; c < CHANNELS; c++) out[c * CLASSES + k]! += off * ((features[i]![c]! - centres[c]!) / units[c]!);
      out[CHANNELS * CLASSES + k]! += off;
    }
  }
  return out.map((value, j) => value + strength * (moved[Math.floor(j / CLASSES)] ?? movedBias)[j % CLASSES]!);
}
const size = (values: readonly number[]) => Math.hypot(...values);

test.each([0.01, 0.1, 1])("at strength %d it is where the objective's gradient vanishes", async (strength) => {
  const learner = await LastLayerLearner.create(old, { features, labels }, { temperature: TEMPERATURE });
  const chosen = everyone.filter((i) => i % 3 > 0);
  const learned = await learner.learn(chosen, strength);
  expect(size(gradient(learned, chosen, strength))).toBeLessThan(0.01 * size(gradient(old, chosen, strength)));
  // The same again: nothing is left of what was learned before.
  await learner.learn(everyone, 1);
  expect(await learner.learn(chosen, strength)).toEqual(learned);
  learner.dispose();
});

test("with two opinions it is where the objective, written out, is flat", async () => {
  const [share, strength] = [0.4, 0.1];
  const wide = {
    ...{ weight: Float32Array.from({ length: CHANNELS * 2 * CLASSES }, () => random.normal(0, 0.1)), share },
    bias: Float32Array.from({ length: 2 * CLASSES }, () => random.normal(0, 0.1)),
  };
  const softmax = (logits: readonly number[]) => {
    const all = logits.map(Math.exp);
    return all.map((value) => value / all.reduce((sum, one) => sum + one, 0));
  };
  const standard = features.map((row) => [...row].map((value, c) => (value - centres[c]!) / units[c]!));
  const before = features.map((row) =>
    [...wide.bias].map((b, k) => row.reduce((sum, value, c) => sum + value * wide.weight[c * 2 * CLASSES + k]!, b)),
  );
  /** @param change of the layer in standard units, the bias' last */
  const objective = (change: readonly number[]) => {
    const losses = standard.map((row, i) => {
      const logits = before[i]!.map((logit, k) =>
        [...row, 1].reduce((sum, value, c) => sum + value * change[c * 2 * CLASSES + k]!, logit),
      );
      const [one, other] = [softmax(logits.slice(0, CLASSES)), softmax(logits.slice(CLASSES))];
      const both = one.map((p, k) => ((1 - share) * p + share * other[k]!) ** (1 / TEMPERATURE));
      return -Math.log(both[labels[i]!]! / both.reduce((sum, p) => sum + p, 0));
    });
    return mean(losses) + (strength / 2) * change.reduce((sum, value) => sum + value ** 2, 0);
  };
  const slopes = (change: readonly number[]) =>
    change.map((_, j) => {
      const moved = (by: number) => change.map((value, i) => (i === j ? value + by : value));
      return (objective(moved(1e-4)) - objective(moved(-1e-4))) / 2e-4;
    });

  const learner = await LastLayerLearner.create(wide, { features, labels }, { temperature: TEMPERATURE });
  const learned = await learner.learn(everyone, strength);
  learner.dispose();
  expect(learned.share).toBe(share);
  const change = [...learned.weight].map(
    (value, j) => (value - wide.weight[j]!) * units[Math.floor(j / (2 * CLASSES))]!,
  );
  const bias = [...learned.bias].map((b, k) =>
    centres.reduce((sum, centre, c) => sum + (centre * change[c * 2 * CLASSES + k]!) / units[c]!, b - wide.bias[k]!),
  );
  const nothing = new Array<number>((CHANNELS + 1) * 2 * CLASSES).fill(0);
  expect(objective([...change, ...bias])).toBeLessThan(objective(nothing));
  expect(size(slopes([...change, ...bias]))).toBeLessThan(0.01 * size(slopes(nothing)));
});

test("labels of heads that it may not see change nothing, and an immense pull leaves the old layer", async () => {
  const hidden = labels.map((label, i) => (i % 3 === 0 ? (label + 1) % CLASSES : label));
  const chosen = everyone.filter((i) => i % 3 > 0);
  const both = await Promise.all(
    [labels, hidden].map(async (given) => {
      const learner = await LastLayerLearner.create(old, { features, labels: given });
      const learned = await learner.learn(chosen, 0.1);
      const still = await learner.learn(chosen, 1e7);
      learner.dispose();
      for (const [i, value] of still.weight.entries()) expect(value).toBeCloseTo(old.weight[i]!, 3);
      return learned;
    }),
  );
  expect(both[0]).toEqual(both[1]);
});

describe("of the program's own model", () => {
  let bytes: Uint8Array;
  let before: Prediction[];
  const crops = [...generatePhantoms({ count: 120, seed: 8 })].map(({ image }) => image);
  beforeAll(async () => {
    bytes = await readFile(BUNDLED_MODEL);
    const model = await Model.from(bytes, "the model");
    before = await model.predict(crops);
    model.dispose();
  });

  test("classes that a laboratory calls otherwise are learned from 80 heads, and nothing else of a prediction changes", async () => {
    const { layer, metadata } = lastLayer(bytes, "the model");
    const { classes } = metadata;
    // This laboratory's names are the model's, each one further on.
    const named = before.map(({ label }) => (label + 1) % classes.length);
    const learner = await LastLayerLearner.create(layer, { features: before.map((p) => p.features), labels: named });
    const learned = await learner.learn([...crops.keys()].slice(0, 80), 0.01);
    learner.dispose();
    const adapted = await withLastLayer(bytes, "the model", learned, { program: "test", heads: 80, strength: 0.01 });
    const model = await Model.from(adapted, "the new model");
    expect(model.metadata.adaptation).toMatchObject({ heads: 80, strength: 0.01 });
    expect(model.metadata.acceptance).toEqual(metadata.acceptance);
    const after = await model.predict(crops);
    model.dispose();
    const rest = [...crops.keys()].slice(80);
    expect(rest.filter((i) => after[i]!.label === named[i]).length).toBeGreaterThanOrEqual(0.75 * rest.length);
    for (const [i, { mask, axis, agreement, features: seen }] of after.entries()) {
      expect(mask).toEqual(before[i]!.mask);
      expect({ axis, agreement, seen }).toEqual({
        ...{ axis: before[i]!.axis, agreement: before[i]!.agreement, seen: before[i]!.features },
      });
    }
  });

  test("a file that is no model is refused", () => {
    expect(() => lastLayer(Uint8Array.of(1, 2, 3), "a.onnx")).toThrow(
      expect.objectContaining({ code: "model/not-a-model", where: "a.onnx" }),
    );
  });
});
