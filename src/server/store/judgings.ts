/** Judging a sample's undecided heads again: asked for, waiting, and put in place all at once when every one is judged. */
import type { AnalyserDescription } from "../../fields/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import type { Opinion } from "../analysis/analyser.ts";
import type { ApiError, Head, Judging, SampleOpinions } from "../api.ts";
import type { Database } from "./database.ts";
import { isBlindNow } from "./heads.ts";
import { append, replayOf } from "./log.ts";
import { ANALYSER, DECIDED, JUDGED, modelsIn, opinionsSum, WITH_JUDGING } from "./opinions.ts";
import { idReused, notFound, requireReader, requireSample } from "./refusals.ts";
import { type Act, requireOpenEyes } from "./review.ts";

interface JudgingRow {
  id: number;
  act: string;
  reader: number;
  name: string;
  sample: number;
  reason: string;
  begun: string;
  analyser: string;
  state: Judging["state"];
  finished: string | null;
  error: string | null;
  result: string | null;
}

const SELECT = "SELECT judgings.*, readers.name FROM judgings JOIN readers ON readers.id = judgings.reader";
const OPEN = "judgings.state IN ('queued', 'running')";

const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));

const asJudging = (row: JudgingRow): Judging => ({
  id: row.id,
  sample: row.sample,
  reader: { id: row.reader, name: row.name },
  reason: row.reason,
  begun: row.begun,
  state: row.state,
  error: row.state === "stopped" ? null : parsed(row.error),
  finished: row.finished,
  // Of those that older versions stopped nobody knows it.
  stoppedBy: row.state === "stopped" ? (parsed(row.error)?.stoppedBy ?? null) : null,
  analyser: JSON.parse(row.analyser),
  result: parsed(row.result),
});

/** @throws `server/not-found` */
export function judgingOf(db: Database, id: number): Judging {
  const row = db.get<JudgingRow>(`${SELECT} WHERE judgings.id = ?`, id);
  if (!row) throw notFound("judging", id);
  return asJudging(row);
}

/** The newest first. */
export function judgingsOf(db: Database, sample: number): Judging[] {
  return db.all<JudgingRow>(`${SELECT} WHERE sample = ? ORDER BY judgings.id DESC`, sample).map(asJudging);
}

/** @param reader for whose eyes @param model in use, by SHA-256 */
export function sampleOpinions(db: Database, sample: number, reader: number, model: string): SampleOpinions {
  requireSample(db, sample);
  requireReader(db, reader);
  const { name } = db.get<{ name: string }>("SELECT name FROM samples WHERE id = ?", sample)!;
  const of = { id: sample, name };
  // Which heads carry which opinion tells where somebody has decided.
  if (isBlindNow(db, sample, reader)) return { sample: of, hidden: true, models: [], outdated: 0, judgings: [] };
  const models = modelsIn(db, sample).map(({ said: _, ...one }) => ({ ...one, inUse: one.analyser.model === model }));
  const others = models.filter(({ inUse }) => !inUse);
  const outdated = others.reduce((sum, { heads, decided }) => sum + heads - decided, 0);
  return { sample: of, hidden: false, models, outdated, judgings: judgingsOf(db, sample) };
}

/** Of samples that are at work and hold heads that a model judged, the newest first. */
export function listOpinions(db: Database, reader: number, model: string): SampleOpinions[] {
  requireReader(db, reader);
  return db
    .all<{ id: number }>(
      `SELECT id FROM samples WHERE archived = 0 AND EXISTS
         (SELECT 1 FROM heads JOIN images ON images.id = image WHERE images.sample = samples.id AND ${JUDGED})
       ORDER BY id DESC`,
    )
    .map(({ id }) => sampleOpinions(db, id, reader, model));
}

const requestOf = ({ reader, reason }: Act, sample: number) => ["judge", reader, sample, reason];

/**
 * Puts a sample's judging in the queue, or finds the one of this act.
 * @throws `judging/nothing`, `judging/busy`, `review/archived`, `review/blind`, `review/id-reused`, `server/not-found`
 */
