/** Judging again while the app goes on: decisions in its middle, stops, starts, other models and a full disk. */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Learner } from "../learnings/learner.ts";
import { gated, judgingIn, named, opinionOf } from "../testing/judging.ts";
import { CLASSES, photograph, type TestApp, testApp } from "../testing/support.ts";

let app: TestApp;
let reader: number;
let sample: number;
beforeEach(async () => {
  app = await testApp();
  reader = await app.client.newReader("Ada");
  sample = await app.client.newSample(reader, "Slide 1");
});
afterEach(() => app.end());
const { act, analysed, ended, intact, judgeAgain, opinions, refused } = judgingIn(() => ({ app, reader, sample }));

describe("in the background", () => {
  test("the server answers, a head decided meanwhile keeps its old opinion, one drawn elsewhere too, and the rest is done", async () => {
    const before = await analysed();
    const door = gated("n");
    app = await app.again({ analyser: async () => door.analyser });
    const { id } = await judgeAgain();
    await vi.waitFor(() => expect(door.waiting()).toBe(1));
    expect(await refused()).toMatchObject({ status: 409, code: "judging/busy" });
    expect((await opinions()).judgings).toMatchObject([{ id, state: "running", result: null }]);
    await app.client.decide(reader, before[0]!.id, "Normal");
    const outline: [number, number][] = [
      [60, 60],
      [70, 60],
      [70, 66],
    ];
    await app.client.call("changeOutline", { params: { head: before[1]!.id }, body: { ...act(), outline } });
    door.next();
    await vi.waitFor(() => expect(door.waiting()).toBe(1));
    // Of a judged image: still nothing of it is in place.
    expect((await app.client.heads(sample, reader)).map(({ judgedBy }) => judgedBy)).not.toContain("n");
    await app.client.decide(reader, before[2]!.id, "Normal");
    door.next();
    expect(await ended(id)).toMatchObject({ state: "done", result: { heads: 7, kept: 3 } });
    const after = await app.client.heads(sample, reader);
    expect(after.map(({ judgedBy }) => judgedBy)).toEqual(after.map((_, i) => (i === 4 ? null : i < 3 ? "m" : "n")));
    for (const i of [0, 1, 2]) expect(opinionOf(after[i]!)).toEqual(opinionOf(before[i]!));
    // The one that was drawn elsewhere is still to be judged.
    expect(await opinions()).toMatchObject({ outdated: 1 });
    await intact();
  });

  test("can be stopped, while it runs and while it waits, and leaves everything as it was", async () => {
    await analysed();
    const second = await app.client.newSample(reader, "Slide 2");
    await app.client.upload(second, "crop", { "c.png": await photograph(1, 3) });
    await app.client.analysed(second);
    const door = gated("n");
    app = await app.again({ analyser: async () => door.analyser });
    const before = await app.client.heads(sample, reader);
    const running = await judgeAgain();
    const waits = await judgeAgain(act(), second);
    await vi.waitFor(() => expect(door.waiting()).toBe(1));
    const other = await app.client.newReader("Ben");
    const stop = (judging: number, who: number) => ({ params: { judging }, body: { reader: who } });
    expect(await app.client.refused("stopJudging", stop(running.id, 999))).toMatchObject({ status: 404 });
    for (const { id } of [waits, running]) await app.client.call("stopJudging", stop(id, other));
    const stopped = { state: "stopped", stoppedBy: { id: other, name: "Ben" }, error: null, result: null };
    expect(await ended(running.id)).toMatchObject(stopped);
    // What the stand-in says after that does not count, and the next one is not kept waiting.
    const next = await judgeAgain();
    door.next();
    for (let image = 0; image < 2; image++) {
      await vi.waitFor(() => expect(door.waiting()).toBe(1));
      expect(await app.client.heads(sample, reader)).toEqual(before);
      door.next();
    }
    expect(await ended(next.id)).toMatchObject({ state: "done", result: { heads: 10 } });
    await app.client.call("stopJudging", stop(next.id, other));
    await app.client.call("stopJudging", stop(running.id, reader));
    const told = (await opinions()).judgings.map(({ state, stoppedBy }) => [state, stoppedBy?.name]);
    expect(told).toEqual([
      ["done", undefined],
      ["stopped", "Ben"],
    ]);
    expect((await app.client.refused("stopJudging", stop(99, reader))).status).toBe(404);
    const there = await app.client.call("sampleOpinions", { params: { sample: second }, query: { reader } });
    expect(there).toMatchObject({ outdated: 1, judgings: [{ state: "stopped" }] });
    await intact();
  });

  test("goes on after a restart with the same model, and ends where it is another", async () => {
    await analysed();
    const door = gated("n");
    app = await app.again({ analyser: async () => door.analyser });
    const { id } = await judgeAgain();
    await vi.waitFor(() => expect(door.waiting()).toBe(1));
    for (let restart = 0; restart < 4; restart++) {
      app = await app.again();
      await vi.waitFor(() => expect(door.waiting()).toBeGreaterThan(restart + 1));
    }
    app = await app.again({ analyser: async () => named("o") });
    expect(await ended(id)).toMatchObject({ state: "failed", error: { code: "judging/other-model" }, result: null });
    expect(await opinions()).toMatchObject({ outdated: 10 });
    const again = await judgeAgain();
    app = await app.again();
    expect(await ended(again.id)).toMatchObject({ state: "done", result: { heads: 10 } });
    await intact();
  });
});

