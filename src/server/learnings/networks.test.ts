/** Learning with the program's own networks, end to end: what a laboratory calls otherwise is learned, compared and then used. */
import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatePhantoms, phantomField } from "../../datasets/index.ts";
import { encodePng } from "../../imaging/index.ts";
import { BUNDLED_MODEL } from "../../learning/index.ts";
import { analyserProcess } from "../analysis/process.ts";
import type { Head, Learning } from "../api.ts";
import { verifyFolder } from "../store/verify.ts";
import { type TestApp, testApp } from "../testing/support.ts";
import { learnerProcess } from "./process.ts";

let app: TestApp;
beforeAll(async () => {
  const networks = { model: BUNDLED_MODEL };
  app = await testApp({ analyser: () => analyserProcess(networks), learner: learnerProcess(networks) });
});
afterAll(() => app.end());

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