export function queueJudging(db: Database, asked: Act, sample: number, by: AnalyserDescription): Judging {
  return db.transaction(() => {
    const there = db.get<JudgingRow>(`${SELECT} WHERE act = ?`, asked.id);
    if (there) {
      const { reader, reason, sample: of } = there;
      if (reader === asked.reader && reason === asked.reason && of === sample) return asJudging(there);
      throw idReused(asked.id, `judging ${there.id}`);
    }
    // The log's row of this act comes when it is done.
    if (replayOf(db, asked.id, requestOf(asked, sample))) throw idReused(asked.id, "another act");
    requireSample(db, sample, true);
    requireOpenEyes(db, sample, asked.reader);
    if (db.get(`SELECT 1 FROM judgings WHERE sample = ? AND ${OPEN}`, sample)) throw busy(sample);
    if (sampleOpinions(db, sample, asked.reader, by.model).outdated === 0) throw nothing(sample);
    const id = db.run(
      "INSERT INTO judgings (act, reader, sample, reason, begun, analyser, state) VALUES (?, ?, ?, ?, ?, ?, 'queued')",
      ...[asked.id, asked.reader, sample, asked.reason, new Date().toISOString(), JSON.stringify(by)],
    );
    return judgingOf(db, id);
  });
}

/** Times that one may end the whole program before it is given up. */
const MOST_ATTEMPTS = 3;

/** At the start of the program: what was running when it ended begins anew, unless it seems to be what ended it. */
export function requeueJudgings(db: Database, givenUp: ApiError): void {
  db.transaction(() => {
    db.run(
      "UPDATE judgings SET state = 'failed', finished = ?, error = ? WHERE state = 'running' AND attempts >= ?",
      ...[new Date().toISOString(), JSON.stringify(givenUp), MOST_ATTEMPTS],
    );
    db.run("UPDATE judgings SET state = 'queued' WHERE state = 'running'");
  });
}

/** At an orderly end: what is running goes back to the queue, and is none the worse for it. */
export function putJudgingBack(db: Database): void {
  db.transaction(() => db.run("UPDATE judgings SET state = 'queued', attempts = attempts - 1 WHERE state = 'running'"));
}

/** The one that waits longest, now running. */
export function takeJudging(db: Database): Judging | undefined {
  return db.transaction(() => {
    const next = db.get<{ id: number }>("SELECT id FROM judgings WHERE state = 'queued' ORDER BY id LIMIT 1");
    if (!next) return undefined;
    db.run("UPDATE judgings SET state = 'running', attempts = attempts + 1 WHERE id = ?", next.id);
    return judgingOf(db, next.id);
  });
}

/** Somebody stopped it, or it failed. */
export type WhyEnded = { stoppedBy: NonNullable<Judging["stoppedBy"]> } | { error: ApiError };

/** Ends one that waits or runs, without having changed anything; one that has ended stays as it is. */
export function endJudging(db: Database, id: number, why: WhyEnded): Judging {
  const [state, kept] = "error" in why ? ["failed", why.error] : ["stopped", why];
  return db.transaction(() => {
    db.run(
      `UPDATE judgings SET state = ?, error = ?, finished = ? WHERE id = ? AND ${OPEN}`,
      ...[state, JSON.stringify(kept), new Date().toISOString(), id],
    );
    return judgingOf(db, id);
  });
}

/** A head that is to be judged again, and what must still be so when its new opinion is put in place. */
export interface HeadToJudge {
  id: number;
  /** Of its outline as it is now. */
  centre: readonly [number, number];
}

export interface ImageToJudge {
  image: number;
  name: string;
  sha256: string;
  kind: "crop" | "field";
  headLength: number | undefined;
  heads: HeadToJudge[];
}

interface ToJudge {
  id: number;
  image: number;
  name: string;
  sha256: string;
  kind: ImageToJudge["kind"];
  head_length: number | null;
  x: number;
  y: number;
}

