/** Learning from what readers decided, through the API, with a stand-in for the networks: what is learned from, and what is kept. */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AndroscopeError } from "../../runs/index.ts";
import type { Learning } from "../api.ts";
import { verifyFolder } from "../store/verify.ts";
import { CLASSES, photograph, standIn, type TestApp, testApp } from "../testing/support.ts";
import type { Learned, Learner, LearningOrder } from "./learner.ts";

const HASH = "ab".repeat(32);
const HELD_HEADS = 12;

/** Takes what it is given, and answers when it is told to. */
function standInLearner() {
  const orders: LearningOrder[] = [];
  const opened: string[] = [];
  /** How long opening a model takes, what classes it has, which one it is and of which it was learned; what `learn` throws at once; how many were given back. */
  const opening: {
    wait?: () => Promise<void>;
    classes?: string[];
    model?: string;
    base?: string;
    thrown?: Error;
    disposed: number;
  } = {
    disposed: 0,
  };
  let answer: (learned: Learned | Error) => void = () => {};
  const learner: Learner = {
    learn(order, signal, heard) {
      orders.push(order);
      if (opening.thrown) throw opening.thrown;
      heard({ done: 1, of: 4 });
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        answer = (learned) => (learned instanceof Error ? reject(learned) : resolve(learned));
      });
    },
    async open(model) {
      opened.push(model);
      await opening.wait?.();
      const description = {
        ...standIn().describe(),
        classes: opening.classes ?? CLASSES,
        model: opening.model ?? HASH,
        ...(opening.base === undefined ? {} : { adapted: { base: opening.base, heads: 30 } }),
      };
      return { ...standIn(), describe: () => description, dispose: () => void opening.disposed++ };
    },
    dispose() {},
  };
  return { learner, orders, opened, opening, answer: (learned: Learned | Error) => answer(learned) };
}

const learnedFrom = ({ images }: LearningOrder, model: string | null = HASH): Learned => ({
  ...(model === null ? {} : { model, strength: 0.1 }),
  learned: { heads: 30, images: 3 },
  comparison: {
    ...{ heads: HELD_HEADS, groups: 2, correct: { before: 6, after: 9 }, mended: 4, spoilt: 1 },
    interval: { low: -0.05, high: 0.55 },
    classes: CLASSES.map(() => ({ heads: 4, before: 2, after: 3 })),
  },
  changed: images.flatMap(({ held, heads }) =>
    held ? heads.slice(0, 1).map(({ id, label }) => ({ id, label, before: "Normal", after: label })) : [],
  ),
});

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

/** So many photographs of a dozen heads, decided class by class. */
async function decided(photographs: number, from = 0): Promise<number[]> {
  const { client } = app;
  const files: Record<string, Uint8Array> = {};
  for (let k = 0; k < photographs; k++) files[`${from + k}.png`] = await photograph(12, 100 + from + k);
  await client.upload(sample, "field", files);
  await client.analysed(sample);
  const heads = (await client.heads(sample, reader)).filter(({ decision }) => decision === null);
  const decisions = heads.map(({ id }, i) => ({
    ...{ id: randomUUID(), head: id },
    value: { kind: "class" as const, class: CLASSES[i % CLASSES.length]! },
  }));
  await client.call("decide", { body: { reader, decisions } });
  return heads.map(({ id }) => id);
}

const begin = (samples = [sample], who = reader, id: string = randomUUID()) =>
  app.client.call("startLearning", { body: { id, reader: who, samples } });
const refusedBegin = (samples = [sample], who = reader) =>
  app.client.refused("startLearning", { body: { id: randomUUID(), reader: who, samples } });
