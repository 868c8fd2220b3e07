/** Opinions of models in the store: against a simple history of what was said, with decisions in between, and against tampering. */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { AnalyserDescription, FoundHead } from "../../fields/index.ts";
import type { Opinion } from "../analysis/analyser.ts";
import { CLASSES, temporaryFolder } from "../testing/support.ts";
import { type Database, openDatabase } from "./database.ts";
import { addImage, finishImage } from "./images.ts";
import {
  endJudging,
  finishJudging,
  headsToJudge,
  judgingOf,
  queueJudging,
  sampleOpinions,
  takeJudging,
} from "./judgings.ts";
import { opinionsOn } from "./opinions.ts";
import { originalPath } from "./originals.ts";
import { decide, settle } from "./review.ts";
import { createReader, createSample } from "./samples.ts";
import { undo } from "./undo.ts";
import { verifyFolder } from "./verify.ts";

const HEADS = 4;

const model = (name: string): AnalyserDescription => ({
  ...{ program: "test", classes: CLASSES, model: name, detector: "d", licence: "none" },
});

const found = (i: number): FoundHead => ({
  ...{ number: i + 1, state: "head", score: 1, axis: [1, 0], centre: [10 * i + 2, 2], agreement: 1 },
  outline: [
    [10 * i, 0],
    [10 * i + 4, 0],
    [10 * i + 4, 4],
  ],
  probabilities: [0.8, 0.1, 0.1],
  measures: {
    ...{ areaPx: 8, perimeterPx: 12, lengthPx: 4, widthPx: 4, ellipticity: 1, elongation: 0, rugosity: 1 },
    ...{ regularity: 1, symmetry: 1, acrosomeShare: 0, vacuoles: 0, vacuoleShare: 0, angleDeg: 0 },
    ...{ centreX: 10 * i + 2, centreY: 2 },
  },
});

const opinion = (label: number): Opinion => ({
  state: "head",
  probabilities: CLASSES.map((_, c) => (c === label ? 0.9 : 0.05)),
  agreement: 0.5,
});

interface Store {
  folder: string;
  db: Database;
  reader: number;
  sample: number;
  heads: number[];
}

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** A sample with one image of four heads that model "a" takes for the first class. */
async function store(): Promise<Store> {
  const folder = await temporaryFolder();
  folders.push(folder);
  const bytes = "an image";
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await mkdir(dirname(originalPath(folder, sha256)), { recursive: true });
  await writeFile(originalPath(folder, sha256), bytes);
  const db = await openDatabase(join(folder, "androscope.db"));
  const reader = createReader(db, "Ann").id;
  const sample = createSample(db, { id: randomUUID(), reader, name: "S", note: "" }).id;
  const { image } = addImage(db, {
    ...{ sample, name: "a.png", kind: "field", sha256, bytes: bytes.length, format: "png", width: 50, height: 50 },
  });
  const analysis = { width: 50, height: 50, heads: Array.from({ length: HEADS }, (_, i) => found(i)) };
  return { folder, db, reader, sample, heads: finishImage(db, image, analysis, model("a"), 1) };
}

const act = (reader: number) => ({ id: randomUUID(), reader, reason: "" });

/** What happens between the moment at which heads are chosen and that at which their opinions are put in place. */
function judge({ db, reader, sample }: Store, name: string, label: number, meanwhile: () => void = () => {}) {
  const { id } = queueJudging(db, act(reader), sample, model(name));
  const judging = takeJudging(db)!;
  expect(judging.id).toBe(id);
  const chosen = headsToJudge(db, sample, name).flatMap(({ heads }) => heads);
  meanwhile();
  const judged = chosen.map((head) => ({ ...head, opinion: opinion(label) }));
  return finishJudging(db, judging, judged, { planned: judged.length, problems: [] });
}

