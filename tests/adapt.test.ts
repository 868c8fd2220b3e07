/** A finished model taught by another laboratory's crops, through the real command. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { generatePhantoms } from "../src/datasets/index.ts";
import { BUNDLED_MODEL, encodePng, Model, Random } from "../src/index.ts";
import { androscope, failure, json, temporary } from "./support.ts";

let folder = "";
let classes: readonly string[] = [];
const crops: { png: Uint8Array; label: number }[] = [];
beforeAll(async () => {
  folder = await temporary();
  const model = await Model.load(BUNDLED_MODEL);
  classes = model.metadata.classes;
  const images = [...generatePhantoms({ count: 75, seed: 8 })].map(({ image }) => image);
  for (const [i, { label }] of (await model.predict(images)).entries())
    crops.push({ png: await encodePng(images[i]!), label });
  model.dispose();
});

/** A folder per class. @param named which class a crop is given */
async function dataset(name: string, named: (crop: { label: number }, i: number) => string): Promise<string> {
  for (const [i, crop] of crops.entries()) {
    const place = join(folder, name, named(crop, i));
    await mkdir(place, { recursive: true });
    await writeFile(join(place, `${i}.png`), crop.png);
  }
  return join(folder, name);
}

test("names that a laboratory gives otherwise are learned, compared on crops that were kept away, and predicted", async () => {
  const shifted = await dataset("shifted", ({ label }) => classes[(label + 1) % classes.length]!);
  await writeFile(join(shifted, classes[0]!, "broken.png"), "no picture");
  const out = join(folder, "adapted.onnx");
  const found = json(await androscope(["adapt", shifted, "--out", out, "--json"]));
  expect(found).toMatchObject({ model: out, classes, problems: [{ code: "image/unknown-format" }] });
  expect(found.learned.heads + found.comparison.heads).toBe(crops.length);
  expect(found.comparison.heads).toBeGreaterThanOrEqual(crops.length / 3 - 4);
  expect(found.comparison.correct.before).toBe(0);
  expect(found.comparison.correct.after).toBeGreaterThan(0.7 * found.comparison.heads);
  expect(found.comparison.interval.low).toBeGreaterThan(0.5);

  const table = join(folder, "predictions.json");
  await androscope(["predict", "--model", out, shifted, "--out", table, "--json"]);
  const { predictions } = JSON.parse(await readFile(table, "utf8"));
  const named = (predictions as { path: string; class: string }[]).filter((row) => row.class);
  const right = named.filter((row) => row.path.includes(`/${row.class}/`));
  expect(right.length).toBeGreaterThan(0.75 * named.length);

  const text = await androscope(["adapt", shifted, "--out", join(folder, "again.onnx")]);
  expect(text.stdout).toContain("The new model is better on them.");
  expect(text.stdout).toContain("Research use only");
  // The same crops and seed: the same bytes.
  expect(await readFile(join(folder, "again.onnx"))).toEqual(await readFile(out));
});

test("where the classes have nothing to do with the crops, it says that nothing can be told from chance", async () => {
  const random = Random.seeded(4).stream("names");
  const drawn = random.shuffle(crops.map((_, i) => classes[i % classes.length]!));
  const out = join(folder, "none.onnx");
  const { status, stdout } = await androscope(["adapt", await dataset("drawn", (_, i) => drawn[i]!), "--out", out]);
  expect(status).toBe(0);
  // To be less sure is something to learn where all is chance, so a model may be written; it finds no more than the old one.
  expect(stdout).toContain("The difference cannot be told from chance.");
  expect(stdout.includes("no model was written")).toBe(!existsSync(out));
});

test("other classes, too few crops and missing arguments are refused, and nothing is written", async () => {
  const out = join(folder, "refused.onnx");
  const other = await dataset("other", (_, i) => (i % 2 ? classes[0]! : "Round"));
  failure(await androscope(["adapt", other, "--out", out, "--json"]), "data/other-classes");
  const few = join(folder, "few");
  for (const [i, name] of classes.slice(0, 2).entries()) {
    await mkdir(join(few, name), { recursive: true });
    for (let k = 0; k < 4; k++) await writeFile(join(few, name, `${k}.png`), crops[4 * i + k]!.png);
  }
  failure(await androscope(["adapt", few, "--out", out, "--json"]), "learning/too-few");
  failure(await androscope(["adapt", few, "--json"]), "usage/missing-argument");
  expect(existsSync(out)).toBe(false);
});
