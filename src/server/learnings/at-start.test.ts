/** The learned model in use at the start of the program: its file is lost or damaged, or the program's own model has other classes. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AndroscopeError } from "../../runs/index.ts";
import { verifyFolder } from "../store/verify.ts";
import { decideHeads, HASH, learnedFrom, learningEnded, putModel, standInLearner } from "../testing/learner.ts";
import { CLASSES, standIn, type TestApp, testApp } from "../testing/support.ts";

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
const begin = () => app.client.call("startLearning", { body: { id: randomUUID(), reader, samples: [sample] } });
const about = () => app.client.call("about");

/** The learning whose model is in use. */
async function inUse(): Promise<number> {
  await decideHeads(work(), 6);
  const { id: learning } = await begin();
  taught.answer(learnedFrom(taught.orders.at(-1)!));
  await learningEnded(work(), learning);
  await putModel(app);
  await app.client.call("useModel", { body: { id: randomUUID(), reader, learning } });
  return learning;
}

describe("the file of the model in use is lost", () => {
  const file = () => join(app.folder, "models", `${HASH}.onnx`);
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
    await decideHeads(work(), 1, 20);
    expect(await endOfLog()).toMatchObject({ faults: [`models/${HASH}: the file is missing`] });
    // What is learned meanwhile is compared with what judges.
    const next = await begin();
    expect([next.before, taught.orders.at(-1)!.before]).toEqual(["m", undefined]);
    await app.client.call("stopLearning", { params: { learning: next.id }, body: { reader } });
    const refused = await app.client.refused("useModel", { body: { id: randomUUID(), reader, learning } });
    expect(refused).toMatchObject({ code: "file/not-found", fix: expect.stringContaining("models/") });

    await putModel(app);
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

test("the program was started with a model of other classes than the learned one in use: neither learned from nor taken again", async () => {
  const learning = await inUse();
  const { rows } = await verifyFolder(app.folder);
  const [orders, base] = [taught.orders.length, "ef".repeat(32)];
  taught.opening.base = base;
  const other = { ...standIn().describe(), classes: ["Round", "Long"] };
  app = await app.again({ analyser: async () => ({ ...standIn(), describe: () => other }) });
  const unchanged = async () => expect(await about()).toMatchObject({ classes: CLASSES, learning });
  await unchanged();
  const refusal = {
    ...{ status: 409, code: "learning/not-here", found: "one with a model of Round, Long" },
    fix: expect.stringMatching(`start it with --model .*${base}`),
  };
  const asked = { id: randomUUID(), reader, samples: [sample] };
  expect(await app.client.refused("startLearning", { body: asked })).toMatchObject(refusal);
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
