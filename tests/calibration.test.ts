/** A temperature on its way from a cross-validation into a model. */
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { withTemperature } from "../src/evaluation/index.ts";
import { encodePng, Model, openDataset, readImage } from "../src/index.ts";
import { fitAcceptance } from "../src/learning/index.ts";
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
  // Folds of a table belong to the cross-validation, not to the data that the model is trained on.
  const ids = (await openDataset(crops)).samples.map(({ id }) => id);
  await writeFile(run("folds.csv"), `path,fold\n${ids.map((id, i) => `${id},${i % 2}`).join("\n")}\n`);
  const { temperature, calibrated, accuracy } = json(
    await androscope(["crossval", crops, "--folds", run("folds.csv"), "--out", run("crossval"), "--json", ...TINY]),
  );
  expect(temperature).toBeGreaterThan(0);
  expect(calibrated.temperatures).toHaveLength(2);
  expect(accuracy).toBeGreaterThanOrEqual(0);
  const plain = json(await androscope(["train", crops, "--out", run("plain"), "--json", ...TINY]));
  const args = ["train", crops, "--out", run("calibrated"), "--calibration", run("crossval"), "--json"];
  const trained = json(await androscope([...args, ...TINY]));
  expect(plain.temperature).toBe(1);
  expect(plain.acceptance).toBeUndefined();
  expect(trained.temperature).toBe(temperature);

  const [before, after] = [await Model.load(plain.model), await Model.load(trained.model)];
  expect(after.metadata.temperature).toBe(temperature);
  const { samples } = await openDataset(crops);
  const everything = await Promise.all(samples.map(({ id }) => readImage(join(crops, id))));
  const images = everything.slice(0, 4);
  const [a, b] = [await before.predict(images), await after.predict(images)];
  for (const [i, { probabilities }] of b.entries()) {
    const expected = withTemperature([...a[i]!.probabilities], temperature);
    for (const [c, p] of [...probabilities].entries()) expect(p).toBeCloseTo(expected[c]!, 5);
  }

  // What is no head is measured and refused: bare ground here, of which the other model names a class. The limits are those
  // of the heads that this very model learned from.
  const limits = fitAcceptance(await after.predict(everything));
  const acceptance = after.metadata.acceptance!;
  expect(trained.acceptance).toEqual(acceptance);
  expect(acceptance.agreement).toBeCloseTo(limits.agreement, 4);
  for (const end of [0, 1] as const) {
    expect(acceptance.length[end]).toBeCloseTo(limits.length[end], 2);
    expect(acceptance.width[end]).toBeCloseTo(limits.width[end], 2);
  }
  const ground = { width: 96, height: 96, data: new Uint8Array(96 * 96 * 3).fill(220) };
  expect((await after.predict([ground]))[0]!.refused).toMatch(/mask|size/);
  expect((await before.predict([ground]))[0]!.refused).toBeUndefined();
  await writeFile(run("ground.png"), await encodePng(ground));
  const found = json(await androscope(["predict", "--model", trained.model, run("ground.png"), "--json"]));
  expect(found.predictions[0]).toMatchObject({ class: null, refused: expect.stringMatching(/mask|size/) });
  expect(Object.keys(found.predictions[0]).filter((key) => key.startsWith("prob_"))).toHaveLength(
    a[0]!.probabilities.length,
  );
  const { stdout } = await androscope(["predict", "--model", trained.model, run("ground.png")]);
  expect(stdout).toContain("0 of 1 classified");
  expect(stdout).toContain("1 refused");
  before.dispose();
  after.dispose();

  // In half precision it is half as large and says nearly the same.
  const compact = json(await androscope(["train", crops, "--out", run("compact"), "--compact", "--json", ...TINY]));
  const [small, large] = [await stat(compact.model), await stat(plain.model)];
  expect(small.size).toBeLessThan(large.size);
  const half = await Model.load(compact.model);
  for (const [i, { probabilities }] of (await half.predict(images)).entries()) {
    for (const [c, p] of [...probabilities].entries()) expect(Math.abs(p - a[i]!.probabilities[c]!)).toBeLessThan(0.01);
  }
  half.dispose();

  // Another configuration, or no cross-validation at all.
  failure(await androscope([...args, ...TINY, "--set=tune.steps=5"]), "run/different");
  failure(
    await androscope(["train", crops, "--out", run("no"), "--calibration", run("plain"), "--json", ...TINY]),
    "run/not-a-run",
  );
});
