/** Learning from what readers decided, through the API, with a stand-in for the networks: what is learned from, and what is kept. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AndroscopeError } from "../../runs/index.ts";
import { verifyFolder } from "../store/verify.ts";
import { decideHeads, HASH, learnedFrom, learningEnded, putModel, standInLearner } from "../testing/learner.ts";
import { type TestApp, testApp } from "../testing/support.ts";
import type { LearningOrder } from "./learner.ts";

let app: TestApp;
let taught: ReturnType<typeof standInLearner>;
let reader: number;
let sample: number;
beforeEach(async () => {
  taught = standInLearner();
  app = await testApp({ learner: taught.learner });
  reader = await app.client.newReader("Ada");
  sample = await app.client.newSample(reader);
});
afterEach(() => app.end());

const work = () => ({ client: app.client, reader, sample });
const decided = (photographs: number, from = 0) => decideHeads(work(), photographs, from);
const ended = (id: number) => learningEnded(work(), id);

const begin = (samples = [sample], who = reader, id: string = randomUUID()) =>
  app.client.call("startLearning", { body: { id, reader: who, samples } });
const refusedBegin = (samples = [sample], who = reader) =>
  app.client.refused("startLearning", { body: { id: randomUUID(), reader: who, samples } });

test("learns from final classes; images are held out whole, about a third of the heads, the same ones for ever", async () => {
  const { client } = app;
  const heads = await decided(6);
  // One is excluded, one disputed, one settled after a dispute.
  const other = await client.newReader("Ben");
  const [excluded, disputed, settled] = heads as [number, number, number];
  await client.decide(reader, excluded, "no-head");
  await client.decide(other, disputed, "Amorphous");
  await client.decide(other, settled, "Normal");
  const settle = { id: randomUUID(), reader, head: settled, value: { kind: "class" as const, class: "Tapered" } };
  await client.call("settle", { body: settle });

  const learning = await begin();
  expect(learning).toMatchObject({ state: "running", result: null, model: null, inUse: false, before: "m" });
  const [order] = taught.orders as [LearningOrder];
  expect(order.before).toBeUndefined();
  const given = new Map(order.images.flatMap((image) => image.heads.map((head) => [head.id, head.label])));
  expect(given.size).toBe(heads.length - 2);
  expect(given.has(excluded) || given.has(disputed)).toBe(false);
  expect(given.get(settled)).toBe("Tapered");
  const share = order.images.filter(({ held }) => held).flatMap((image) => image.heads).length / given.size;
  expect(share).toBeGreaterThan(0.25);
  expect(share).toBeLessThan(0.42);

  taught.answer(learnedFrom(order));
  const done = await ended(learning.id);
  expect(done).toMatchObject({
    state: "done",
    model: HASH,
    result: { strength: 0.1, learned: { heads: 30, images: 3 } },
  });
  expect(done.result!.comparison).toMatchObject({
    images: 2,
    mended: 4,
    classes: [{ name: "Normal", heads: 4 }, {}, {}],
  });
  const { changed } = await client.call("getLearning", { params: { learning: learning.id }, query: { reader } });
  expect(changed).toHaveLength(order.images.filter(({ held }) => held).length);
  expect(changed[0]).toMatchObject({ sample, before: "Normal" });

  // More photographs: who was held out stays so, and the share stays about a third.
  await decided(6, 6);
  const again = await begin();
  const next = taught.orders[1]!;
  const heldOf = ({ images }: LearningOrder) => new Map(images.map(({ sha256, held }) => [sha256, held]));
  for (const [sha256, held] of heldOf(order)) expect(heldOf(next).get(sha256)).toBe(held);
  expect([...heldOf(next).values()].filter(Boolean)).toHaveLength(4);
  taught.answer(learnedFrom(next, null));
  expect(await ended(again.id)).toMatchObject({ state: "done", model: null, result: { strength: null } });
  expect(await client.refused("useModel", { body: { id: randomUUID(), reader, learning: again.id } })).toMatchObject({
    status: 409,
    code: "learning/no-model",
  });
});

test("completed comparisons on the same held-out images are counted, whoever began them and in whatever sample the images are", async () => {
  await decided(6);
  const first = sample;
  const done = async (samples: number[]): Promise<number> => {
    const { id } = await begin(samples);
    taught.answer(learnedFrom(taught.orders.at(-1)!));
    await ended(id);
    return id;
  };
  /** The oldest first. */
  const counts = async () =>
    (await app.client.call("listLearnings", { query: { reader } })).learnings
      .map((one) => one.result?.comparisons)
      .reverse();
  await done([first]);
  expect(await counts()).toEqual([1]);
  // One that is stopped compared nothing.
  const stopped = await begin([first]);
  await app.client.call("stopLearning", { params: { learning: stopped.id }, body: { reader } });
  expect(await counts()).toEqual([1, undefined]);
  // Other images.
  sample = await app.client.newSample(reader, "Other");
  await decided(6, 50);
  await done([sample]);
  expect(await counts()).toEqual([1, undefined, 1]);
  await done([first, sample]);
  expect(await counts()).toEqual([2, undefined, 2, 3]);
  // The first sample's images, in a third one.
  sample = await app.client.newSample(reader, "Again");
  await decided(6);
  await done([sample]);
  expect(await counts()).toEqual([3, undefined, 2, 4, 3]);
});

