/**
 * Whether a data folder is as the program left it: the chain of the log, what follows from the log, and the originals by
 * their sums. Reads only; the program may be running.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileError, hashOf } from "../../runs/index.ts";
import type { LogRow } from "../api.ts";
import { MODELS, modelFile } from "../learnings/learner.ts";
import { type Database, openToRead } from "./database.ts";
import { foundSum } from "./heads.ts";
import { modelInUse } from "./learnings.ts";
import { logEnd, walkLog } from "./log.ts";
import { misplacedOpinions, opinionsSum } from "./opinions.ts";
import { ORIGINALS, originalPath } from "./originals.ts";

export interface Verification {
  intact: boolean;
  rows: number;
  /** Of the newest row. */
  hash: string;
  originals: number;
  /** Empty where it is intact. */
  faults: { where: string; problem: string }[];
}

/** @param expected the hash of a newest row that was kept, as reports state it: it must be in the chain */
export async function verifyFolder(folder: string, expected?: string): Promise<Verification> {
  const path = join(folder, "androscope.db");
  await access(path).catch((error) => {
    throw fileError(error, path);
  });
  const db = openToRead(path);
  try {
    // One view of it all, whatever is written meanwhile.
    db.exec("BEGIN");
    const faults: Verification["faults"] = [];
    const walk = walkLog(db);
    const replayed = new Replay();
    let seen = expected === undefined;
    for (let step = walk.next(); ; step = walk.next()) {
      if (step.done) {
        if (step.value) faults.push({ where: `log row ${step.value.seq}`, problem: step.value.problem });
        // What follows from a log that was tampered with tells nothing.
        else faults.push(...replayed.faults(db));
        break;
      }
      replayed.add(step.value);
      seen ||= step.value.hash === expected;
    }
    if (!seen)
      faults.push({ where: "log", problem: "the expected hash is not in it: rows were taken away or rewritten" });
    const sums = db.all<{ sha256: string }>("SELECT DISTINCT sha256 FROM images ORDER BY sha256");
    for (const { sha256 } of sums) {
      const problem = await faultOfFile(originalPath(folder, sha256), sha256);
      if (problem) faults.push({ where: `${ORIGINALS}/${sha256.slice(0, 2)}/${sha256}`, problem });
    }
    const inUse = modelInUse(db);
    const modelFault = inUse && (await faultOfFile(join(folder, MODELS, modelFile(inUse.model)), inUse.model));
    if (modelFault) faults.push({ where: `${MODELS}/${inUse.model}`, problem: modelFault });
    return { intact: faults.length === 0, ...logEnd(db), originals: sums.length, faults };
  } finally {
    db.close();
  }
}

async function faultOfFile(path: string, sha256: string): Promise<string | undefined> {
  const sum = createHash("sha256");
  try {
    await pipeline(createReadStream(path), sum);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "the file is missing" : "the file cannot be read";
  }
  return sum.digest("hex") === sha256 ? undefined : "the file is not what it was";
}

/** What must follow from the rows of the log, by table and key. */
class Replay {
  readonly #tables = {
    decisions: new Map<string, unknown>(),
    consensus: new Map<string, unknown>(),
    readings: new Map<string, unknown>(),
    outlines: new Map<string, unknown>(),
    withdrawn: new Map<string, unknown>(),
    samples: new Map<string, unknown>(),
    calibrations: new Map<string, unknown>(),
    analyses: new Map<string, unknown>(),
    added: new Map<string, unknown>(),
    model: new Map<string, unknown>([["in use", null]]),
    judgings: new Map<string, unknown>(),
    /** Heads whose opinions are not in the order in which they were given: none. */
    opinions: new Map<string, unknown>(),
  };

  add(row: LogRow): void {
    const {
      decisions,
      consensus,
      readings,
      outlines,
      withdrawn,
      samples,
      calibrations,
      analyses,
      added,
      model,
      judgings,
    } = this.#tables;
    switch (row.action) {
      case "decide":
        decisions.set(`head ${row.head} reader ${row.reader?.id}`, row.new);
        break;
      case "consensus":
        consensus.set(`head ${row.head}`, row.new);
        break;
      case "outline":
        outlines.set(`head ${row.head}`, row.new);
        break;
      case "add-head":
        withdrawn.set(`head ${row.head}`, row.new === null ? 1 : 0);
        if (row.undoes === null) added.set(`head ${row.head}`, row.new);
        break;
      case "reading": {
        const { reader, role } = row.new as { reader: number; role: string };
        readings.set(`sample ${row.sample} reader ${reader}`, role);
        break;
      }
      case "analysis": {
        const { image, ...found } = row.new as { image: number };
        analyses.set(`image ${image}`, found);
        break;
      }
      case "calibrate":
        calibrations.set(`sample ${row.sample}`, row.new);
        break;
      case "model":
        model.set("in use", row.new);
        break;
      case "judge": {
        const { judging, ...said } = row.new as { judging: number };
        const { models } = row.old as { models: unknown };
        judgings.set(`judging ${judging}`, { sample: row.sample, reader: row.reader?.id, from: models, ...said });
        break;
      }
      case "sample-create":
      case "sample-change":
        samples.set(`sample ${row.sample}`, row.new);
        break;
    }
  }

  /** The tables against it. */
  faults(db: Database): Verification["faults"] {
    const faults: Verification["faults"] = [];
    for (const [table, expected] of Object.entries(this.#tables)) {
      const found = new Map(STORED[table as keyof typeof STORED](db));
      for (const key of new Set([...expected.keys(), ...found.keys()])) {
        if (hashOf(expected.get(key) ?? null) !== hashOf(found.get(key) ?? null)) {
          faults.push({ where: `${table}, ${key}`, problem: "what is stored does not follow from the log" });
        }
      }
    }
    return faults;
  }
}

