/** Labels that are wrong on purpose, on their way to the list of labels to look at again. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { encodePng, phantomDataset } from "../src/index.ts";
import { parseCsv } from "../src/runs/index.ts";
import { androscope, json, TINY, temporary, write } from "./support.ts";

const REFINED = [...TINY, "--set=tune.refineLabels=true", "--set=distill.steps=60", "--set=distill.batch=16", "--json"];
let manifest: string;
let run: (name: string) => string;
/** Ids with the wrong label, and without one. */
let wrong: string[];
let unlabelled: string[];

beforeAll(async () => {
  const root = await temporary();
  run = (name) => join(root, name);
  const crops = join(root, "crops");
  // Two classes that nobody takes for each other.
  const { samples, classes } = phantomDataset({ count: 240, seed: 4 });
  const told = samples
    .map(({ id, label, load }) => ({ id, label: classes[label!]!, load }))
    .filter(({ label }) => label === "Small" || label === "Tapered");
  for (const { id, load } of told) await write(crops, { [id]: await encodePng(await load()) });
  wrong = [told[4]!, told[19]!, told[37]!].map(({ id }) => id);
  unlabelled = [told[40]!, told[45]!].map(({ id }) => id);
  const other = (label: string) => (label === "Small" ? "Tapered" : "Small");
  const rows = told.map(({ id, label }) =>
    unlabelled.includes(id) ? `${id},` : `${id},${wrong.includes(id) ? other(label) : label}`,
  );
  manifest = join(crops, "told.csv");
  await writeFile(manifest, `path,label\n${rows.join("\n")}\n`);
});

const labelsOf = async (folder: string) =>
  parseCsv(await readFile(join(folder, "labels.csv"), "utf8")).rows.map(({ cells }) => cells);

// With a network of a few thousand parameters and some steps, others are doubted as well.
const FIRST = 8;

test("a training lists them among the first, and what heads without a label are likely to be last", async () => {
  const { labels } = json(await androscope(["train", manifest, "--out", run("train"), ...REFINED]));
  const rows = await labelsOf(run("train"));
  expect(labels.count).toBe(rows.length);
  expect(rows.slice(0, FIRST).map(({ path }) => path)).toEqual(expect.arrayContaining(wrong));
  expect(labels.doubted).toBeGreaterThan(0);
  expect(labels.doubted).toBeLessThanOrEqual(FIRST);
  expect(rows.slice(-2).map(({ path, label, belief }) => [path, label, belief])).toEqual(
    expect.arrayContaining(unlabelled.map((id) => [id, "", ""])),
  );
});

test("a cross-validation lists them, too, and its report shows them", async () => {
  const { labels } = json(await androscope(["crossval", manifest, "--k=3", "--out", run("crossval"), ...REFINED]));
  const rows = await labelsOf(run("crossval"));
  expect(rows.slice(0, FIRST).map(({ path }) => path)).toEqual(expect.arrayContaining(wrong));
  expect(labels.doubted).toBeLessThanOrEqual(FIRST);
  const report = await readFile(join(run("crossval"), "report.html"), "utf8");
  expect(report).toContain("Labels to look at again");
  for (const id of wrong) expect(report).toContain(id);
});

test("without refinement there is no such list", async () => {
  const result = json(await androscope(["train", manifest, "--out", run("plain"), ...TINY, "--json"]));
  expect(result.labels).toBeUndefined();
  await expect(labelsOf(run("plain"))).rejects.toThrow("ENOENT");
});
