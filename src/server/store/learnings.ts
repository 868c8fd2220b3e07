/** Models learned from what readers decided: from what, with what result, and which one judges. */
import type { ApiError, ChangedHead, Learning } from "../api.ts";
import type { Learned, ReviewedImage } from "../learnings/learner.ts";
import type { Database } from "./database.ts";
import { isBlindNow, listHeads } from "./heads.ts";
import { listImages } from "./images.ts";
import { type Appended, append, replayOf } from "./log.ts";
import { idReused, notFound, requireReader, requireSample } from "./refusals.ts";
import { finalOf } from "./report.ts";
import type { Act } from "./review.ts";

interface LearningRow {
  id: number;
  reader: number;
  name: string;
  samples: string;
  begun: string;
  state: Learning["state"];
  error: string | null;
  finished: string | null;
  before: string;
  model: string | null;
  result: string | null;
  changed: string | null;
}

const SELECT = `SELECT learnings.*, readers.name FROM learnings JOIN readers ON readers.id = learnings.reader`;

type StoredResult = Omit<NonNullable<Learning["result"]>, "comparisons">;

/**
 * Learnings that compared models on held-out images of these samples: whoever chooses the best of several on the same images
 * has a figure that is too hopeful. By content, since an image may be in several samples; which heads were decided when is not
 * asked, so it counts rather too many than too few.
 */
function comparisonsOn(db: Database, samples: string): number {
  return db.get<{ n: number }>(
    `SELECT count(*) AS n FROM learnings WHERE state = 'done' AND EXISTS (
       SELECT 1 FROM images AS ours JOIN held_out ON held_out.sha256 = ours.sha256 AND held = 1
         JOIN images AS theirs ON theirs.sha256 = ours.sha256
       WHERE ours.sample IN (SELECT value FROM json_each(?))
         AND theirs.sample IN (SELECT value FROM json_each(learnings.samples)))`,
    samples,
  )!.n;
}

/** As it is kept: the reader is there where one stopped the learning. */
type StoredError = ApiError & { stoppedBy?: Learning["stoppedBy"] };

function failureOf(stored: string | null): Pick<Learning, "error" | "stoppedBy"> {
  if (stored === null) return { error: null, stoppedBy: null };
  const { stoppedBy = null, ...error } = JSON.parse(stored) as StoredError;
  return { error, stoppedBy };
}

/** @param reader for whose eyes */
function asLearning(db: Database, row: LearningRow, reader: number): Learning {
  const samples = (JSON.parse(row.samples) as number[]).map(
    (id) => db.get<{ id: number; name: string }>("SELECT id, name FROM samples WHERE id = ?", id)!,
  );
  const hidden = samples.some(({ id }) => isBlindNow(db, id, reader));
  return {
    id: row.id,
    reader: { id: row.reader, name: row.name },
    samples,
    begun: row.begun,
    state: row.state,
    ...failureOf(row.error),
    finished: row.finished,
    before: row.before,
    model: row.model,
    hidden,
    result:
      row.result === null || hidden
        ? null
        : { ...(JSON.parse(row.result) as StoredResult), comparisons: comparisonsOn(db, row.samples) },
    inUse: modelInUse(db)?.learning === row.id,
  };
}

export function listLearnings(db: Database, reader: number): Learning[] {
  requireReader(db, reader);
  return db.all<LearningRow>(`${SELECT} ORDER BY learnings.id DESC`).map((row) => asLearning(db, row, reader));
}

/** @throws `server/not-found` */
export function learningOf(db: Database, id: number, reader: number): Learning {
  requireReader(db, reader);
  return asLearning(db, rowOf(db, id), reader);
}

/** What is nobody's opinion: how far it is, and what it left. @throws `server/not-found` */
export const stateOf = (db: Database, id: number): Pick<LearningRow, "state" | "model"> => rowOf(db, id);

function rowOf(db: Database, id: number): LearningRow {
  const row = db.get<LearningRow>(`${SELECT} WHERE learnings.id = ?`, id);
  if (!row) throw notFound("learning", id);
  return row;
}

/** What an act started when it was done first; undefined where it is new. @throws `review/id-reused` */
export function replayedLearning(
  db: Database,
  { id: act, reader, samples }: { id: string; reader: number; samples: readonly number[] },
): Learning | undefined {
  const row = db.get<{ id: number; reader: number; samples: string }>("SELECT * FROM learnings WHERE act = ?", act);
  if (!row) return undefined;
  if (row.reader !== reader || row.samples !== JSON.stringify(samples)) throw idReused(act, `learning ${row.id}`);
  return learningOf(db, row.id, reader);
}

/** The compared heads on which the models differ; none where they are kept from the reader. */
export function changedHeads(db: Database, id: number, reader: number): ChangedHead[] {
  const { samples, hidden } = learningOf(db, id, reader);
  if (hidden) return [];
  const { changed } = rowOf(db, id);
  const told = new Map((JSON.parse(changed ?? "[]") as Learned["changed"]).map((one) => [one.id, one]));
  return samples.flatMap(({ id: sample }) =>
    listHeads(db, { sample, reader, ids: [...told.keys()] }).map((head) => {
      const { label, before, after } = told.get(head.id)!;
      return { head, sample, label, before, after };
    }),
  );
}

/**
 * All heads with a final class, by image. Which images are held out to compare models on is settled by their content, once
 * and for all: a third of the heads, as nearly as whole images allow.
 * @param pathOf where an original lies
 */