type Stored = (db: Database) => [string, unknown][];
const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));

const STORED = {
  decisions: (db) =>
    db
      .all<{ head: number; reader: number; value: string | null }>("SELECT head, reader, value FROM decisions")
      .map(({ head, reader, value }) => [`head ${head} reader ${reader}`, parsed(value)]),
  consensus: (db) =>
    db
      .all<{ head: number; value: string | null }>("SELECT head, value FROM consensus")
      .map(({ head, value }) => [`head ${head}`, parsed(value)]),
  readings: (db) =>
    db
      .all<{ sample: number; reader: number; role: string }>("SELECT sample, reader, role FROM readings")
      .map(({ sample, reader, role }) => [`sample ${sample} reader ${reader}`, role]),
  outlines: (db) =>
    db
      .all<{ id: number; outline: string; measures: string }>(
        "SELECT id, outline, measures FROM heads WHERE outline <> first_outline OR measures <> first_measures",
      )
      .map(({ id, outline, measures }) => [
        `head ${id}`,
        { outline: JSON.parse(outline), measures: JSON.parse(measures) },
      ]),
  withdrawn: (db) =>
    db
      .all<{ id: number; withdrawn: number }>("SELECT id, withdrawn FROM heads WHERE source = 'reader'")
      .map(({ id, withdrawn }) => [`head ${id}`, withdrawn]),
  samples: (db) =>
    db
      .all<{ id: number; name: string; note: string; archived: number }>("SELECT * FROM samples")
      .map(({ id, name, note, archived }) => [`sample ${id}`, { name, note, archived: archived === 1 }]),
  calibrations: (db) =>
    db
      .all<{ id: number; um_per_px: number | null; calibration: string | null }>("SELECT * FROM samples")
      .map(({ id, um_per_px, calibration }) => {
        if (calibration === null) return [`sample ${id}`, um_per_px];
        const { method, detail } = JSON.parse(calibration);
        return [`sample ${id}`, { umPerPx: um_per_px, method, detail }];
      }),
  analyses: (db) =>
    db
      .all<{ id: number; sha256: string; heads: number }>(
        `SELECT id, sha256, (SELECT count(*) FROM heads WHERE image = images.id AND source = 'model') AS heads
         FROM images WHERE state = 'done'`,
      )
      .map(({ id, sha256, heads }) => [`image ${id}`, { sha256, heads, found: foundSum(db, id) }]),
  added: (db) =>
    db
      .all<{ id: number; image: number; number: number; first_outline: string; first_measures: string }>(
        "SELECT * FROM heads WHERE source = 'reader'",
      )
      .map(({ id, image, number, first_outline, first_measures }) => [
        `head ${id}`,
        { image, number, outline: JSON.parse(first_outline), measures: JSON.parse(first_measures) },
      ]),
  model: (db) => [["in use", modelInUse(db) ?? null]],
  judgings: (db) =>
    db
      .all<{ id: number; sample: number; reader: number; analyser: string; result: string | null }>(
        `SELECT id, sample, reader, analyser, result FROM judgings
         WHERE state = 'done' OR id IN (SELECT judging FROM heads UNION SELECT judging FROM former_opinions)`,
      )
      .map(({ id, sample, reader, analyser, result }) => [
        `judging ${id}`,
        { sample, reader, from: parsed(result)?.from, model: JSON.parse(analyser).model, ...opinionsSum(db, id) },
      ]),
  opinions: (db) => misplacedOpinions(db).map((head) => [`head ${head}`, "misplaced"]),
} satisfies Record<string, Stored>;