/** The chain of models and classes on every head. */
const said = ({ db, heads }: Store) =>
  heads.map((head) => opinionsOn(db, head).map(({ analyser, modelClass }) => `${analyser.model} ${modelClass}`));

test("a decision between choosing and putting in place wins, and so does a consensus; one taken back in time does not", async () => {
  const one = await store();
  const { db, reader, sample, heads } = one;
  const [first, second, third] = heads as [number, number, number];
  const value = { kind: "class" as const, class: "Tapered" };
  decide(db, reader, [{ id: randomUUID(), head: third, value, reason: "" }], CLASSES);
  const done = judge(one, "b", 1, () => {
    decide(db, reader, [{ id: randomUUID(), head: first, value, reason: "" }], CLASSES);
    settle(db, { ...act(reader), head: second, value }, CLASSES);
    // Decided when heads were chosen: free now, but nobody judged it.
    undo(db, {
      ...act(reader),
      sample,
      seq: db.get<{ seq: number }>("SELECT min(seq) AS seq FROM log WHERE action = 'decide'")!.seq,
    });
  });
  expect(done.result).toEqual({ heads: 1, from: [{ model: "a", heads: 1 }], changed: 1, kept: 2, problems: [] });
  expect(said(one)).toEqual([["a Normal"], ["a Normal"], ["a Normal"], ["a Normal", "b Tapered"]]);
  expect(sampleOpinions(db, sample, reader, "b")).toMatchObject({ outdated: 1 });
  db.close();
  expect((await verifyFolder(one.folder)).faults).toEqual([]);
});

test("an opinion that cannot be stored leaves all of them as they were", async () => {
  const one = await store();
  const { db, reader, sample } = one;
  queueJudging(db, act(reader), sample, model("b"));
  const judging = takeJudging(db)!;
  const [image] = headsToJudge(db, sample, "b");
  // The last one breaks in the middle of the transaction.
  const judged = image!.heads.map((head, i) => ({
    ...head,
    opinion: i < HEADS - 1 ? opinion(1) : ({ ...opinion(1), agreement: undefined } as unknown as Opinion),
  }));
  expect(() => finishJudging(db, judging, judged, { planned: HEADS, problems: [] })).toThrow();
  expect(said(one)).toEqual(Array.from({ length: HEADS }, () => ["a Normal"]));
  const stoppedBy = { id: reader, name: "Ann" };
  const error = { code: "x", message: "y" };
  expect(endJudging(db, judging.id, { stoppedBy })).toMatchObject({ state: "stopped", stoppedBy });
  // What has ended stays as it ended.
  expect(endJudging(db, judging.id, { error })).toMatchObject({ state: "stopped", stoppedBy, error: null });
  // As older versions left it.
  db.transaction(() => db.run("UPDATE judgings SET error = NULL"));
  expect(judgingOf(db, judging.id)).toMatchObject({ state: "stopped", stoppedBy: null, error: null });
  db.close();
  expect((await verifyFolder(one.folder)).faults).toEqual([]);
});

const step = fc.oneof(
  fc.record({
    do: fc.constant("decide" as const),
    head: fc.nat(HEADS - 1),
    class: fc.option(fc.constantFrom(...CLASSES)),
  }),
  fc.record({
    do: fc.constant("judge" as const),
    model: fc.constantFrom("a", "b", "c"),
    label: fc.nat(2),
    meanwhile: fc.option(fc.nat(HEADS - 1)),
  }),
);

