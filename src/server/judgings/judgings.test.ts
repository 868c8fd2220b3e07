/** Judging again through the API, with stand-ins for the networks: what changes, what stays, and what happens in the middle. */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Analyser } from "../analysis/analyser.ts";
import type { Head, Judging } from "../api.ts";
import type { Learner } from "../learnings/learner.ts";
import { originalPath } from "../store/originals.ts";
import { verifyFolder } from "../store/verify.ts";
import { CLASSES, photograph, standIn, type TestApp, testApp } from "../testing/support.ts";

/** A stand-in under another model's name. */
const named = (model: string, more: Partial<Analyser> = {}): Analyser => {
  const analyser = standIn();
  return { ...analyser, describe: () => ({ ...analyser.describe(), model }), ...more };
};

/** One whose judging waits until it is let through, an image at a time. */
function gated(model: string) {
  const waiting: (() => void)[] = [];
  const { judge } = standIn();
  return {
    waiting: () => waiting.length,
    next: () => waiting.shift()!(),
    analyser: named(model, {
      async judge(...of) {
        await new Promise<void>((pass) => waiting.push(pass));
        return judge(...of);
      },
    }),
  };
}

interface Geo {
  models: unknown;
  features: { id: string; properties: unknown }[];
}

let app: TestApp;
let reader: number;
let sample: number;
beforeEach(async () => {
  app = await testApp();
  reader = await app.client.newReader("Ada");
  sample = await app.client.newSample(reader, "Slide 1");
});
afterEach(() => app.end());

/** Two photographs, of eight heads and of three. */
async function analysed(): Promise<Head[]> {
  await app.client.upload(sample, "field", { "a.png": await photograph(8, 1), "b.png": await photograph(3, 2) });
  await app.client.analysed(sample);
  return app.client.heads(sample, reader);
}

const act = (who = reader) => ({ id: randomUUID(), reader: who });
const judgeAgain = (body: { id: string; reader: number; reason?: string } = act(), of = sample) =>
  app.client.call("judgeAgain", { params: { sample: of }, body });
const refused = (body: unknown = act(), of = sample) =>
  app.client.refused("judgeAgain", { params: { sample: of }, body });
const opinions = (who = reader) => app.client.call("sampleOpinions", { params: { sample }, query: { reader: who } });

async function ended(id: number): Promise<Judging> {
  let found: Judging | undefined;
  await vi.waitFor(async () => {
    found = (await opinions()).judgings.find((one) => one.id === id);
    expect(found?.state).not.toMatch(/queued|running/);
  });
  return found!;
}

const opinionOf = ({ state, reason, agreement, probabilities, modelClass, judgedBy }: Head) => ({
  ...{ state, reason, agreement, probabilities, modelClass, judgedBy },
});
const intact = async () => expect(await verifyFolder(app.folder)).toMatchObject({ faults: [] });

