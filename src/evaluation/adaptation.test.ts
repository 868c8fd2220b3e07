/** Learning from reviewed heads: what is chosen by heads left out, and what two models are compared by. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { adaptLastLayer, compareModels, type ReviewedHead } from "./adaptation.ts";

const [CHANNELS, CLASSES] = [6, 3];
const layer = { weight: new Float32Array(CHANNELS * CLASSES), bias: new Float32Array(CLASSES) };
// The old layer reads the class off the first three features.
for (let k = 0; k < CLASSES; k++) layer.weight[k * CLASSES + k] = 3;

/** Heads whose class is told by the features from `from` on; `groups` photographs of six each. */
function heads(groups: number, from: number, random: Random): ReviewedHead[] {
  return Array.from({ length: groups * 6 }, (_, i) => {
    const label = i % CLASSES;
    const features = Float32Array.from({ length: CHANNELS }, (_, c) =>
      random.normal(c === from + label ? 1.5 : 0, 0.4),
    );
    return { id: `${i}`, label, group: `photograph ${Math.floor(i / 6)}`, features };
  });
}

test("where the old layer is right it is kept or hardly changed; where it is blind, it is replaced", async () => {
  const random = Random.seeded(1).stream("adaptation");
  const options = { temperature: 1, seed: 1 };
  let trainings = 0;
  const blind = await adaptLastLayer(layer, heads(6, 3, random), {
    ...options,
    onDone(done, of) {
      trainings++;
      expect(done).toBeLessThanOrEqual(of);
    },
  });
  expect(trainings).toBe(31);
  expect(blind.strength).toBeLessThan(1);
  const old = blind.tried.find(({ strength }) => strength === Number.POSITIVE_INFINITY)!;
  const best = blind.tried.find(({ strength }) => strength === blind.strength)!;
  expect(best.logLoss).toBeLessThan(0.5 * old.logLoss);
  const score = (row: Float32Array) =>
    [0, 1, 2].map((k) =>
      row.reduce((sum, x, c) => sum + x * blind.layer.weight[c * CLASSES + k]!, blind.layer.bias[k]!),
    );
  const others = heads(10, 3, random);
  const right = others.filter(({ features, label }) => {
    const scores = score(features);
    return scores.indexOf(Math.max(...scores)) === label;
  });
  expect(right.length).toBeGreaterThan(0.9 * others.length);
}, 60_000);

test("where readers' classes have nothing to do with the heads, the old layer is kept", async () => {
  const random = Random.seeded(2).stream("adaptation");
  const uniform = { weight: new Float32Array(CHANNELS * CLASSES), bias: new Float32Array(CLASSES) };
  // As many of each class, in any order: shares of classes would be something to learn.
  const labels = random.shuffle(heads(8, 3, random).map(({ label }) => label));
  const noise = heads(8, 3, random).map((head, i) => ({ ...head, label: labels[i]! }));
  const { strength, layer: kept, tried } = await adaptLastLayer(uniform, noise, { temperature: 1, seed: 1 });
  // What knows nothing and says so has a log loss of ln 3.
  expect(tried[0]).toEqual({ strength: Number.POSITIVE_INFINITY, logLoss: expect.closeTo(Math.log(3), 6) });
  expect(strength).toBe(Number.POSITIVE_INFINITY);
  expect(kept).toBe(uniform);
}, 60_000);

test("a comparison counts every head once", () => {
  const probabilities = (label: number) => Array.from({ length: CLASSES }, (_, k) => (k === label ? 0.8 : 0.1));
  const judged = fc.record({
    label: fc.nat(CLASSES - 1),
    group: fc.constantFrom("a", "b", "c", "d"),
    before: fc.nat(CLASSES - 1).map(probabilities),
    after: fc.nat(CLASSES - 1).map(probabilities),
  });
  fc.assert(
    fc.property(fc.array(judged, { minLength: 1, maxLength: 40 }), (all) => {
      const { heads: count, groups, correct, mended, spoilt, interval, classes } = compareModels(all, CLASSES);
      expect(count).toBe(all.length);
      expect(groups).toBe(new Set(all.map(({ group }) => group)).size);
      expect(correct.after - correct.before).toBe(mended - spoilt);
      expect(classes.reduce((sum, one) => sum + one.heads, 0)).toBe(count);
      expect(classes.reduce((sum, one) => sum + one.before, 0)).toBe(correct.before);
      expect(classes.reduce((sum, one) => sum + one.after, 0)).toBe(correct.after);
      const gain = (mended - spoilt) / count;
      expect(interval.low).toBeLessThanOrEqual(gain + 1e-9);
      expect(interval.high).toBeGreaterThanOrEqual(gain - 1e-9);
    }),
    { numRuns: 60 },
  );
});

test("heads that are alike within a photograph count as fewer", () => {
  const of = (group: string, hit: boolean) => ({
    label: 0,
    group,
    before: [0, 1, 0],
    after: hit ? [1, 0, 0] : [0, 1, 0],
  });
  const apart = Array.from({ length: 60 }, (_, i) => of(`${i}`, i % 2 === 0));
  const together = Array.from({ length: 60 }, (_, i) => of(`${i % 6}`, i % 2 === 0));
  const width = ({ interval }: ReturnType<typeof compareModels>) => interval.high - interval.low;
  expect(width(compareModels(together, CLASSES))).toBeGreaterThan(2 * width(compareModels(apart, CLASSES)));
});