export function reviewedImages(
  db: Database,
  samples: readonly number[],
  { reader, classes, pathOf }: { reader: number; classes: readonly string[]; pathOf: (sha256: string) => string },
): ReviewedImage[] {
  const found = samples.flatMap((sample) => {
    requireSample(db, sample);
    const byImage = Map.groupBy(listHeads(db, { sample, reader }), ({ image }) => image);
    return listImages(db, sample).flatMap(({ id, kind, sha256, headLength }) => {
      const heads = (byImage.get(id) ?? []).flatMap((head) => {
        const final = finalOf(head);
        const label = final && final !== "disputed" && final.kind === "class" ? final.class : undefined;
        if (label === undefined || !classes.includes(label)) return [];
        // Where somebody drew the outline, the head is where that is.
        const { measures, outlineBy, centre } = head;
        const at = outlineBy === "reader" && measures ? ([measures.centreX, measures.centreY] as const) : centre;
        return [{ id: head.id, centre: at, label }];
      });
      return heads.length > 0
        ? [{ path: pathOf(sha256), kind, sha256, heads, ...(headLength === null ? {} : { headLength }) }]
        : [];
    });
  });
  const held = heldOut(db, found);
  return found.map((image) => ({ ...image, held: held.get(image.sha256)! }));
}

const HELD_SHARE = 1 / 3;

/** By the sum of an image's content, which nobody chooses: its order is as good as a drawn one. */
function heldOut(db: Database, images: readonly { sha256: string; heads: readonly unknown[] }[]): Map<string, boolean> {
  const known = new Map(
    db.all<{ sha256: string; held: number }>("SELECT * FROM held_out").map((row) => [row.sha256, row.held === 1]),
  );
  const heads = new Map<string, number>();
  for (const image of images) heads.set(image.sha256, (heads.get(image.sha256) ?? 0) + image.heads.length);
  const order = [...heads.keys()].sort((a, b) => Number(known.has(b)) - Number(known.has(a)) || (a < b ? -1 : 1));
  const held = new Map<string, boolean>();
  let [total, kept] = [0, 0];
  for (const sha256 of order) {
    const more = heads.get(sha256)!;
    total += more;
    const wanted = HELD_SHARE * total;
    const isHeld = known.get(sha256) ?? Math.abs(kept + more - wanted) < Math.abs(kept - wanted);
    if (isHeld) kept += more;
    held.set(sha256, isHeld);
  }
  return held;
}

export function beginLearning(
  db: Database,
  { id, reader, samples }: { id: string; reader: number; samples: readonly number[] },
  before: string,
  images: readonly ReviewedImage[],
): Learning {
  return db.transaction(() => {
    requireReader(db, reader);
    for (const { sha256, held } of images)
      db.run("INSERT INTO held_out VALUES (?, ?) ON CONFLICT DO NOTHING", sha256, held ? 1 : 0);
    const learning = db.run(
      "INSERT INTO learnings (act, reader, samples, begun, state, before) VALUES (?, ?, ?, ?, 'running', ?)",
      ...[id, reader, JSON.stringify(samples), new Date().toISOString(), before],
    );
    return learningOf(db, learning, reader);
  });
}

export function finishLearning(db: Database, id: number, learned: Learned, classes: readonly string[]): void {
  const { groups, classes: byClass, ...comparison } = learned.comparison;
  const result: StoredResult = {
    learned: learned.learned,
    strength: learned.strength ?? null,
    comparison: { ...comparison, images: groups, classes: byClass.map((one, c) => ({ name: classes[c]!, ...one })) },
  };
  db.transaction(() =>
    db.run(
      "UPDATE learnings SET state = 'done', finished = ?, model = ?, result = ?, changed = ? WHERE id = ?",
      ...[new Date().toISOString(), learned.model ?? null, JSON.stringify(result), JSON.stringify(learned.changed), id],
    ),
  );
}

/** @param stoppedBy where somebody did. Like its beginning this is no row of the log: no head, sample or choice is another. */
export function failLearning(
  db: Database,
  id: number,
  error: ApiError,
  stoppedBy: NonNullable<Learning["stoppedBy"]> | undefined = undefined,
): void {
  const stored: StoredError = { ...error, ...(stoppedBy ? { stoppedBy } : {}) };
  db.transaction(() =>
    db.run(
      "UPDATE learnings SET state = 'failed', finished = ?, error = ? WHERE id = ?",
      ...[new Date().toISOString(), JSON.stringify(stored), id],
    ),
  );
}

/** At the start of the program: what was running when it ended. */
export function failBroken(db: Database, error: ApiError): void {
  for (const { id } of db.all<{ id: number }>("SELECT id FROM learnings WHERE state = 'running'"))
    failLearning(db, id, error);
}

/** The learned model that judges; undefined: the one that the program was started with. */
export function modelInUse(db: Database): { learning: number; model: string } | undefined {
  return db.get<{ learning: number; model: string }>(
    "SELECT learnings.id AS learning, learnings.model FROM model_in_use JOIN learnings ON learnings.id = learning",
  );
}

/** What an act did when it was done first. @throws `review/id-reused` */
export function replayedChoice(db: Database, { id, ...asked }: Act, learning: number | null): Appended | undefined {
  return replayOf(db, id, choice(asked, learning));
}

const choice = ({ reader, reason }: Omit<Act, "id">, learning: number | null) => ["model", reader, learning, reason];

/** Has another model judge: a row of the log, and what follows from it. */
export function chooseModel(db: Database, { id, reader, reason }: Act, learning: number | null): Appended {
  return db.transaction(() => {
    requireReader(db, reader);
    const told = (now: { learning: number; model: string } | undefined) => now ?? null;
    const old = told(modelInUse(db));
    db.run("UPDATE model_in_use SET learning = ?", learning);
    return append(db, {
      ...{ act: id, request: choice({ reader, reason }, learning), action: "model", reader, sample: null, head: null },
      ...{ old, new: told(modelInUse(db)), reason },
    });
  });
}
