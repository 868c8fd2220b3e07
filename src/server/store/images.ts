/** Uploaded images and the queue of their analyses. */
import { randomUUID } from "node:crypto";
import type { AnalyserDescription } from "../../fields/index.ts";
import type { ScaledAnalysis } from "../analysis/analyser.ts";
import type { ApiError, ImageKind, ImageRecord } from "../api.ts";
import type { Database } from "./database.ts";
import { foundSum, insertFound } from "./heads.ts";
import { append } from "./log.ts";
import { notFound, requireSample } from "./refusals.ts";

interface ImageRow {
  id: number;
  sample: number;
  name: string;
  kind: ImageKind;
  sha256: string;
  bytes: number;
  format: ImageRecord["format"];
  width: number;
  height: number;
  uploaded: string;
  state: ImageRecord["state"];
  attempts: number;
  error: string | null;
  analysed: string | null;
  seconds: number | null;
  analyser: string | null;
  head_length: number | null;
  heads: number;
}

const WITH_HEADS = `SELECT images.*,
  (SELECT count(*) FROM heads WHERE image = images.id AND withdrawn = 0) AS heads FROM images`;

const parsed = <T>(text: string | null) => (text === null ? null : (JSON.parse(text) as T));

function asImage({ attempts: _, head_length, ...row }: ImageRow): ImageRecord {
  return {
    ...row,
    headLength: head_length,
    error: parsed<ApiError>(row.error),
    analyser: parsed<ImageRecord["analyser"]>(row.analyser),
  };
}

/** In the order of their upload. @param ids these alone */
export function listImages(db: Database, sample: number, ids?: readonly number[]): ImageRecord[] {
  requireSample(db, sample);
  const chosen = "sample = ?1 AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))";
  return db
    .all<ImageRow>(`${WITH_HEADS} WHERE ${chosen} ORDER BY id`, sample, ids ? JSON.stringify(ids) : null)
    .map(asImage);
}

/** @throws `server/not-found` */
export function imageOf(db: Database, id: number): ImageRecord {
  const row = db.get<ImageRow>(`${WITH_HEADS} WHERE id = ?`, id);
  if (!row) throw notFound("image", id);
  return asImage(row);
}

export type NewImage = Pick<
  ImageRecord,
  "sample" | "name" | "kind" | "sha256" | "bytes" | "format" | "width" | "height"
>;

/** Puts an image, whose original is on the disk, in the queue; a file that the sample has as this kind is found. */
export function addImage(db: Database, image: NewImage): { image: ImageRecord; duplicate: boolean } {
  return db.transaction(() => {
    const { sample, name, kind, sha256, bytes, format, width, height } = image;
    const there = db.get<{ id: number }>(
      "SELECT id FROM images WHERE sample = ? AND sha256 = ? AND kind = ?",
      sample,
      sha256,
      kind,
    );
    if (there) return { image: imageOf(db, there.id), duplicate: true };
    const id = db.run(
      `INSERT INTO images (sample, name, kind, sha256, bytes, format, width, height, uploaded, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')`,
      ...[sample, name, kind, sha256, bytes, format, width, height],
      new Date().toISOString(),
    );
    return { image: imageOf(db, id), duplicate: false };
  });
}

/** Queues a failed image again; any other is left as it is. */
export function queueAgain(db: Database, id: number): ImageRecord {
  return db.transaction(() => {
    db.run("UPDATE images SET state = 'queued', error = NULL, attempts = 0 WHERE id = ? AND state = 'failed'", id);
    return imageOf(db, id);
  });
}

/** Times that an analysis may end the whole program before its image is given up. */
const MOST_ATTEMPTS = 3;

/** At the start of the program: what was running when it ended is queued again, unless it seems to be what ended it. */
export function requeueBroken(db: Database, givenUp: ApiError): void {
  db.transaction(() => {
    db.run(
      "UPDATE images SET state = 'failed', error = ? WHERE state = 'running' AND attempts >= ?",
      JSON.stringify(givenUp),
      MOST_ATTEMPTS,
    );
    db.run("UPDATE images SET state = 'queued' WHERE state = 'running'");
  });
}

