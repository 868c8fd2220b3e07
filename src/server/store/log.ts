/**
 * The log of acts: one chain over all samples. A row's hash is a SHA-256 over everything in it and the hash of the row
 * before, so a row that was changed, put in or taken out between others no longer fits. Rows taken away at the end leave a
 * chain that fits: reports carry the number of rows and the newest hash, against which that shows.
 */
import { hashOf } from "../../runs/index.ts";
import type { LogRow } from "../api.ts";
import type { Database } from "./database.ts";
import { idReused } from "./refusals.ts";

/** Before the first row. */
export const NO_HASH = "0".repeat(64);

export interface NewRow {
  act: string;
  /** What was asked: {@link hashOf} of it tells a retry from another act. */
  request: unknown;
  action: LogRow["action"];
  reader: number | null;
  sample: number | null;
  head: number | null;
  old: unknown;
  new: unknown;
  reason: string;
  undoes?: number | undefined;
}

export interface Appended {
  id: string;
  seq: number;
  at: string;
  replayed: boolean;
}

interface StoredRow {
  seq: number;
  at: string;
  act: string;
  request: string;
  action: LogRow["action"];
  reader: number | null;
  reader_name: string | null;
  sample: number | null;
  head: number | null;
  old: string;
  new: string;
  reason: string;
  undoes: number | null;
  hash: string;
}

/** Appends a row; to be called inside a transaction that also does what the row says. */
export function append(db: Database, row: NewRow): Appended {
  const last = db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1");
  const reader =
    row.reader === null ? null : db.get<{ name: string }>("SELECT name FROM readers WHERE id = ?", row.reader)!.name;
  const content = {
    seq: (last?.seq ?? 0) + 1,
    at: new Date().toISOString(),
    act: row.act,
    request: hashOf(row.request),
    action: row.action,
    reader: row.reader,
    reader_name: reader,
    sample: row.sample,
    head: row.head,
    old: JSON.stringify(row.old ?? null),
    new: JSON.stringify(row.new ?? null),
    reason: row.reason,
    undoes: row.undoes ?? null,
  };
  db.run(
    `INSERT INTO log (seq, at, act, request, action, reader, reader_name, sample, head, old, new, reason, undoes, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...Object.values(content),
    chained(content, last?.hash ?? NO_HASH),
  );
  return { id: row.act, seq: content.seq, at: content.at, replayed: false };
}

function chained(content: Omit<StoredRow, "hash">, before: string): string {
  return hashOf({ ...content, before });
}

/**
 * What an act answered when it was done first; undefined where it is new.
 * @throws `review/id-reused` where the id belongs to another act
 */
export function replayOf(
  db: Database,
  act: string,
  request: unknown,
): (Appended & Pick<StoredRow, "sample" | "head" | "undoes">) | undefined {
  const row = db.get<StoredRow>("SELECT * FROM log WHERE act = ?", act);
  if (!row) return undefined;
  if (row.request !== hashOf(request)) throw idReused(act, `row ${row.seq}`);
  const { seq, at, sample, head, undoes } = row;
  return { id: act, seq, at, replayed: true, sample, head, undoes };
}

const asRow = (row: StoredRow): LogRow => ({
  seq: row.seq,
  at: row.at,
  act: row.act,
  action: row.action,
  reader: row.reader === null ? null : { id: row.reader, name: row.reader_name ?? "" },
  sample: row.sample,
  head: row.head,
  old: JSON.parse(row.old),
  new: JSON.parse(row.new),
  reason: row.reason,
  undoes: row.undoes,
  hash: row.hash,
});

export function logOfHead(db: Database, head: number): LogRow[] {
  return db.all<StoredRow>("SELECT * FROM log WHERE head = ? ORDER BY seq", head).map(asRow);
}

export function logOfSample(db: Database, sample: number): LogRow[] {
  return db.all<StoredRow>("SELECT * FROM log WHERE sample = ? ORDER BY seq", sample).map(asRow);
}

export function logRow(db: Database, seq: number): LogRow | undefined {
  const row = db.get<StoredRow>("SELECT * FROM log WHERE seq = ?", seq);
  return row && asRow(row);
}

export function logEnd(db: Database): { rows: number; hash: string } {
  const last = db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1");
  return { rows: last?.seq ?? 0, hash: last?.hash ?? NO_HASH };
}

export interface ChainFault {
  /** Of the first row that does not fit. */
  seq: number;
  problem: string;
}

/** Walks the whole chain, a thousand rows at a time. @returns the rows to replay, and the first that does not fit */
export function* walkLog(db: Database): Generator<LogRow, ChainFault | undefined> {
  let before = NO_HASH;
  let expected = 1;
  for (;;) {
    const rows = db.all<StoredRow>("SELECT * FROM log WHERE seq >= ? ORDER BY seq LIMIT 1000", expected);
    if (rows.length === 0) return undefined;
    for (const row of rows) {
      if (row.seq !== expected) return { seq: expected, problem: `the row is missing; row ${row.seq} follows` };
      const { hash, ...content } = row;
      if (chained(content, before) !== hash) {
        return { seq: row.seq, problem: "the row, or its hash, is not what was written" };
      }
      yield asRow(row);
      before = hash;
      expected++;
    }
  }
}
