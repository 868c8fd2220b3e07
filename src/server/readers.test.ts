/** Several readers of one sample, through the API: blind reading, disagreements, consensus, report and exports. */

import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { GeoJsonCollection } from "../fields/index.ts";
import { parseCsv } from "../runs/index.ts";
import type { Head, Value } from "./api.ts";
import { verifyFolder } from "./store/verify.ts";
import { act, ann, app, ben, cem, client, sampleOf } from "./testing/readers.ts";

describe("a blind reader", () => {
  /** Everything of the API that could tell, as one text. */
  async function seen(sample: number, heads: readonly Head[], reader: number): Promise<string> {
    const answers: unknown[] = [
      await client.call("listHeads", { params: { sample }, query: { reader, outlines: "true" } }),
      await client.call("disagreements", { params: { sample }, query: { reader, state: "all" } }),
    ];
    const report = await client.call("report", { params: { sample }, query: { reader } });
    for (const { id } of heads) {
      answers.push(await client.call("getHead", { params: { head: id }, query: { reader } }));
      answers.push(await client.call("headLog", { params: { head: id }, query: { reader } }));
    }
    return JSON.stringify([answers, report.readers, report.final, report.agreement]);
  }

  test("sees nothing of others before deciding, then sees it, head by head", async () => {
    const { sample, heads } = await sampleOf(3);
    const params = { sample };
    await client.call("assignReading", { params, body: { ...act(ann), assigned: ben, role: "blind" } });
    for (const { id } of heads) await client.decide(ann, id, "Tapered");
    await client.call("settle", {
      body: { ...act(ann, "beyond doubt"), head: heads[0]!.id, value: { kind: "excluded", why: "cut" } },
    });
    const before = await seen(sample, heads, ben);
    expect(before).not.toContain('"class":"Tapered"');
    expect(before).not.toContain('"why":"cut"');
    expect(before).not.toContain("beyond doubt");
    expect(JSON.parse(before)[2]).toBeNull();
    for (const name of ["exportCsv", "exportJson"] as const) {
      const refusal = await client.refused(name, { params, query: { reader: ben } });
      expect(refusal).toMatchObject({ status: 409, code: "review/blind" });
    }
    const early = { ...act(ben), head: heads[1]!.id, value: { kind: "class" as const, class: "Normal" } };
    expect((await client.refused("settle", { body: early })).code).toBe("review/blind");

    await client.decide(ben, heads[1]!.id, "Normal");
    const [first, second, third] = await client.heads(sample, ben);
    expect([first, third].map((head) => [head!.hidden, head!.others.length])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect(second).toMatchObject({ hidden: false, others: [{ reader: { name: "Ann" }, value: { class: "Tapered" } }] });
    // Taken back, it is hidden again; and what is decided after having seen is counted.
    await client.decide(ben, heads[1]!.id, "Tapered");
    const reading = async () =>
      (await client.call("getSample", { params })).readings.find((one) => one.reader.id === ben)!;
    expect(await reading()).toMatchObject({ role: "blind", decided: 1, changedAfterReveal: 1 });
    await client.decide(ben, heads[0]!.id, "cut");
    await client.decide(ben, heads[2]!.id, "Tapered");
    expect(await reading()).toMatchObject({ decided: 3, changedAfterReveal: 1 });
    const report = await client.call("report", { params, query: { reader: ben } });
    expect(report.hidden).toBe(false);
    expect((await client.fetch("exportCsv", { params, query: { reader: ben } })).status).toBe(200);
  });

  test("is answered with what a decision shows, and with what taking it back hides again; others with nothing", async () => {
    const { sample, heads } = await sampleOf(2);
    const [one, two] = heads as [Head, Head];
    await client.call("assignReading", { params: { sample }, body: { ...act(ann), assigned: ben, role: "blind" } });
    const decide = async (reader: number, value: Value | null, id: string = randomUUID()) =>
      (await client.call("decide", { body: { reader, decisions: [{ id, head: one.id, value }] } })).heads;
    const [normal, tapered] = ["Normal", "Tapered"].map((name) => ({ kind: "class", class: name }) as const);
    expect(await decide(ann, normal!)).toEqual([]);
    const id = randomUUID();
    const shown = await decide(ben, tapered!, id);
    expect(shown).toMatchObject([
      { id: one.id, hidden: false, decision: { value: tapered }, others: [{ reader: { id: ann }, value: normal }] },
    ]);
    expect(await decide(ben, tapered!, id), "sent again after a lost answer").toEqual(shown);
    expect(await decide(ben, null)).toMatchObject([{ id: one.id, hidden: true, decision: null, others: [] }]);
    expect((await client.heads(sample, ben)).find((head) => head.id === two.id)).toMatchObject({ hidden: true });
  });

  test("is told of disagreements on heads that they have decided, and of no other", async () => {
    const { sample, heads } = await sampleOf(2);
    const params = { sample };
    await client.call("assignReading", { params, body: { ...act(ann), assigned: cem, role: "blind" } });
    for (const { id } of heads) {
      await client.decide(ann, id, "Normal");
      await client.decide(ben, id, "Tapered");
    }
    const count = () => client.call("countDisagreements", { params, query: { reader: cem } });
    expect(await count()).toEqual({ open: 0, settled: 0 });
    await client.decide(cem, heads[0]!.id, "Normal");
    expect(await count()).toEqual({ open: 1, settled: 0 });
    await client.decide(cem, heads[0]!.id, null);
    expect(await count()).toEqual({ open: 0, settled: 0 });
  });

  test("cannot be made of one who has decided, or only looked", async () => {
    const { sample, heads } = await sampleOf(1);
    const params = { sample };
    const blind = (assigned: number) => ({ params, body: { ...act(ann), assigned, role: "blind" as const } });
    await client.decide(ann, heads[0]!.id, "Normal");
    await client.heads(sample, cem);
    for (const reader of [ann, cem]) {
      expect(await client.refused("assignReading", blind(reader))).toMatchObject({
        status: 409,
        code: "review/has-seen",
      });
    }
    await client.call("assignReading", blind(ben));
    expect((await client.heads(sample, ben))[0]!.hidden).toBe(true);
  });
});

describe("two readers", () => {
  test("who differ make a queue; a consensus settles it; every count adds up", async () => {
    const { sample, heads } = await sampleOf(8);
    const params = { sample };
    // The stand-in cuts the fifth head and refuses the seventh.
    expect(heads.map(({ state }) => state)).toEqual(["head", "head", "head", "head", "cut", "head", "refused", "head"]);
    const annSays = ["Normal", "Normal", "Tapered", "cut", "cut", "Normal", "no-head", null];
    const benSays = ["Normal", "Tapered", "Tapered", "unjudgeable", "cut", null, "Normal", null];
    for (const [i, { id }] of heads.entries()) {
      if (annSays[i]) await client.decide(ann, id, annSays[i]);
      if (benSays[i]) await client.decide(ben, id, benSays[i]);
    }
    const open = async (state: "open" | "settled" = "open") =>
      (await client.call("disagreements", { params, query: { reader: ann, state } })).disagreements;
    const count = () => client.call("countDisagreements", { params, query: { reader: ann } });
    expect((await open()).map(({ head }) => head.number)).toEqual([2, 4, 7]);
    expect(await count()).toEqual({ open: 3, settled: 0 });
    const value = { kind: "class" as const, class: "Amorphous" };
    const settled = await client.call("settle", {
      body: { ...act(cem, "looked together"), head: heads[1]!.id, value },
    });
    expect(settled.head.consensus).toMatchObject({ reader: { name: "Çem" }, value, reason: "looked together" });
    expect((await open()).map(({ head }) => head.number)).toEqual([4, 7]);
    expect((await open("settled")).map(({ head }) => head.number)).toEqual([2]);
    expect(await count()).toEqual({ open: 2, settled: 1 });

    const report = await client.call("report", { params, query: { reader: ann } });
    const none = { "no-head": 0, cut: 0, unjudgeable: 0 };
    expect(report.model).toMatchObject({ cut: 1, refused: 1, undecided: 0, disputed: 0 });
    expect(report.readers.map(({ reading }) => reading.reader.name)).toEqual(["Ann", "Ben"]);
    expect(report.readers[0]!.counts).toMatchObject({
      classes: { Normal: 3, Tapered: 1, Amorphous: 0 },
      excluded: { ...none, cut: 2, "no-head": 1 },
      undecided: 1,
    });
    expect(report.final).toEqual({
      classes: { Normal: 2, Tapered: 1, Amorphous: 1 },
      excluded: { ...none, cut: 1 },
      ...{ cut: 0, refused: 0, undecided: 1, disputed: 2 },
    });
    for (const counts of [report.model, report.final!, ...report.readers.map((one) => one.counts)]) {
      const { classes, excluded, cut, refused, undecided, disputed } = counts;
      const parts = [...Object.values(classes), ...Object.values(excluded), cut, refused, undecided, disputed];
      expect(parts.reduce((a, b) => a + b)).toBe(8);
    }
    // Both decided six: NN, NT, TT, and exclusions as one label XX, XX, XN. By hand: p = 4/6; chance
    // (2·2 + 1·2 + 3·2)/36 = 12/36; kappa (4/6 − 1/3)/(1 − 1/3) = 1/2.
    expect(report.agreement).toMatchObject([{ heads: 6, agreed: 4 }]);
    expect(report.agreement[0]!.kappa).toBeCloseTo(0.5, 12);

    const csv = await (await client.fetch("exportCsv", { params, query: { reader: ann } })).text();
    expect(parseCsv(csv).rows.map(({ cells: row }) => [row["reader Ann"], row["reader Ben"], row.final])).toEqual([
      ["Normal", "Normal", "Normal"],
      ["Normal", "Tapered", "Amorphous"],
      ["Tapered", "Tapered", "Tapered"],
      ["excluded: cut", "excluded: unjudgeable", "disputed"],
      ["excluded: cut", "excluded: cut", "excluded: cut"],
      ["Normal", "", "Normal"],
      ["excluded: no-head", "Normal", "disputed"],
      ["", "", ""],
    ]);
    const [image] = (await client.call("listImages", { params })).images;
    const query = { reader: ann, image: image!.id };
    const geo = (await (await client.fetch("exportGeoJson", { params, query })).json()) as GeoJsonCollection;
    const own = (await client.heads(sample, ann)).filter((head) => head.image === image!.id);
    const finals = parseCsv(csv).rows.filter(({ cells }) => cells.image === image!.name);
    expect(geo.features.length).toBe(own.length);
    for (const { properties } of geo.features) {
      const final = finals.find(({ cells }) => Number(cells.head) === properties.number)!.cells.final!;
      if (final.startsWith("excluded"))
        expect(properties).toMatchObject({ accepted: false, classification: { name: "Excluded" } });
      else if (final !== "" && final !== "disputed") expect(properties).toMatchObject({ accepted: true, class: final });
    }
    const elsewhere = { ...query, image: image!.id + 1000 };
    expect((await client.refused("exportGeoJson", { params, query: elsewhere })).status).toBe(404);
    const document = await client.call("exportJson", { params, query: { reader: ann } });
    expect(document.heads).toHaveLength(8);
    expect(document.log.at(-1)).toMatchObject({ action: "reading", reader: { name: "Çem" } });
    const reopened = await client.call("settle", { body: { ...act(cem), head: heads[1]!.id, value: null } });
    expect(reopened.head.consensus).toBeNull();
    expect((await open()).map(({ head }) => head.number)).toEqual([2, 4, 7]);
  });
});

test("after all of this the folder is as the app left it", async () => {
  expect(await verifyFolder(app.folder)).toMatchObject({ intact: true, faults: [] });
});