test("a learned model judges what comes after, also after a new start, until the first one is taken again", async () => {
  await decided(6);
  const { id } = await begin();
  taught.answer(learnedFrom(taught.orders[0]!));
  await ended(id);
  await putModel(app);

  const body = { id: randomUUID(), reader, learning: id, reason: "fits our stain" };
  const used = await app.client.call("useModel", { body });
  expect(used).toMatchObject({ replayed: false, learning: id, analyser: { model: HASH } });
  expect(await app.client.call("useModel", { body })).toMatchObject({ seq: used.seq, replayed: true });
  expect((await app.client.call("about")).learning).toBe(id);
  await decided(1, 20);
  const models = (await app.client.call("listImages", { params: { sample } })).images.map((i) => i.analyser!.model);
  expect(models).toEqual(["m", "m", "m", "m", "m", "m", HASH]);
  // The next learning is compared with it.
  const next = await begin();
  expect(next.before).toBe(HASH);
  expect(taught.orders[1]!.before).toBe(join(app.folder, "models", `${HASH}.onnx`));

  app = await app.again();
  expect(taught.opened).toHaveLength(2);
  expect((await app.client.call("about")).analyser.model).toBe(HASH);
  const { learnings } = await app.client.call("listLearnings", { query: { reader } });
  expect(learnings.map(({ state, inUse }) => [state, inUse])).toEqual([
    ["failed", false],
    ["done", true],
  ]);
  expect(learnings[0]).toMatchObject({ error: { code: "learning/stopped" }, stoppedBy: null });
  // Whoever names a model gets that.
  app = await app.again({ ownModel: true });
  expect(await app.client.call("about")).toMatchObject({ analyser: { model: "m" }, learning: null });
  const own = await begin();
  expect(own.before).toBe("m");
  expect(taught.orders[2]!.before).toBeUndefined();
  await app.client.call("stopLearning", { params: { learning: own.id }, body: { reader } });

  const faults = async () =>
    (await verifyFolder(app.folder)).faults.map(({ where, problem }) => `${where}: ${problem}`);
  // Nobody's bytes: the model in use is told apart from what it should be.
  expect(await faults()).toEqual([`models/${HASH}: the file is not what it was`]);
  await app.client.call("useModel", { body: { id: randomUUID(), reader, learning: null } });
  expect(await faults()).toEqual([]);
  expect((await app.client.call("about")).learning).toBeNull();
});

/** A learning that is done, with its model's file. */
async function learned(): Promise<number> {
  await decided(6);
  const { id } = await begin();
  taught.answer(learnedFrom(taught.orders.at(-1)!));
  await ended(id);
  await putModel(app);
  return id;
}

describe("choosing a model", () => {
  test("sent again while it is being opened is done once", async () => {
    const learning = await learned();
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    taught.opening.wait = () => gate;
    const body = { id: randomUUID(), reader, learning };
    const both = [1, 2].map(() => app.client.call("useModel", { body }));
    await vi.waitFor(() => expect(taught.opened).toHaveLength(2));
    open();
    const [one, two] = await Promise.all(both);
    expect(one!.seq).toBe(two!.seq);
    expect([one!.replayed, two!.replayed].sort()).toEqual([false, true]);
    expect(taught.opening.disposed, "the second one is given back").toBe(1);
    expect((await app.client.call("about")).analyser.model).toBe(HASH);
  });

  test("of other classes is refused, and a lost file is told without saying where files lie", async () => {
    const learning = await learned();
    const refused = () => app.client.refused("useModel", { body: { id: randomUUID(), reader, learning } });
    taught.opening.classes = ["Round", "Long"];
    expect(await refused()).toMatchObject({ status: 409, code: "learning/not-here", found: "one of Round, Long" });
    expect(taught.opening.disposed).toBe(1);
    await rm(join(app.folder, "models", `${HASH}.onnx`));
    const lost = await refused();
    expect(lost.code).toBe("file/not-found");
    expect(JSON.stringify(lost)).not.toContain(app.folder);
    expect(await app.client.call("about")).toMatchObject({ analyser: { model: "m" }, learning: null });
  });
});

test("a learning whose end cannot be saved, on a full disk, ends all the same and harms nothing else", async () => {
  await app.end();
  app = await testApp({ learner: taught.learner, mostPages: 300 });
  reader = await app.client.newReader("Ada");
  sample = await app.client.newSample(reader);
  await decided(6);
  const { id } = await begin();
  const body = () => ({ id: randomUUID(), reader, name: "Filler", note: "x".repeat(4000) });
  for (let full = false, i = 0; !full && i < 300; i++)
    full = !(await app.client.fetch("createSample", { body: body() })).ok;
  // Neither the result nor so long an error has room.
  const detail = { expected: "x", found: "y".repeat(50_000), fix: "Again." };
  taught.answer(new AndroscopeError("learning/failed", detail));
  await vi.waitFor(async () => expect(await refusedBegin([999])).toMatchObject({ status: 404 }));
  const state = async () => (await app.client.call("listLearnings", { query: { reader } })).learnings[0]!;
  expect((await state()).state).toBe("running");
  await app.client.call("stopLearning", { params: { learning: id }, body: { reader } });
  expect(await state()).toMatchObject({
    ...{ state: "failed", error: { code: "learning/stopped" }, stoppedBy: { id: reader } },
  });
});

