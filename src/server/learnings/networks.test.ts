/** Learning with the program's own networks, end to end: what a laboratory calls otherwise is learned, compared and then used. */
import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { generatePhantoms, phantomField } from "../../datasets/index.ts";
import { encodePng, type Image } from "../../imaging/index.ts";
import { BUNDLED_MODEL } from "../../learning/index.ts";
import { analyserProcess } from "../analysis/process.ts";
import type { Head, Learning } from "../api.ts";
import { verifyFolder } from "../store/verify.ts";
import { type TestApp, testApp } from "../testing/support.ts";
import type { ReviewedImage } from "./learner.ts";
import { learn } from "./networks.ts";
import { learnerProcess } from "./process.ts";

let app: TestApp;
beforeAll(async () => {
  const networks = { model: BUNDLED_MODEL };
  app = await testApp({ analyser: () => analyserProcess(networks), learner: learnerProcess(networks) });
});
afterAll(() => app.end());

test("a comparison of nothing, or of too little, is refused before anything is learned", async () => {
  const folder = await mkdtemp(join(tmpdir(), "androscope-learn-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const order = async (name: string, image: Image, some: Partial<ReviewedImage>): Promise<ReviewedImage> => {
    const path = join(folder, name);
    await writeFile(path, await encodePng(image));
    return { path, kind: "crop", sha256: name, held: false, heads: [], ...some };
  };
  const CLASSES = ["Normal", "Tapered"] as const;
  const crops = await Promise.all(
    [...generatePhantoms({ count: 24, seed: 8 })].map(({ image }, i) =>
      order(`${i}.png`, image, { heads: [{ id: i, centre: [0, 0], label: CLASSES[i % 2]! }] }),
    ),
  );
  // Ground without a head: nothing tells how long one is, so no model can be shown what was decided there.
  const ground = { width: 300, height: 300, data: new Uint8Array(300 * 300 * 3).fill(230) };
  const heads = Array.from({ length: 12 }, (_, i) => ({
    ...{ id: 100 + i, centre: [20 * i + 30, 150] as const, label: CLASSES[i % 2]! },
  }));
  const bare = await order("ground.png", ground, { kind: "field", held: true, heads });
  const news: number[] = [];
  const learning = (images: ReviewedImage[]) =>
    learn({ images, folder: join(folder, "models") }, { model: BUNDLED_MODEL }, 1, ({ done }) => news.push(done));
  await expect(learning([...crops, bare])).rejects.toMatchObject({
    code: "learning/too-few",
    found: "24 of 2 in 24, and 0",
  });
  expect(news.at(-1), "no training").toBe(24 + 12);
  // The other way round: the ground was to be learned from.
  const [few, rest] = [crops.slice(0, 10), crops.slice(10).map((image) => ({ ...image, held: true }))];
  await expect(learning([...few, ...rest, { ...bare, held: false }])).rejects.toMatchObject({
    code: "learning/too-few",
    found: "10 of 2 in 10, and 14",
  });
  // A model in use of other classes: the bundled one with a name of the same length.
  const before = join(folder, "other.onnx");
  const renamed = (await readFile(BUNDLED_MODEL)).toString("latin1").replaceAll("Tapered", "Slender");
  await writeFile(before, renamed, "latin1");
  news.length = 0;
  const others = crops.slice(0, 10).map((image) => {
    const moved = image.heads.map((head) => ({ ...head, id: head.id + 200 }));
    return { ...image, held: true, heads: moved };
  });
  const compared = { images: [...crops, ...others], folder: join(folder, "models"), before };
  await expect(learn(compared, { model: BUNDLED_MODEL }, 1, ({ done }) => news.push(done))).rejects.toMatchObject({
    code: "learning/not-here",
    found: "Normal, Slender, Pyriform, Amorphous",
  });
  expect(news.at(-1), "no training").toBe(24 + 10);
  expect(await readdir(folder)).not.toContain("models");
});

test("from crops and photographs", async () => {
  const { client } = app;
  const reader = await client.newReader("Ada");
  const sample = await client.newSample(reader);
  const crops: Record<string, Uint8Array> = {};
  for (const [i, { image }] of [...generatePhantoms({ count: 70, seed: 8 })].entries())
    crops[`${i}.png`] = await encodePng(image);
  await client.upload(sample, "crop", crops);
  const photographs: Record<string, Uint8Array> = {};
  for (const seed of [4, 5, 6]) photographs[`field ${seed}.png`] = await encodePng(phantomField({ seed }).image);
  await client.upload(sample, "field", photographs);
  await client.analysed(sample);
  const { classes, analyser } = await client.call("about");

  // This laboratory's names are the model's, each one further on.
  const judged = (await client.heads(sample, reader)).filter(({ probabilities }) => probabilities.length > 0);
  expect(judged.length).toBeGreaterThan(80);
  const namedBy = ({ probabilities }: Head) =>
    classes[(probabilities.indexOf(Math.max(...probabilities)) + 1) % classes.length]!;
  await client.call("decide", {
    body: {
      reader,
      decisions: judged.map((head) => ({
        ...{ id: randomUUID(), head: head.id },
        value: { kind: "class" as const, class: namedBy(head) },
      })),
    },
  });
  const { id } = await client.call("startLearning", { body: { id: randomUUID(), reader, samples: [sample] } });
  let learning: Learning;
  do {
    await new Promise((resolve) => setTimeout(resolve, 200));
    ({ learning } = await client.call("getLearning", { params: { learning: id }, query: { reader } }));
  } while (learning.state === "running");
  expect(learning.error).toBeNull();
  const { learned, comparison, strength } = learning.result!;
  expect(strength).toBeGreaterThan(0);
  expect(learned.heads + comparison.heads).toBe(judged.length);
  expect(learned.images + comparison.images).toBe(73);
  // Nothing was called as the model calls it.
  expect(comparison.correct.before).toBeLessThanOrEqual(0.05 * comparison.heads);
  expect(comparison.correct.after).toBeGreaterThan(0.7 * comparison.heads);
  expect(comparison.interval.low).toBeGreaterThan(0.5);
  const { changed } = await client.call("getLearning", { params: { learning: id }, query: { reader } });
  expect(changed.length).toBeGreaterThanOrEqual(comparison.mended + comparison.spoilt);

  const used = await client.call("useModel", { body: { id: randomUUID(), reader, learning: id } });
  expect(used.analyser).toMatchObject({
    ...{ classes, model: learning.model, detector: analyser.detector },
    adapted: { base: analyser.model, heads: learned.heads },
  });
  const file = await readFile(join(app.folder, "models", `${learning.model}.onnx`));
  expect(createHash("sha256").update(file).digest("hex")).toBe(learning.model);
  // The same crops in another sample: outlines as before, classes as this laboratory calls them.
  const other = await client.newSample(reader);
  await client.upload(other, "crop", crops);
  await client.analysed(other);
  const anew = await client.heads(other, reader);
  const before = new Map(
    judged.filter(({ image }) => image <= 70).map((head) => [head.thumbnail.key, { name: namedBy(head), old: head }]),
  );
  const compared = anew.flatMap((head) => {
    const old = before.get(head.thumbnail.key);
    return old && head.modelClass ? [{ head, ...old }] : [];
  });
  expect(compared.length).toBeGreaterThan(45);
  for (const { head, old } of compared) expect(head.measures).toEqual(old.measures);
  const agreed = compared.filter(({ head, name }) => head.modelClass === name).length;
  expect(agreed).toBeGreaterThan(0.75 * compared.length);
  expect(await verifyFolder(app.folder)).toMatchObject({ intact: true });
}, 180_000);