test("after any decisions and judgings every head has what a simple history says, and the log fits", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const one = await store();
      const { db, reader, sample, heads } = one;
      const history = heads.map(() => ["a Normal"]);
      const decided = heads.map(() => false);
      const put = (i: number, name: string | null) => {
        const value = name === null ? null : { kind: "class" as const, class: name };
        decide(db, reader, [{ id: randomUUID(), head: heads[i]!, value, reason: "" }], CLASSES);
        decided[i] = name !== null;
      };
      for (const now of steps) {
        if (now.do === "decide") {
          put(now.head, now.class);
          continue;
        }
        const open = (i: number) => !decided[i] && !history[i]!.at(-1)!.startsWith(now.model);
        const chosen = heads.flatMap((_, i) => (open(i) ? [i] : []));
        expect(sampleOpinions(db, sample, reader, now.model).outdated).toBe(chosen.length);
        if (chosen.length === 0) {
          expect(() => queueJudging(db, act(reader), sample, model(now.model))).toThrow("undecided heads");
          continue;
        }
        judge(one, now.model, now.label, () => now.meanwhile !== null && put(now.meanwhile, "Tapered"));
        for (const i of chosen) if (!decided[i]) history[i]!.push(`${now.model} ${CLASSES[now.label]}`);
      }
      expect(said(one)).toEqual(history);
      db.close();
      expect((await verifyFolder(one.folder)).faults).toEqual([]);
    }),
    { numRuns: 15, seed: 7 },
  );
}, 60_000);

describe("verify names", () => {
  test.each([
    ["a new opinion", "UPDATE heads SET probabilities = '[1,0,0]' WHERE id = 1", "judgings, judging 2"],
    [
      "a former one of a judging",
      "UPDATE former_opinions SET agreement = 1 WHERE head = 1 AND judging = 1",
      "judgings, judging 1",
    ],
    [
      "one of the analysis",
      "UPDATE former_opinions SET model_class = 'Amorphous' WHERE judging IS NULL AND head = 2",
      "analyses, image 1",
    ],
    ["a former one taken away", "DELETE FROM former_opinions WHERE head = 1 AND judging IS NULL", "analyses, image 1"],
    ["a head said to be of another judging", "UPDATE heads SET judging = 1 WHERE id = 3", "judgings, judging 1"],
    [
      "another model of a judging",
      "UPDATE judgings SET analyser = replace(analyser, '\"b\"', '\"x\"') WHERE id = 1",
      "judgings, judging 1",
    ],
    ["another reader of it", "UPDATE judgings SET reader = 2 WHERE id = 1", "judgings, judging 1"],
    [
      "a judging that is said not to have ended",
      "UPDATE judgings SET state = 'stopped', reader = 2 WHERE id = 2",
      "judgings, judging 2",
    ],
    [
      "an older opinion put in the place of the newer",
      `CREATE TABLE o AS SELECT head, judging, state, reason, agreement, probabilities, model_class FROM former_opinions WHERE head = 1 AND judging = 1;
       UPDATE former_opinions SET (judging, state, reason, agreement, probabilities, model_class) =
         (SELECT judging, state, reason, agreement, probabilities, model_class FROM heads WHERE id = 1) WHERE head = 1 AND judging = 1;
       UPDATE heads SET (judging, state, reason, agreement, probabilities, model_class) =
         (SELECT judging, state, reason, agreement, probabilities, model_class FROM o) WHERE id = 1`,
      "opinions, head 1",
    ],
  ])("%s that does not follow from the log", async (_, sql, where) => {
    const one = await store();
    createReader(one.db, "Ben");
    judge(one, "b", 1);
    judge(one, "c", 2);
    // The program itself cannot touch what was said.
    expect(() => one.db.run("DELETE FROM former_opinions")).toThrow("only grow");
    expect(() => one.db.run("UPDATE former_opinions SET agreement = 1")).toThrow("only grow");
    one.db.close();
    const path = join(one.folder, "androscope.db");
    expect((await verifyFolder(one.folder)).faults).toEqual([]);
    const db = new DatabaseSync(path);
    db.exec(
      "DROP TRIGGER former_opinions_no_update; DROP TRIGGER former_opinions_no_delete; PRAGMA foreign_keys = OFF;",
    );
    db.exec(sql);
    db.close();
    expect((await verifyFolder(one.folder)).faults.map((fault) => fault.where)).toContain(where);
  });
});
