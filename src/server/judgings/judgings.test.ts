/** Judging again through the API, with stand-ins for the networks: what changes, what stays, and what happens in the middle. */
import { randomUUID } from "node:crypto";
import { chmod, rm, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Head } from "../api.ts";
import { originalPath } from "../store/originals.ts";
import { judgingIn, named, opinionOf } from "../testing/judging.ts";
import { CLASSES, standIn, type TestApp, testApp } from "../testing/support.ts";

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
const { act, analysed, ended, intact, judgeAgain, opinions, refused } = judgingIn(() => ({ app, reader, sample }));

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
