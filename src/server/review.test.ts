/** Readers at work, through the API: decisions, retries, undo, outlines, blind reading, consensus, report and exports. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCsv } from "../runs/index.ts";
import type { Head } from "./api.ts";
import { verifyFolder } from "./store/verify.ts";
import { type Client, photograph, type TestApp, testApp } from "./testing/support.ts";

let app: TestApp;
let client: Client;
let [ann, ben, cem] = [0, 0, 0];
beforeAll(async () => {
  app = await testApp();
  ({ client } = app);
  [ann, ben, cem] = [await client.newReader("Ann"), await client.newReader("Ben"), await client.newReader("Çem")];
});
afterAll(() => app.end());

let seed = 0;
/** A sample with one photograph of so many heads. */
async function sampleOf(heads: number): Promise<{ sample: number; heads: Head[] }> {
  const sample = await client.newSample(ann);
  await client.upload(sample, "field", { "smear 1.png": await photograph(heads, ++seed) });
  await client.analysed(sample);
  return { sample, heads: await client.heads(sample, ann) };
}

const act = (reader: number, reason = "") => ({ id: randomUUID(), reader, reason });

describe("samples and readers", () => {
  test("a reader's name is that reader, a sample is made once however often it is sent", async () => {
    expect(await client.newReader("Ann")).toBe(ann);
    const body = { id: randomUUID(), reader: ann, name: " Smear of March ", note: "two lines\nof it" };
    const first = await client.call("createSample", { body });
    expect(first).toMatchObject({
      name: "Smear of March",
      umPerPx: null,
      calibration: null,
      archived: false,
      heads: 0,
    });
    expect(await client.call("createSample", { body })).toEqual(first);
    const other = await client.refused("createSample", { body: { ...body, name: "Another" } });
    expect(other).toMatchObject({ status: 409, code: "review/id-reused" });
  });

  test("an archived sample is left out of the list, refuses work, and can be taken back", async () => {
    const sample = await client.newSample(ann, "Old");
    const params = { sample };
    await client.call("changeSample", { params, body: { ...act(ann), archived: true } });
    expect((await client.call("listSamples", { query: {} })).samples.map(({ id }) => id)).not.toContain(sample);
    const { samples } = await client.call("listSamples", { query: { archived: "true" } });
    expect(samples.map(({ id }) => id)).toContain(sample);
    await expect(client.upload(sample, "crop", { "a.png": await photograph(1, 99) })).rejects.toMatchObject({
      code: "review/archived",
    });
    const back = await client.call("changeSample", { params, body: { ...act(ann), archived: false, name: "Kept" } });
    expect(back).toMatchObject({ name: "Kept", archived: false });
  });

  test("a calibration says by whom and how, and changes the lengths of the export alone", async () => {
    const { sample, heads } = await sampleOf(2);
    const body = { ...act(ben), umPerPx: 0.25, method: "stage-micrometer" as const, detail: "100 µm on 400 px" };
    const of = await client.call("calibrate", { params: { sample }, body });
    expect(of).toMatchObject({ umPerPx: 0.25, calibration: { method: "stage-micrometer", reader: { name: "Ben" } } });
    const csv = await (await client.fetch("exportCsv", { params: { sample }, query: { reader: ann } })).text();
    const rows = parseCsv(csv).rows.map(({ cells }) => cells);
    // 8 pixels of a quarter of a micrometre.
    expect(rows[0]).toMatchObject({ length_px: "8", length_um: "2", area_um2: "2.5" });
    expect(rows).toHaveLength(heads.length);
    const unknown = { ...act(ben), umPerPx: null, method: "other" as const, detail: "" };
    expect((await client.call("calibrate", { params: { sample }, body: unknown })).umPerPx).toBeNull();
  });
});

