/** Temperatures against what is known of drawn predictions. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { calibrateFolds, fitTemperature, withTemperature } from "./calibration.ts";
import { argmax, computeMetrics, type PredictionRow } from "./metrics.ts";

/** Labels drawn from the probabilities, which are then made too sure or too unsure. */
function drawn(count: number, temperature: number, seed: number, fold = "1"): PredictionRow[] {
  const random = Random.seeded(seed);
  return Array.from({ length: count }, (_, i) => {
    const logits = [0, 1, 2].map(() => random.normal(0, 2));
    const top = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    const truth = powers.map((p) => p / sum);
    let left = random.uniform();
    const label = truth.findIndex((p) => (left -= p) < 0);
    return {
      id: `${fold} ${i}`,
      label: Math.max(0, label),
      fold,
      probabilities: withTemperature(truth, 1 / temperature),
    };
  });
}

test.each([0.4, 1, 2.5])("finds the temperature that undoes a distortion by %d", (temperature) => {
  expect(fitTemperature(drawn(20_000, temperature, 3))).toBeCloseTo(temperature, 1);
});

test("keeps the class and its order, sums to one, and is undone by its inverse", () => {
  const probabilities = fc
    .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 2, maxLength: 6 })
    .map((values) => values.map((v) => v / values.reduce((a, b) => a + b, 0)));
  fc.assert(
    fc.property(probabilities, fc.double({ min: 0.2, max: 5, noNaN: true }), (p, temperature) => {
      const q = withTemperature(p, temperature);
      expect(q.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
      expect(q[argmax(p)]).toBe(Math.max(...q));
      for (const [i, back] of withTemperature(q, 1 / temperature).entries()) expect(back).toBeCloseTo(p[i]!, 6);
    }),
  );
});

test("a probability of nought stays a number", () => {
  expect(withTemperature([0, 1], 0.1)[0]).toBeLessThan(1e-100);
  expect(withTemperature([0, 1], 10).every(Number.isFinite)).toBe(true);
});

test("a fold's temperature does not depend on its own labels, and calibration gets better by it", () => {
  const rows = ["1", "2", "3"].flatMap((fold, f) => drawn(400, 2, f + 1, fold));
  const { temperatures, rows: calibrated } = calibrateFolds(rows);
  const wrong = rows.map((row) => (row.fold === "2" ? { ...row, label: (row.label + 1) % 3 } : row));
  expect(calibrateFolds(wrong).temperatures[1]).toEqual(temperatures[1]);
  const classes = ["a", "b", "c"];
  const [before, after] = [computeMetrics(rows, classes), computeMetrics(calibrated, classes)];
  expect(after.accuracy).toBe(before.accuracy);
  expect(after.calibrationError).toBeLessThan(before.calibrationError);
  expect(after.logLoss).toBeLessThan(before.logLoss);
});
