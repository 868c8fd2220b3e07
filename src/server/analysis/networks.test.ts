/** The program's networks in their process: crops as predict judges them, photographs as androscope field does. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generatePhantoms, phantomField } from "../../datasets/index.ts";
import { estimateFrom, Analyser as Networks } from "../../fields/index.ts";
import { encodePng, readImage } from "../../imaging/index.ts";
import { BUNDLED_MODEL, predictFiles } from "../../learning/index.ts";
import { filled } from "../pictures/outline.ts";
import { temporaryFolder, testApp } from "../testing/support.ts";
import type { Analyser } from "./analyser.ts";
import { analyserProcess } from "./process.ts";

let folder: string;
let analyser: Analyser;
beforeAll(async () => {
  folder = await temporaryFolder();
  analyser = await analyserProcess({ model: BUNDLED_MODEL });
});
afterAll(async () => {
  await analyser.dispose();
  await rm(folder, { recursive: true, force: true });
});
const never = new AbortController().signal;

test("state, class, agreement and measures are predict's; the outline holds the pixels that were measured", async () => {
  const paths: string[] = [];
  for (const [i, { image }] of [...generatePhantoms({ count: 6, seed: 4 })].entries()) {
    paths.push(join(folder, `${i}.png`));
    await writeFile(paths[i]!, await encodePng(image));
  }
  const empty = join(folder, "ground.png");
  await writeFile(empty, await encodePng({ width: 131, height: 131, data: new Uint8Array(131 * 131 * 3).fill(225) }));
  paths.push(empty);
  const { files } = await predictFiles(BUNDLED_MODEL, paths, { threads: 1 });
  let heads = 0;
  for (const [i, path] of paths.entries()) {
    const expected = files[i]!;
    if ("problem" in expected) throw new Error(expected.problem.message);
    const analysis = await analyser.analyse(path, "crop", never);
    const [head, ...more] = analysis.heads;
    expect(more).toEqual([]);
    if (!head) {
      expect(expected.measures).toBeUndefined();
      continue;
    }
    expect(head.reason).toBe(expected.prediction.refused);
    expect(head.state).toBe(expected.prediction.refused ? "refused" : "head");
    // A batch of one and of several differ in the last bits.
    for (const [c, p] of head.probabilities.entries()) expect(p).toBeCloseTo(expected.prediction.probabilities[c]!, 4);
    expect(head.agreement).toBeCloseTo(expected.prediction.agreement, 3);
    expect(Math.abs(head.measures.areaPx - expected.measures!.areaPx)).toBeLessThanOrEqual(2);
    const { width, height } = analysis;
    const inside = filled(head.outline, { left: 0, top: 0, width, height }).data.reduce((sum, value) => sum + value, 0);
    if (head.state === "head") {
      heads++;
      expect(inside).toBe(head.measures.areaPx);
    }
  }
  expect(heads).toBeGreaterThan(3);
});

test("a photograph's heads are those of src/fields; what cannot be used is told; a wrong model is refused", async () => {
  const path = join(folder, "field.png");
  const { image } = phantomField({ heads: 12, seed: 3 });
  await writeFile(path, await encodePng(image));
  const networks = await Networks.open({ model: BUNDLED_MODEL, threads: 1 });
  const read = await readImage(path);
  const expected = await networks.field(read, await estimateFrom([async () => read]));
  networks.dispose();
  const found = await analyser.analyse(path, "field", never);
  expect(found.heads.length).toBeGreaterThan(3);
  expect(found.heads.map(({ state, centre }) => [state, centre])).toEqual(
    expected.heads.map(({ state, centre }) => [state, centre]),
  );
  expect(found.headLength).toBe(await estimateFrom([async () => read]));
  // With others of its microscope, it is at their scale; what cannot be read tells nothing of it.
  const other = join(folder, "other.png");
  await writeFile(other, await encodePng(phantomField({ heads: 12, seed: 9 }).image));
  const both = [async () => read, () => readImage(other)];
  const scaled = await analyser.analyse(path, "field", never, [path, other, join(folder, "nowhere.png")]);
  expect(scaled.headLength).toBe(await estimateFrom(both));
  expect(scaled.headLength).not.toBe(found.headLength);
  const alone = await analyser.analyse(path, "field", never, [join(folder, "nowhere.png")]);
  expect(alone).toEqual(found);
  // One without any head has none: that is no failure.
  expect((await analyser.analyse(join(folder, "ground.png"), "field", never)).heads).toEqual([]);
  const text = join(folder, "text.png");
  await writeFile(text, "no picture");
  await expect(analyser.analyse(text, "crop", never)).rejects.toMatchObject({ code: "image/unknown-format" });
  await expect(analyserProcess({ model: text })).rejects.toMatchObject({ code: "model/not-a-model" });
  await expect(testApp({ analyser: () => analyserProcess({ model: text }) })).rejects.toMatchObject({
    code: "model/not-a-model",
  });
});

test("heads that are judged again where they lie get the opinion that they had, but for what the middle of the square changes", async () => {
  const path = join(folder, "again.png");
  await writeFile(path, await encodePng(phantomField({ heads: 12, seed: 3 }).image));
  const { heads, headLength } = await analyser.analyse(path, "field", never);
  const asked = heads.filter(({ probabilities }) => probabilities.length > 0);
  const centres = asked.map(({ centre }) => centre);
  const judged = await analyser.judge({ path, kind: "field", headLength, centres }, never);
  expect(judged).toHaveLength(asked.length);
  for (const [i, head] of asked.entries()) {
    const again = judged[i]!;
    expect([again.state, again.reason]).toEqual([head.state, head.reason]);
    // Analysed it was around the middle of what the detector saw, now around that of its outline.
    for (const [c, p] of again.probabilities.entries()) expect(Math.abs(p - head.probabilities[c]!)).toBeLessThan(0.1);
  }
  // Nobody noted how long heads are: it is estimated as then.
  expect(await analyser.judge({ path, kind: "field", centres }, never)).toEqual(judged);
  const crop = join(folder, "0.png");
  const [one] = (await analyser.analyse(crop, "crop", never)).heads;
  const [again] = await analyser.judge({ path: crop, kind: "crop", centres: [one!.centre] }, never);
  expect(again).toEqual({
    ...{ state: one!.state, ...(one!.reason ? { reason: one!.reason } : {}) },
    ...{ probabilities: one!.probabilities, agreement: one!.agreement },
  });
  await expect(
    analyser.judge({ path: join(folder, "nowhere.png"), kind: "crop", centres }, never),
  ).rejects.toMatchObject({
    code: "file/not-found",
  });
});

describe("its process", () => {
  test("is given up on demand and started anew for the next image", async () => {
    const path = join(folder, "0.png");
    const stop = new AbortController();
    const given = analyser.analyse(path, "crop", stop.signal);
    stop.abort(new Error("given up"));
    await expect(given).rejects.toThrow("given up");
    expect((await analyser.analyse(path, "crop", never)).heads).toHaveLength(1);
  });
});