async function ended(id: number): Promise<Learning> {
  for (let k = 0; k < 500; k++) {
    const { learning } = await app.client.call("getLearning", { params: { learning: id }, query: { reader } });
    if (learning.state !== "running") return learning;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("the learning does not end");
}

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
  await mkdir(join(app.folder, "models"), { recursive: true });
  await writeFile(join(app.folder, "models", `${HASH}.onnx`), "a model");

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
  await mkdir(join(app.folder, "models"), { recursive: true });
  await writeFile(join(app.folder, "models", `${HASH}.onnx`), "a model");
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

test("the program was started with a model of other classes than the learned one in use: neither learned from nor taken again", async () => {
  const learning = await learned();
  await app.client.call("useModel", { body: { id: randomUUID(), reader, learning } });
  const { rows } = await verifyFolder(app.folder);
  const [orders, base] = [taught.orders.length, "ef".repeat(32)];
  taught.opening.base = base;
  const other = { ...standIn().describe(), classes: ["Round", "Long"] };
  app = await app.again({ analyser: async () => ({ ...standIn(), describe: () => other }) });
  const unchanged = async () => expect(await app.client.call("about")).toMatchObject({ classes: CLASSES, learning });
  await unchanged();
  const refusal = {
    ...{ status: 409, code: "learning/not-here", found: "one with a model of Round, Long" },
    fix: expect.stringMatching(`start it with --model .*${base}`),
  };
  expect(await refusedBegin()).toMatchObject(refusal);
  expect(taught.orders).toHaveLength(orders);
  const body = { id: randomUUID(), reader, learning: null };
  expect(await app.client.refused("useModel", { body })).toMatchObject(refusal);
  await unchanged();
  expect((await verifyFolder(app.folder)).rows).toBe(rows);
  expect((await app.client.call("listLearnings", { query: { reader } })).learnings).toHaveLength(1);
  app = await app.again({ analyser: async () => standIn() });
  await app.client.call("useModel", { body });
  await begin();
});

describe("the file of the model in use is lost", () => {
  const file = () => join(app.folder, "models", `${HASH}.onnx`);
  const inUse = async (): Promise<number> => {
    const learning = await learned();
    await app.client.call("useModel", { body: { id: randomUUID(), reader, learning } });
    return learning;
  };
  const about = () => app.client.call("about");
  const endOfLog = async () => {
    const { faults, rows, hash } = await verifyFolder(app.folder);
    return { rows, hash, faults: faults.map(({ where, problem }) => `${where}: ${problem}`) };
  };

  test("the model of the start judges meanwhile, and says so; back again, it judges after the next start", async () => {
    const learning = await inUse();
    const before = await endOfLog();
    await rm(file());
    app = await app.again();
    const { lostModel } = await about();
    expect(lostModel).toMatchObject({
      ...{ learning, model: HASH },
      error: { code: "learning/model-lost", found: "no file", where: `models/${HASH}.onnx` },
    });
    expect(app.lostModel).toEqual(lostModel);
    expect(JSON.stringify(lostModel)).not.toContain(app.folder);
    expect(await about()).toMatchObject({ analyser: { model: "m" }, learning: null });
    await decided(1, 20);
    expect(await endOfLog()).toMatchObject({ faults: [`models/${HASH}: the file is missing`] });
    // What is learned meanwhile is compared with what judges.
    const next = await begin();
    expect([next.before, taught.orders.at(-1)!.before]).toEqual(["m", undefined]);
    await app.client.call("stopLearning", { params: { learning: next.id }, body: { reader } });
    const refused = await app.client.refused("useModel", { body: { id: randomUUID(), reader, learning } });
    expect(refused).toMatchObject({ code: "file/not-found", fix: expect.stringContaining("models/") });

    await writeFile(file(), "a model");
    app = await app.again();
    expect(await about()).toMatchObject({ analyser: { model: HASH }, learning, lostModel: null });
    expect(app.lostModel).toBeUndefined();
    expect((await endOfLog()).rows).toBeGreaterThan(before.rows);
    expect((await verifyFolder(app.folder, before.hash)).faults).toHaveLength(1);
  });

  const unreadable = new AndroscopeError("model/not-a-model", {
    expected: "x",
    found: "y",
    where: "/a/secret",
    fix: "z",
  });
  test.each([
    ["cannot be loaded", { wait: () => Promise.reject(unreadable) }, { code: "model/not-a-model", disposed: 1 }],
    ["is another model", { model: "cd".repeat(32) }, { code: "learning/model-lost", disposed: 3 }],
  ])("likewise where it %s; whoever chooses another model is not told again", async (_, damage, { code, disposed }) => {
    const learning = await inUse();
    Object.assign(taught.opening, damage);
    app = await app.again();
    expect(await about()).toMatchObject({
      ...{ analyser: { model: "m" }, learning: null },
      lostModel: { learning, error: { code: "learning/model-lost", found: expect.stringContaining("damaged") } },
    });
    const refused = await app.client.refused("useModel", { body: { id: randomUUID(), reader, learning } });
    expect(refused.code).toBe(code);
    expect(taught.opening.disposed, "what was opened is given back").toBe(disposed);
    await app.client.call("useModel", { body: { id: randomUUID(), reader, learning: null } });
    expect((await about()).lostModel).toBeNull();
    app = await app.again();
    expect((await about()).lostModel).toBeNull();
    expect((await endOfLog()).faults).toEqual([]);
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
      taught.opening.thrown = new AndroscopeError("learning/failed", { expected: "x", found, fix: "Again." });
      const { id } = await begin();
      expect(await ended(id)).toMatchObject({ state: "failed", error: { code: "learning/failed", found } });
    }
    delete taught.opening.thrown;
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