describe("decisions", () => {
  test("are kept with reader, reason and time, and logged with old and new value", async () => {
    const { sample, heads } = await sampleOf(3);
    const head = heads[1]!.id;
    await client.decide(ann, head, "Normal");
    const body = { reader: ann, decisions: [{ id: randomUUID(), head, value: null, reason: "too soon" }] };
    await client.call("decide", { body });
    await client.decide(ann, head, "unjudgeable");
    const { rows, hidden } = await client.call("headLog", { params: { head }, query: { reader: ann } });
    expect(hidden).toBe(false);
    const normal = { kind: "class", class: "Normal" };
    const excluded = { kind: "excluded", why: "unjudgeable" };
    expect(rows.map((row) => [row.old, row.new, row.reason])).toEqual([
      [null, normal, ""],
      [normal, null, "too soon"],
      [null, excluded, ""],
    ]);
    expect(rows.every((row) => row.reader?.name === "Ann" && row.action === "decide" && row.head === head)).toBe(true);
    const found = (await client.heads(sample, ann)).find(({ id }) => id === head)!;
    expect(found.decision).toMatchObject({ value: excluded, reader: { id: ann } });
    expect(await client.call("getSample", { params: { sample } })).toMatchObject({ heads: 3, decided: 1 });
  });

  test("sent again are answered alike and done once, also where a later one followed", async () => {
    const { heads } = await sampleOf(1);
    const head = heads[0]!.id;
    const id = randomUUID();
    const first = await client.decide(ann, head, "Normal", id);
    await client.decide(ann, head, "Tapered");
    expect(await client.decide(ann, head, "Normal", id)).toEqual({ ...first, replayed: true });
    const now = await client.call("getHead", { params: { head }, query: { reader: ann } });
    expect(now.decision?.value).toEqual({ kind: "class", class: "Tapered" });
    const again = { reader: ann, decisions: [{ id, head, value: null }] };
    expect(await client.refused("decide", { body: again })).toMatchObject({ code: "review/id-reused", status: 409 });
  });

  test("of a batch are saved together or not at all", async () => {
    const { sample, heads } = await sampleOf(3);
    const value = { kind: "class" as const, class: "Normal" };
    const decisions = heads.map(({ id }) => ({ id: randomUUID(), head: id, value }));
    const wrong = [
      ...decisions,
      { id: randomUUID(), head: heads[0]!.id, value: { kind: "class" as const, class: "Huge" } },
    ];
    const refusal = await client.refused("decide", { body: { reader: ann, decisions: wrong } });
    expect(refusal).toMatchObject({ status: 422, code: "review/unknown-class", found: '"Huge"' });
    const none = [...decisions, { id: randomUUID(), head: 999_999, value }];
    expect(await client.refused("decide", { body: { reader: ann, decisions: none } })).toMatchObject({ status: 404 });
    expect((await client.heads(sample, ann)).every(({ decision }) => decision === null)).toBe(true);
    const { done } = await client.call("decide", { body: { reader: ann, decisions } });
    expect(new Set(done.map(({ seq }) => seq)).size).toBe(3);
    expect((await client.heads(sample, ann)).every(({ decision }) => decision !== null)).toBe(true);
  });
});

describe("undo", () => {
  test("goes back step by step, and forward again by its own rows", async () => {
    const { sample, heads } = await sampleOf(1);
    const head = heads[0]!.id;
    const now = async () => {
      const { decision } = await client.call("getHead", { params: { head }, query: { reader: ann } });
      return decision?.value.kind === "class" ? decision.value.class : null;
    };
    for (const name of ["Normal", "Tapered", "Amorphous"]) await client.decide(ann, head, name);
    const undo = (seq?: number) => client.call("undo", { body: { ...act(ann), sample, ...(seq ? { seq } : {}) } });
    const first = await undo();
    expect(await now()).toBe("Tapered");
    await undo();
    expect(await now()).toBe("Normal");
    await undo();
    expect(await now()).toBeNull();
    expect(await client.refused("undo", { body: { ...act(ann), sample } })).toMatchObject({
      code: "review/nothing-to-undo",
    });
    // What the first one took back was done on top of what is gone now.
    const wrong = await client.refused("undo", { body: { ...act(ann), sample, seq: first.seq } });
    expect(wrong).toMatchObject({ status: 409, code: "review/changed-since" });
  });

  test("of an undo does the act again, once; a retry of it changes nothing", async () => {
    const { sample, heads } = await sampleOf(1);
    await client.decide(ann, heads[0]!.id, "Normal");
    const body = { ...act(ann, "slip"), sample };
    const undone = await client.call("undo", { body });
    expect(undone.head?.decision).toBeNull();
    expect(await client.call("undo", { body })).toEqual({ ...undone, replayed: true });
    const redone = await client.call("undo", { body: { ...act(ann), sample, seq: undone.seq } });
    expect(redone.head?.decision?.value).toEqual({ kind: "class", class: "Normal" });
    expect(redone.undoes).toBe(undone.seq);
    const twice = await client.refused("undo", { body: { ...act(ann), sample, seq: undone.seq } });
    expect(twice.code).toBe("review/nothing-to-undo");
  });

  test("is of one's own acts", async () => {
    const { sample, heads } = await sampleOf(1);
    const { seq } = await client.decide(ann, heads[0]!.id, "Normal");
    expect((await client.refused("undo", { body: { ...act(ben), sample, seq } })).code).toBe("server/not-found");
    expect((await client.refused("undo", { body: { ...act(ben), sample } })).code).toBe("review/nothing-to-undo");
  });
});