describe("with another model than that of the analysis", () => {
  test("undecided heads get its opinion all at once; decided, settled, cut and added ones keep theirs; what was said is kept", async () => {
    const before = await analysed();
    // The fifth is cut: no model was asked about it.
    expect(before.map(({ judgedBy }) => judgedBy)).toEqual(before.map((_, i) => (i === 4 ? null : "m")));
    expect(await opinions()).toMatchObject({ outdated: 0, models: [{ inUse: true, heads: 10, decided: 0 }] });
    const [decided, settled, takenBack] = before as [Head, Head, Head];
    await app.client.decide(reader, decided.id, "Amorphous");
    const value = { kind: "class" as const, class: "Tapered" };
    await app.client.call("settle", { body: { ...act(), head: settled.id, value } });
    await app.client.decide(reader, takenBack.id, "Normal");
    await app.client.call("undo", { body: { ...act(), sample } });
    const outline: [number, number][] = [
      [120, 40],
      [130, 40],
      [130, 46],
    ];
    const added = (
      await app.client.call("addHead", { params: { image: before[0]!.image }, body: { ...act(), outline } })
    ).head;
    expect(added.judgedBy).toBeNull();

    app = await app.again({ analyser: async () => named("n") });
    const stale = await opinions();
    expect(stale).toMatchObject({ hidden: false, outdated: 8, sample: { id: sample, name: "Slide 1" } });
    expect(stale.models).toMatchObject([{ analyser: { model: "m" }, inUse: false, heads: 10, decided: 2 }]);
    expect((await app.client.call("listOpinions", { query: { reader } })).samples).toEqual([stale]);

    const body = { ...act(), reason: "new stain" };
    const judging = await judgeAgain(body);
    expect(judging).toMatchObject({ sample, reader: { name: "Ada" }, analyser: { model: "n" }, result: null });
    const done = await ended(judging.id);
    expect(done).toMatchObject({
      ...{ state: "done", error: null, reason: "new stain" },
      result: { heads: 8, from: [{ model: "m", heads: 8 }], kept: 0, problems: [] },
    });
    const after = new Map((await app.client.heads(sample, reader, "true")).map((head) => [head.id, head]));
    let changed = 0;
    for (const head of before) {
      const now = after.get(head.id)!;
      // Where it is, and how large, no model changes.
      for (const key of ["centre", "axis", "measures", "score", "thumbnail", "number", "outlineBy"] as const)
        expect(now[key]).toEqual(head[key]);
      if (head.id === decided.id || head.id === settled.id || head.state === "cut")
        expect(opinionOf(now)).toEqual(opinionOf(head));
      else {
        expect(now).toMatchObject({ judgedBy: "n", agreement: 0.85 });
        expect(Math.max(...now.probabilities)).toBe(0.9);
        expect(now.modelClass === null).toBe(now.state === "refused");
        if (now.modelClass !== head.modelClass || now.state !== head.state) changed++;
      }
      const { opinions: said } = await app.client.call("headOpinions", {
        params: { head: head.id },
        query: { reader },
      });
      const stays = now.judgedBy !== "n";
      expect(said.map(({ analyser, judging: of }) => [analyser.model, of])).toEqual(
        now.judgedBy === null ? [] : [["m", null], ...(stays ? [] : [["n", judging.id]])],
      );
      if (said[0]) expect(said[0]).toMatchObject({ probabilities: head.probabilities, modelClass: head.modelClass });
      if (said.length > 1) expect(said[1]).toMatchObject({ at: done.finished, probabilities: now.probabilities });
    }
    expect(done.result!.changed).toBe(changed);
    expect(opinionOf(after.get(added.id)!)).toEqual(opinionOf(added));

    // The same act again is answered as the first time, and starts nothing.
    expect(await judgeAgain(body)).toEqual(done);
    const { log, formerOpinions, judgings } = await app.client.call("exportJson", {
      params: { sample },
      query: { reader },
    });
    const rows = log.filter(({ action }) => action === "judge");
    expect(rows).toMatchObject([
      {
        ...{ act: body.id, reader: { name: "Ada" }, reason: "new stain", at: done.finished },
        old: { models: [{ model: "m", heads: 8 }] },
        new: { judging: judging.id, model: "n", heads: 8 },
      },
    ]);
    expect(formerOpinions).toHaveLength(8);
    expect(judgings).toEqual([done]);
    await intact();

    // Back to the former model: the chain of opinions grows.
    app = await app.again({ analyser: async () => standIn() });
    expect(await opinions()).toMatchObject({ outdated: 8 });
    await ended((await judgeAgain()).id);
    const { opinions: three } = await app.client.call("headOpinions", {
      params: { head: takenBack.id },
      query: { reader },
    });
    expect(three.map(({ analyser }) => analyser.model)).toEqual(["m", "n", "m"]);
    expect((await opinions()).models).toMatchObject([{ analyser: { model: "m" }, heads: 10, inUse: true }]);
    await intact();
  });

  test("the report and the exports name every model with its heads, and count each apart", async () => {
    const before = await analysed();
    for (const { id } of before.slice(0, 2)) await app.client.decide(reader, id, "Normal");
    // Its classes stand in another order, and it knows one more.
    const classes = ["Pyriform", ...CLASSES.toReversed()];
    const other = named("n", {
      describe: () => ({ ...standIn().describe(), model: "n", classes }),
      judge: async ({ centres }) =>
        centres.map(() => ({ state: "head", probabilities: [0.7, 0.1, 0.15, 0.05], agreement: 1 })),
    });
    app = await app.again({ analyser: async () => other });
    await ended((await judgeAgain()).id);
    const report = await app.client.call("report", { params: { sample }, query: { reader } });
    expect(report.models.map(({ analyser, heads }) => [analyser.model, heads])).toEqual([
      ["m", 2],
      ["n", 8],
    ]);
    expect(report.models[0]!.counts.classes).toMatchObject({ Normal: 1, Tapered: 1, Pyriform: 0 });
    expect(report.models[1]!.counts.classes).toMatchObject({ Normal: 0, Pyriform: 8 });
    expect(report.model.classes.Pyriform).toBe(8);
    expect(report.analysers.map(({ model }) => model)).toEqual(["m", "n"]);

    const csv = await (await app.client.fetch("exportCsv", { params: { sample }, query: { reader } })).text();
    const [names, ...lines] = csv
      .trim()
      .split("\n")
      .map((line) => line.split(","));
    const column = (name: string) => lines.map((line) => line[names!.indexOf(name)]);
    expect(column("model")).toEqual(["m", "m", "n", "n", "", "n", "n", "n", "n", "n", "n"]);
    // By name, whatever the order of the model's classes.
    expect(column("prob_Normal").slice(0, 3)).toEqual(["0.8", "0.1", "0.05"]);
    expect(column("prob_Pyriform").slice(0, 3)).toEqual(["", "", "0.7"]);

    const query = { reader, image: before[0]!.image };
    const exported = async () =>
      (await (await app.client.fetch("exportGeoJson", { params: { sample }, query })).json()) as Geo;
    const geo = await exported();
    expect(geo.models).toEqual([
      { model: "m", heads: 2 },
      { model: "n", heads: 5 },
    ]);
    expect(geo.features[1]!.properties).toMatchObject({ metadata: { model: "m" }, probabilities: { Normal: 0.1 } });
    expect(geo.features[2]!.properties).toMatchObject({
      ...{ class: "Pyriform", metadata: { model: "n" }, probabilities: { Normal: 0.05, Pyriform: 0.7 } },
    });
    // Another program knows the heads again.
    app = await app.again({ analyser: async () => standIn() });
    const later = await exported();
    expect(later.features.map(({ id }) => id)).toEqual(geo.features.map(({ id }) => id));
  });
});

