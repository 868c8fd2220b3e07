/** Readers at work, through the API: decisions, retries, undo and outlines. */

import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../runs/index.ts";
import { verifyFolder } from "./store/verify.ts";
import { act, ann, app, ben, client, sampleOf } from "./testing/readers.ts";
import { photograph } from "./testing/support.ts";

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
    const columns = csv.slice(csv.indexOf("centre_x"), csv.indexOf("\n"));
    expect(columns).toBe(
      "centre_x,centre_y,length_px,width_px,area_px,perimeter_px,ellipticity,elongation,rugosity,regularity,symmetry,acrosome_share,vacuoles,vacuole_share,angle_deg,length_um,width_um,area_um2,perimeter_um",
    );
    expect(csv.split("\n")[2]!.split(",").slice(-columns.split(",").length).join(",")).toBe(
      "15,3.5,8,5,40,24,1.6,0.2308,0.87,0.78,1,0.4,0,0,0,2,1.25,2.5,6",
    );
    expect(rows).toHaveLength(heads.length);
    const unknown = { ...act(ben), umPerPx: null, method: "other" as const, detail: "" };
    expect((await client.call("calibrate", { params: { sample }, body: unknown })).umPerPx).toBeNull();
  });
});

test("the list of images is the whole of it, or those asked for that are the sample's", async () => {
  const sample = await client.newSample(ann);
  const files = Object.fromEntries(
    await Promise.all([1, 2, 3].map(async (i) => [`${i}.png`, await photograph(i, 200 + i)] as const)),
  );
  await client.upload(sample, "field", files);
  const all = await client.analysed(sample);
  expect(all.map(({ name, heads }) => [name, heads])).toEqual([
    ["1.png", 1],
    ["2.png", 2],
    ["3.png", 3],
  ]);
  const [first, , third] = all as [{ id: number }, unknown, { id: number }];
  const { sample: other, heads } = await sampleOf(1);
  const some = (...ids: number[]) => client.call("listImages", { params: { sample }, query: { ids: ids.join(",") } });
  expect((await some(third.id, first.id, heads[0]!.image, 10 ** 9)).images).toEqual([first, third]);
  expect((await client.call("listImages", { params: { sample: other } })).images).toHaveLength(1);
  for (const ids of ["", "0", "1,", "1;2", "1".padEnd(1100, ",1")]) {
    const refusal = await client.refused("listImages", { params: { sample }, query: { ids } });
    expect(refusal).toMatchObject({ status: 400, code: "server/bad-request" });
  }
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

test("after all of this the folder is as the app left it", async () => {
  expect(await verifyFolder(app.folder)).toMatchObject({ intact: true, faults: [] });
});
