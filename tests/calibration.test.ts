/** A temperature on its way from a cross-validation into a model. */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { withTemperature } from "../src/evaluation/index.ts";
import { Model, readImage } from "../src/index.ts";
import { androscope, failure, json, TINY, temporary } from "./support.ts";

let root: string;
let run: (name: string) => string;
beforeAll(async () => {
  root = await temporary();
  run = (name) => join(root, name);
  json(await androscope(["data", "phantoms", "--out", run("crops"), "--n=16", "--seed=2", "--json"]));
});

test("the model's probabilities are those of the other, as sure as the cross-validation says", async () => {
  const crops = run("crops");
  const { temperature, calibrated, accuracy } = json(
    await androscope(["crossval", crops, "--k=2", "--out", run("crossval"), "--json", ...TINY]),
  );
  expect(temperature).toBeGreaterThan(0);
  expect(calibrated.temperatures).toHaveLength(2);
  expect(accuracy).toBeGreaterThanOrEqual(0);
  const plain = json(await androscope(["train", crops, "--out", run("plain"), "--json", ...TINY]));
  const args = ["train", crops, "--out", run("calibrated"), "--calibration", run("crossval"), "--json"];
  const trained = json(await androscope([...args, ...TINY]));
  expect(plain.temperature).toBe(1);
  expect(trained.temperature).toBe(temperature);

  const [before, after] = [await Model.load(plain.model), await Model.load(trained.model)];
  expect(after.metadata.temperature).toBe(temperature);
  const { samples } = await import("../src/index.ts").then(({ openDataset }) => openDataset(crops));
  const images = await Promise.all(samples.slice(0, 4).map(({ id }) => readImage(join(crops, id))));
  const [a, b] = [await before.predict(images), await after.predict(images)];
  for (const [i, { probabilities }] of b.entries()) {
    const expected = withTemperature([...a[i]!.probabilities], temperature);
    for (const [c, p] of [...probabilities].entries()) expect(p).toBeCloseTo(expected[c]!, 5);
  }
  before.dispose();
  after.dispose();

  // Another configuration, or no cross-validation at all.
  failure(await androscope([...args, ...TINY, "--set=tune.steps=5"]), "run/different");
  failure(
    await androscope(["train", crops, "--out", run("no"), "--calibration", run("plain"), "--json", ...TINY]),
    "run/not-a-run",
  );
});