/** At an orderly end: what is running goes back to the queue, and is none the worse for it. */
export function putBack(db: Database): void {
  db.transaction(() => db.run("UPDATE images SET state = 'queued', attempts = attempts - 1 WHERE state = 'running'"));
}

/** The image that waits longest, now running; undefined where none waits, or that one may not begin. */
export function takeNext(db: Database, mayBegin: (image: ImageRecord) => boolean): ImageRecord | undefined {
  return db.transaction(() => {
    const next = db.get<{ id: number }>("SELECT id FROM images WHERE state = 'queued' ORDER BY id LIMIT 1");
    if (!next || !mayBegin(imageOf(db, next.id))) return undefined;
    db.run("UPDATE images SET state = 'running', attempts = attempts + 1 WHERE id = ?", next.id);
    return imageOf(db, next.id);
  });
}

export function queueLength(db: Database): { queued: number; running: number } {
  return {
    ...db.get<{ queued: number; running: number }>(
      "SELECT coalesce(sum(state = 'queued'), 0) AS queued, coalesce(sum(state = 'running'), 0) AS running FROM images WHERE state IN ('queued', 'running')",
    )!,
  };
}

/** As many as an estimate looks at: src/fields/detection/learn-fields.ts. */
const SCALE_PICTURES = 5;

/**
 * The photographs that tell how long heads are in one: the sample's first ones of its size. Of one size they are of one camera,
 * and taken to be of one magnification; which they are does not change as more come.
 */
export function scalePictures(db: Database, { sample, width, height }: ImageRecord): string[] {
  return db
    .all<{ sha256: string }>(
      `SELECT sha256 FROM images WHERE sample = ? AND kind = 'field' AND width = ? AND height = ?
       ORDER BY id LIMIT ?`,
      ...[sample, width, height, SCALE_PICTURES],
    )
    .map(({ sha256 }) => sha256);
}

/** Whether later photographs would not change how long heads are taken to be in this image. */
export const hasScale = (db: Database, image: ImageRecord): boolean =>
  image.kind === "crop" || scalePictures(db, image).length === SCALE_PICTURES;

/** How many wait, by kind. @param before those alone that come before this image */
export function waiting(db: Database, before = Number.MAX_SAFE_INTEGER): Record<ImageKind, number> {
  const counts = { crop: 0, field: 0 };
  for (const { kind, n } of db.all<{ kind: ImageKind; n: number }>(
    "SELECT kind, count(*) AS n FROM images WHERE state = 'queued' AND id < ? GROUP BY kind",
    before,
  ))
    counts[kind] = n;
  return counts;
}

/** The result of an analysis: all heads at once, or none. @returns the new heads */
export function finishImage(
  db: Database,
  image: ImageRecord,
  analysis: ScaledAnalysis,
  description: AnalyserDescription,
  seconds: number,
): number[] {
  return db.transaction(() => {
    const heads = insertFound(db, image, analysis, description.classes);
    const found = { image: image.id, sha256: image.sha256, heads: heads.length, found: foundSum(db, image.id) };
    append(db, {
      ...{ act: randomUUID(), request: found, action: "analysis", reader: null, sample: image.sample },
      ...{ head: null, old: null, new: found, reason: "" },
    });
    db.run(
      "UPDATE images SET state = 'done', error = NULL, analysed = ?, seconds = ?, analyser = ?, head_length = ? WHERE id = ?",
      new Date().toISOString(),
      seconds,
      JSON.stringify(description),
      analysis.headLength ?? null,
      image.id,
    );
    return heads;
  });
}

export function failImage(db: Database, id: number, error: ApiError): void {
  db.transaction(() => db.run("UPDATE images SET state = 'failed', error = ? WHERE id = ?", JSON.stringify(error), id));
}
