/** `androscope app` killed again and again while it judges a sample anew: every head has one whole opinion or the other. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { Random } from "../src/runs/index.ts";
import type { Head } from "../src/server/api.ts";
import { verifyFolder } from "../src/server/index.ts";
import { phantomFiles, type Running, startCommand } from "./running-app.ts";
import { temporary } from "./support.ts";

const KILLS = 5;

let app: Running | undefined;
afterAll(() => app?.end());

const opinionOf = ({ state, reason, agreement, probabilities, modelClass, judgedBy }: Head) => ({
  ...{ state, reason, agreement, probabilities, modelClass, judgedBy },
});

test(`nothing is half-written after ${KILLS} kills, and what was asked for is done in the end`, async () => {
  const data = join(await temporary(), "data");
  app = await startCommand(data);
  const reader = await app.client.newReader("Ada");
  const uploaded = async (count: number, seed: number) => {
    const { client } = app!;
    const sample = await client.newSample(reader, `${count} crops`);
    const files = await phantomFiles(count, seed);
    await client.upload(sample, "crop", Object.fromEntries(files.map(({ name, buffer }) => [name, buffer])));
    await client.analysed(sample);
    return { sample, heads: await client.heads(sample, reader) };
  };
  // What is learned here is nothing but another model.
  const taught = await uploaded(60, 8);
  const { sample, heads: before } = await uploaded(80, 31);
  const { classes } = await app.client.call("about");
  const decisions = taught.heads
    .filter(({ judgedBy }) => judgedBy !== null)
    .map(({ id, probabilities }) => {
      const called = (probabilities.indexOf(Math.max(...probabilities)) + 1) % classes.length;
      return { id: randomUUID(), head: id, value: { kind: "class" as const, class: classes[called]! } };
    });
  await app.client.call("decide", { body: { reader, decisions } });
  const begun = { id: randomUUID(), reader, samples: [taught.sample] };
  const { id: learning } = await app.client.call("startLearning", { body: begun });
  for (let state = "running"; state === "running"; await wait(100)) {
    ({ state } = (await app.client.call("listLearnings", { query: { reader } })).learnings[0]!);
  }
  await app.client.call("useModel", { body: { id: randomUUID(), reader, learning } });
  const { model } = (await app.client.call("about")).analyser;

  const opinions = () => app!.client.call("sampleOpinions", { params: { sample }, query: { reader } });
  const ask = () => app!.client.call("judgeAgain", { params: { sample }, body: { id: randomUUID(), reader } });
  /** What becomes of the newest one by itself; given up after three kills in its middle, it is asked for again. */
  const goesOn = async () => {
    const { state, error } = (await opinions()).judgings[0]!;
    if (state === "failed") {
      expect(error).toMatchObject({ code: "judging/failed" });
      await ask();
    } else expect(["queued", "running", "done"]).toContain(state);
    return state;
  };
  await ask();
  const random = Random.seeded(5).stream("kill", KILLS);
  const decided = new Set<number>();
  for (let kill = 0; kill < KILLS; kill++) {
    await wait(random.uniform(0, 400));
    // One more head is decided in the middle: it keeps what it was decided with.
    const free = (await app.client.heads(sample, reader)).find(
      (head) => !decided.has(head.id) && head.judgedBy !== null,
    )!;
    await app.client.decide(reader, free.id, "Normal");
    decided.add(free.id);
    await app.kill();
    expect((await verifyFolder(data)).faults).toEqual([]);
    app = await startCommand(data);
    const now = await app.client.heads(sample, reader);
    await goesOn();
    const others = now.filter((head, i) => JSON.stringify(opinionOf(head)) !== JSON.stringify(opinionOf(before[i]!)));
    // All of it or nothing.
    for (const head of others) expect(head.judgedBy).toBe(model);
    const ended = (await opinions()).judgings.find(({ state }) => state === "done");
    expect([0, ended?.result!.heads]).toContain(others.length);
  }
  while ((await goesOn()) !== "done") await wait(100);
  const done = await opinions();
  expect(done.outdated).toBe(0);
  const after = await app.client.heads(sample, reader);
  for (const [i, head] of after.entries()) {
    expect(head.measures).toEqual(before[i]!.measures);
    if (head.judgedBy !== model) expect(opinionOf(head)).toEqual(opinionOf(before[i]!));
  }
  expect(after.filter(({ judgedBy }) => judgedBy === model)).toHaveLength(done.judgings[0]!.result!.heads);
  expect((await verifyFolder(data)).faults).toEqual([]);
}, 300_000);