describe("a blind reader", () => {
  test("is not told whose opinion a head carries, since that tells where others have decided, and cannot begin", async () => {
    const [first, second] = (await analysed()) as [Head, Head];
    const ben = await app.client.newReader("Ben");
    await app.client.call("assignReading", {
      params: { sample },
      body: { ...act(), assigned: ben, role: "blind" },
    });
    await app.client.decide(reader, first.id, "Tapered");
    await app.client.decide(ben, second.id, "Normal");
    app = await app.again({ analyser: async () => named("n") });
    expect(await opinions(ben)).toMatchObject({ hidden: true, models: [], outdated: 0, judgings: [] });
    expect(await refused(act(ben))).toMatchObject({ status: 409, code: "review/blind" });
    await ended((await judgeAgain()).id);
    const seen = await app.client.heads(sample, ben);
    for (const head of seen) {
      const own = head.id === second.id;
      expect(head.judgedBy).toBe(own ? "m" : null);
      const said = await app.client.call("headOpinions", { params: { head: head.id }, query: { reader: ben } });
      expect(said.opinions).toHaveLength(own ? 1 : 0);
      expect(said.hidden).toBe(!own);
    }
    const report = await app.client.call("report", { params: { sample }, query: { reader: ben } });
    expect(report).toMatchObject({ hidden: true, models: [] });
    // Both readers are shown the same opinion of what one of them has decided.
    const open = await app.client.heads(sample, reader);
    expect(seen.map(({ probabilities }) => probabilities)).toEqual(open.map(({ probabilities }) => probabilities));
    expect(open[0]!.judgedBy).toBe("m");
  });
});

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
    for (const { id } of [waits, running]) await app.client.call("stopJudging", { params: { judging: id } });
    expect(await ended(running.id)).toMatchObject({ state: "stopped", error: null, result: null });
    // What the stand-in says after that does not count, and the next one is not kept waiting.
    const next = await judgeAgain();
    door.next();
    for (let image = 0; image < 2; image++) {
      await vi.waitFor(() => expect(door.waiting()).toBe(1));
      expect(await app.client.heads(sample, reader)).toEqual(before);
      door.next();
    }
    expect(await ended(next.id)).toMatchObject({ state: "done", result: { heads: 10 } });
    await app.client.call("stopJudging", { params: { judging: next.id } });
    expect((await opinions()).judgings.map(({ state }) => state)).toEqual(["done", "stopped"]);
    expect((await app.client.refused("stopJudging", { params: { judging: 99 } })).status).toBe(404);
    const other = await app.client.call("sampleOpinions", { params: { sample: second }, query: { reader } });
    expect(other).toMatchObject({ outdated: 1, judgings: [{ state: "stopped" }] });
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