describe("what is refused", () => {
  test("too little", async () => {
    await decided(2);
    expect(await refusedBegin()).toMatchObject({ status: 409, code: "learning/too-few" });
    expect((await app.client.call("listLearnings", { query: { reader } })).learnings).toEqual([]);
  });

  test("a second one at the same time; the first can be stopped, and what fails is told", async () => {
    await decided(6);
    const act = randomUUID();
    const first = await begin([sample], reader, act);
    expect(await begin([sample, sample], reader, act)).toEqual(first);
    const other = await app.client.newReader("Ben");
    const again = { id: act, reader: other, samples: [sample] };
    const reused = { status: 409, code: "review/id-reused" };
    expect(await app.client.refused("startLearning", { body: again })).toMatchObject(reused);
    expect(await refusedBegin()).toMatchObject({ status: 409, code: "learning/busy" });
    const stop = (who: number) => ({ params: { learning: first.id }, body: { reader: who } });
    expect(await app.client.refused("stopLearning", stop(99))).toMatchObject({ status: 404 });
    expect(await app.client.refused("stopLearning", { params: { learning: first.id } })).toMatchObject({ status: 400 });
    const { rows } = await verifyFolder(app.folder);
    await app.client.call("stopLearning", stop(other));
    const gone = await ended(first.id);
    expect(gone).toMatchObject({
      ...{ state: "failed", reader: { id: reader }, stoppedBy: { id: other, name: "Ben" } },
      error: { code: "learning/stopped", found: "one that Ben stopped" },
    });
    expect(gone.finished! >= gone.begun).toBe(true);
    // No row of the log; and once it has ended nobody else stops it.
    expect((await verifyFolder(app.folder)).rows).toBe(rows);
    await app.client.call("stopLearning", stop(reader));
    expect(await ended(first.id)).toEqual(gone);
    const second = await begin();
    taught.answer(
      new AndroscopeError("learning/failed", { expected: "x", found: "y", where: "/a/secret/place", fix: "Again." }),
    );
    const failed = await ended(second.id);
    expect(failed.error).toMatchObject({ code: "learning/failed" });
    expect(JSON.stringify(failed)).not.toContain("secret");
    const third = await begin();
    taught.answer(new Error("a secret"));
    expect((await ended(third.id)).error).toMatchObject({ code: "server/internal" });
    // A learner that fails before it has begun, twice: the first one does not stay in the way.
    for (const found of ["y", "z"]) {
      taught.failing.error = new AndroscopeError("learning/failed", { expected: "x", found, fix: "Again." });
      const { id } = await begin();
      expect(await ended(id)).toMatchObject({ state: "failed", error: { code: "learning/failed", found } });
    }
    delete taught.failing.error;
    const last = await begin();
    taught.answer(learnedFrom(taught.orders.at(-1)!));
    expect((await ended(last.id)).state).toBe("done");
  });

  test("a reader who reads blind and has heads left; whoever was told of heads before deciding has seen them", async () => {
    await decided(6);
    const ben = await app.client.newReader("Ben");
    const asked = { id: randomUUID(), reader, assigned: ben, role: "blind" as const };
    await app.client.call("assignReading", { params: { sample }, body: asked });
    const other = await app.client.newSample(reader, "Other");
    expect(await refusedBegin([other, sample], ben)).toMatchObject({
      ...{ status: 409, code: "review/blind", where: `sample ${sample}` },
      message: expect.stringContaining("one who reads “Sample” blind and has heads left"),
    });
    const { id } = await begin();
    taught.answer(learnedFrom(taught.orders[0]!));
    await ended(id);
    const told = await app.client.call("getLearning", { params: { learning: id }, query: { reader: ben } });
    expect(told).toMatchObject({ learning: { hidden: true, result: null }, changed: [] });
    const list = await app.client.call("listLearnings", { query: { reader: ben } });
    expect(list.learnings).toMatchObject([{ hidden: true, result: null, state: "done" }]);
  });

  test("unknown samples, learnings and readers; and all of it where nothing can be taught", async () => {
    expect(await refusedBegin([99])).toMatchObject({ status: 404 });
    expect(await refusedBegin([sample], 99)).toMatchObject({ status: 404 });
    const choice = { id: randomUUID(), reader, learning: 99 };
    expect(await app.client.refused("useModel", { body: choice })).toMatchObject({ status: 404 });
    app = await app.again({ learner: undefined });
    expect((await app.client.call("about")).learns).toBe(false);
    expect(await refusedBegin()).toMatchObject({ status: 409, code: "learning/not-here" });
  });
});