test("one in the middle of which the program was killed begins anew, and is given up where it seems to be what ends it", async () => {
  const before = await analysed();
  const door = gated("n");
  app = await app.again({ analyser: async () => door.analyser });
  const { id } = await judgeAgain();
  await vi.waitFor(() => expect(door.waiting()).toBe(1));
  await app.close();
  // So a killed program leaves it.
  const killedIn = (attempt: number) => {
    const db = new DatabaseSync(join(app.folder, "androscope.db"));
    db.prepare("UPDATE judgings SET state = 'running', attempts = ? WHERE id = ?").run(attempt, id);
    db.close();
  };
  killedIn(3);
  app = await testApp({ folder: app.folder, analyser: async () => named("n") });
  expect(await ended(id)).toMatchObject({ state: "failed", error: { code: "judging/failed" }, result: null });
  expect(await app.client.heads(sample, reader)).toEqual(before);
  await app.close();
  killedIn(2);
  app = await testApp({ folder: app.folder, analyser: async () => named("n") });
  expect(await ended(id)).toMatchObject({ state: "done", error: null, result: { heads: 10 } });
  await intact();
});

test("a model that is adopted makes opinions out of date; one that waits for another model's ends", async () => {
  const HASH = "ab".repeat(32);
  const door = gated(HASH);
  const learner: Learner = {
    async learn({ images }) {
      const held = images.filter(({ held }) => held).flatMap(({ heads }) => heads).length;
      return {
        ...{ model: HASH, strength: 1, learned: { heads: 24, images: 4 }, changed: [] },
        comparison: {
          ...{ heads: held, groups: 2, correct: { before: 1, after: 9 }, mended: 8, spoilt: 0, classes: [] },
          interval: { low: 0.1, high: 0.9 },
        },
      };
    },
    open: async () => door.analyser,
    dispose() {},
  };
  app = await app.again({ learner });
  const { client } = app;
  const files: Record<string, Uint8Array> = {};
  for (let k = 0; k < 6; k++) files[`${k}.png`] = await photograph(12, 30 + k);
  const taught = await client.newSample(reader, "Taught");
  await client.upload(taught, "field", files);
  await client.analysed(taught);
  const decisions = (await client.heads(taught, reader)).map(({ id }, i) => ({
    ...{ id: randomUUID(), head: id, value: { kind: "class" as const, class: CLASSES[i % 3]! } },
  }));
  await client.call("decide", { body: { reader, decisions } });
  await analysed();
  const { id: learning } = await client.call("startLearning", { body: { ...act(), samples: [taught] } });
  await vi.waitFor(async () => {
    const { learnings } = await client.call("listLearnings", { query: { reader } });
    expect(learnings[0]!.state).toBe("done");
  });
  await mkdir(join(app.folder, "models"), { recursive: true });
  await writeFile(join(app.folder, "models", `${HASH}.onnx`), "a model");
  await client.call("useModel", { body: { ...act(), learning } });

  // Every head of the taught sample is decided: there is nothing to judge.
  const { samples } = await client.call("listOpinions", { query: { reader } });
  expect(samples.map(({ sample: { name }, outdated }) => [name, outdated])).toEqual([
    ["Taught", 0],
    ["Slide 1", 10],
  ]);
  expect(await refused(act(), taught)).toMatchObject({ status: 409, code: "judging/nothing" });
  const { id } = await judgeAgain();
  await vi.waitFor(() => expect(door.waiting()).toBe(1));
  await client.call("useModel", { body: { ...act(), learning: null } });
  expect(await ended(id)).toMatchObject({ state: "failed", error: { code: "judging/other-model" } });
  door.next();
  expect(await opinions()).toMatchObject({ outdated: 0, models: [{ analyser: { model: "m" }, heads: 10 }] });
});

test("a full disk leaves everything as it was, and says so", async () => {
  await app.client.upload(sample, "field", { "a.png": await photograph(200, 1) });
  await app.client.analysed(sample);
  await app.close();
  const db = new DatabaseSync(join(app.folder, "androscope.db"));
  const pages = Number(db.prepare("PRAGMA page_count").get()!.page_count);
  db.close();
  // SQLite's own limit stands for the disk's: the error is the same.
  app = await testApp({ folder: app.folder, analyser: async () => named("n"), mostPages: pages });
  const before = await app.client.heads(sample, reader);
  const failed = await ended((await judgeAgain()).id);
  expect(failed).toMatchObject({ state: "failed", error: { code: "file/disk-full" }, result: null });
  expect(await app.client.heads(sample, reader)).toEqual(before);
  await intact();
  await app.close();
  app = await testApp({ folder: app.folder, analyser: async () => named("n") });
  expect(await ended((await judgeAgain()).id)).toMatchObject({ state: "done", error: null });
  await intact();
});