/** Every head on which nobody has a decision and that carries the opinion of another model than this one, by image. */
export function headsToJudge(db: Database, sample: number, model: string): ImageToJudge[] {
  const rows = db.all<ToJudge>(
    `SELECT heads.id, image, name, sha256, kind, head_length,
       json_extract(measures, '$.centreX') AS x, json_extract(measures, '$.centreY') AS y
     FROM heads ${WITH_JUDGING}
     WHERE images.sample = ? AND ${JUDGED} AND NOT ${DECIDED} AND json_extract(${ANALYSER}, '$.model') <> ?
     ORDER BY image, number`,
    sample,
    model,
  );
  return [...Map.groupBy(rows, ({ image }) => image).values()].map((of) => {
    const { image, name, sha256, kind, head_length } = of[0]!;
    const heads = of.map(({ id, x, y }) => ({ id, centre: [x, y] as const }));
    return { image, name, sha256, kind, headLength: head_length ?? undefined, heads };
  });
}

export interface JudgedHead extends HeadToJudge {
  opinion: Opinion;
}

interface Carried {
  judging: number | null;
  model: string;
  state: Head["state"];
  model_class: string | null;
  same: number;
}

/**
 * The result of a judging: all opinions at once, or none. Heads that were decided, drawn elsewhere or taken out meanwhile
 * keep what they have.
 * @throws `review/archived`
 */
export function finishJudging(
  db: Database,
  { id, sample, reader, reason, analyser }: Judging,
  judged: readonly JudgedHead[],
  { planned, problems }: { planned: number; problems: NonNullable<Judging["result"]>["problems"] },
): Judging {
  return db.transaction(() => {
    requireSample(db, sample, true);
    const from = new Map<string, number>();
    let [heads, changed] = [0, 0];
    for (const { id: head, centre, opinion } of judged) {
      const now = db.get<Carried>(
        `SELECT heads.judging, json_extract(${ANALYSER}, '$.model') AS model, heads.state, model_class,
           json_extract(measures, '$.centreX') = ? AND json_extract(measures, '$.centreY') = ? AS same
         FROM heads ${WITH_JUDGING} WHERE heads.id = ? AND ${JUDGED} AND NOT ${DECIDED}`,
        ...[...centre, head],
      );
      if (!now?.same) continue;
      const modelClass = putOpinion(db, head, id, opinion, analyser.classes);
      heads++;
      from.set(now.model, (from.get(now.model) ?? 0) + 1);
      if (now.state !== opinion.state || now.model_class !== modelClass) changed++;
    }
    const models = [...from].map(([model, n]) => ({ model, heads: n }));
    const result: Judging["result"] = { heads, from: models, changed, kept: planned - heads, problems };
    const { act } = db.get<{ act: string }>("SELECT act FROM judgings WHERE id = ?", id)!;
    const { at } = append(db, {
      ...{ act, request: requestOf({ id: act, reader: reader.id, reason }, sample), action: "judge" },
      ...{ reader: reader.id, sample, head: null, reason, old: { models } },
      new: { judging: id, model: analyser.model, ...opinionsSum(db, id) },
    });
    db.run(
      "UPDATE judgings SET state = 'done', finished = ?, error = NULL, result = ? WHERE id = ?",
      ...[at, JSON.stringify(result), id],
    );
    return judgingOf(db, id);
  });
}

/** What the head carried becomes a former opinion. @returns the new class */
function putOpinion(db: Database, head: number, judging: number, opinion: Opinion, classes: readonly string[]) {
  const { state, reason = null, probabilities, agreement } = opinion;
  const best = probabilities.indexOf(Math.max(...probabilities));
  const modelClass = state === "head" ? (classes[best] ?? null) : null;
  db.run(
    `INSERT INTO former_opinions SELECT id, judging, state, reason, agreement, probabilities, model_class
     FROM heads WHERE id = ?`,
    head,
  );
  db.run(
    `UPDATE heads SET state = ?, reason = ?, agreement = ?, probabilities = ?, model_class = ?, judging = ? WHERE id = ?`,
    ...[state, reason, agreement, JSON.stringify(probabilities), modelClass, judging, head],
  );
  return modelClass;
}

const busy = (sample: number) =>
  new AndroscopeError("judging/busy", {
    expected: "a sample that is not being judged again",
    found: "one that is",
    where: `sample ${sample}`,
    fix: "Wait for its end, or stop it.",
  });

const nothing = (sample: number) =>
  new AndroscopeError("judging/nothing", {
    expected: "undecided heads with the opinion of another model than the one in use",
    found: "none",
    where: `sample ${sample}`,
    fix: "Nothing has to be done: decided heads keep the opinion that they were decided with.",
  });