describe("outlines", () => {
  /** 12 × 6 pixels. */
  const box = [
    [50, 40],
    [62, 40],
    [62, 46],
    [50, 46],
  ] as [number, number][];

  test("drawn anew are measured anew, and the analysis's own come back", async () => {
    const { sample, heads } = await sampleOf(1);
    const head = heads[0]!.id;
    const change = (outline: typeof box | null) =>
      client.call("changeOutline", { params: { head }, body: { ...act(ann, "too tight"), outline } });
    const drawn = (await change(box)).head;
    // The box has 72 pixels; lengths are of pixel centres, half a pixel short of its sides.
    expect(drawn).toMatchObject({
      outlineBy: "reader",
      outline: box,
      measures: { areaPx: 72, centreX: 56, centreY: 43 },
    });
    expect(drawn.measures!.lengthPx).toBeCloseTo(11.5, 5);
    expect(drawn.measures!.widthPx).toBeCloseTo(5.5, 5);
    expect((await change(null)).head).toMatchObject({ outlineBy: "model", measures: { areaPx: 40 } });
    const undone = await client.call("undo", { body: { ...act(ann), sample } });
    expect(undone.head).toMatchObject({ outlineBy: "reader", measures: { areaPx: 72 } });
  });

  test("outside the image, of no pixel or of two corners are refused", async () => {
    const { heads } = await sampleOf(1);
    const params = { head: heads[0]!.id };
    const outside = [...box, [201, 40]] as typeof box;
    const sliver = [
      [5, 5.6],
      [9, 5.6],
      [9, 5.9],
    ] as typeof box;
    for (const outline of [outside, sliver]) {
      const refusal = await client.refused("changeOutline", { params, body: { ...act(ann), outline } });
      expect(refusal).toMatchObject({ status: 422, code: "review/bad-outline" });
    }
    const two = await client.refused("changeOutline", { params, body: { ...act(ann), outline: box.slice(0, 2) } });
    expect(two).toMatchObject({ status: 400, code: "server/bad-request", where: "body.outline" });
  });

  test("add a head, which others can decide; after that it stays", async () => {
    const { sample, heads } = await sampleOf(2);
    const body = { ...act(ann, "missed"), outline: box };
    const params = { image: heads[0]!.image };
    const added = await client.call("addHead", { params, body });
    expect(added.head).toMatchObject({
      number: 3,
      source: "reader",
      state: "head",
      modelClass: null,
      probabilities: [],
    });
    expect((await client.call("addHead", { params, body })).head.id).toBe(added.head.id);
    const undone = await client.call("undo", { body: { ...act(ann), sample } });
    expect(undone.head).toBeNull();
    expect(await client.heads(sample, ann)).toHaveLength(2);
    await client.call("undo", { body: { ...act(ann), sample, seq: undone.seq } });
    await client.decide(ben, added.head.id, "Normal");
    const { code } = await client.refused("undo", { body: { ...act(ann), sample } });
    expect(code).toBe("review/changed-since");
    expect((await client.heads(sample, ann)).map(({ number }) => number)).toEqual([1, 2, 3]);
  });
});

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
    expect((await open()).map(({ head }) => head.number)).toEqual([2, 4, 7]);
    const value = { kind: "class" as const, class: "Amorphous" };
    const settled = await client.call("settle", {
      body: { ...act(cem, "looked together"), head: heads[1]!.id, value },
    });
    expect(settled.head.consensus).toMatchObject({ reader: { name: "Çem" }, value, reason: "looked together" });
    expect((await open()).map(({ head }) => head.number)).toEqual([4, 7]);
    expect((await open("settled")).map(({ head }) => head.number)).toEqual([2]);

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