describe("what cannot be judged", () => {
  test("keeps its opinion and is named; where nothing can be judged, it failed", async () => {
    const before = await analysed();
    const images = (await app.client.call("listImages", { params: { sample } })).images;
    // As the program's own networks: the original is read.
    const reading = named("n", {
      async judge(known, signal) {
        await standIn().analyse(known.path, known.kind, signal);
        return standIn().judge(known, signal);
      },
    });
    app = await app.again({ analyser: async () => reading });
    const [a, b] = images.map(({ sha256 }) => originalPath(app.folder, sha256)) as [string, string];
    await chmod(a, 0o600);
    await writeFile(a, "no picture");
    const done = await ended((await judgeAgain()).id);
    expect(done).toMatchObject({ state: "done", result: { heads: 3, kept: 7 } });
    expect(done.result!.problems).toMatchObject([
      { image: images[0]!.id, name: "a.png", error: { code: "image/unknown-format" } },
    ]);
    expect(JSON.stringify(done)).not.toContain(app.folder);
    expect((await app.client.heads(sample, reader)).slice(0, 8)).toEqual(before.slice(0, 8));
    expect(await opinions()).toMatchObject({ outdated: 7 });
    await rm(b);
    await rm(a);
    const failed = await ended((await judgeAgain()).id);
    expect(failed).toMatchObject({ state: "failed", error: { code: "file/not-found" }, result: null });
    expect(JSON.stringify(failed)).not.toContain(app.folder);
  });

  test("is refused by its code: nothing out of date, an archived sample, unknown ones, an id of another act", async () => {
    await analysed();
    expect(await refused()).toMatchObject({ status: 409, code: "judging/nothing" });
    app = await app.again({ analyser: async () => named("n") });
    expect((await refused(act(), 99)).status).toBe(404);
    expect((await refused(act(99))).status).toBe(404);
    const id = randomUUID();
    await app.client.decide(reader, (await app.client.heads(sample, reader))[0]!.id, "Normal", id);
    expect(await refused({ id, reader })).toMatchObject({ status: 409, code: "review/id-reused" });
    const body = { ...act(), archived: true };
    await app.client.call("changeSample", { params: { sample }, body });
    expect(await refused()).toMatchObject({ status: 409, code: "review/archived" });
    expect((await app.client.call("listOpinions", { query: { reader } })).samples).toEqual([]);
  });
});
