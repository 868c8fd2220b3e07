/** Taking acts back: a row that restores the old value, never a row taken away. */
import { AndroscopeError, hashOf, isAndroscopeError } from "../../runs/index.ts";
import type { Done, Head, LogRow, Value } from "../api.ts";
import type { Database } from "./database.ts";
import { headOf } from "./heads.ts";
import { type Appended, append, logRow, replayOf } from "./log.ts";
import { notFound, requireReader, requireSample } from "./refusals.ts";
import {
  type Act,
  currentConsensus,
  currentDecision,
  currentOutline,
  type Drawn,
  putConsensus,
  putDecision,
  putOutline,
} from "./review.ts";

const CAN_BE_UNDONE = ["decide", "consensus", "outline", "add-head"];

export interface Undone {
  done: Done & { undoes: number };
  sample: number;
  headId: number;
  /** Null where the head itself was taken back. */
  head: Head | null;
}

/** @throws `review/nothing-to-undo`, `review/changed-since`, `server/not-found` */
export function undo(
  db: Database,
  { id, reader, reason, sample, seq }: Act & { sample: number; seq?: number | undefined },
) {
  return db.transaction((): Undone => {
    requireReader(db, reader);
    requireSample(db, sample, true);
    const request = ["undo", reader, sample, seq ?? null, reason];
    const before = replayOf(db, id, request);
    if (before) return answer(db, before, before.undoes!, sample, before.head!, reader);
    const target = seq === undefined ? newest(db, sample, reader) : chosen(db, sample, reader, seq);
    requireUnchanged(db, target);
    const head = target.head!;
    const row = append(db, {
      ...{ act: id, request, action: target.action, reader, sample, head },
      ...{ old: target.new, new: target.old, reason, undoes: target.seq },
    });
    restore(db, target, row, reason);
    return answer(db, row, target.seq, sample, head, reader);
  });
}

function answer(db: Database, row: Appended, undoes: number, sample: number, headId: number, reader: number): Undone {
  const { id, seq, at, replayed } = row;
  let head: Head | null = null;
  try {
    head = headOf(db, headId, reader);
  } catch (error) {
    if (!isAndroscopeError(error, "server/not-found")) throw error;
  }
  return { done: { id, seq, at, replayed, undoes }, sample, headId, head };
}

/** The row whose taking back takes back the reader's newest act that still holds: the act, or what did it again. */
function newest(db: Database, sample: number, reader: number): LogRow {
  const rows = db.all<{ seq: number; action: string; undoes: number | null }>(
    "SELECT seq, action, undoes FROM log WHERE sample = ? AND reader = ? ORDER BY seq DESC",
    sample,
    reader,
  );
  const undoneBy = new Map(rows.flatMap(({ seq, undoes }) => (undoes === null ? [] : [[undoes, seq] as const])));
  for (const { seq, action, undoes } of rows) {
    if (undoes !== null || !CAN_BE_UNDONE.includes(action)) continue;
    let [last, holds] = [seq, true];
    for (let next = undoneBy.get(last); next !== undefined; next = undoneBy.get(last)) [last, holds] = [next, !holds];
    if (holds) return logRow(db, last)!;
  }
  throw nothing(`sample ${sample}`, "none that holds");
}

function chosen(db: Database, sample: number, reader: number, seq: number): LogRow {
  const row = logRow(db, seq);
  if (!row || row.sample !== sample || row.reader?.id !== reader) throw notFound("act of this reader", seq);
  if (!CAN_BE_UNDONE.includes(row.action)) throw nothing(`row ${seq}`, `an act of the kind ${row.action}`);
  if (db.get("SELECT 1 FROM log WHERE undoes = ?", seq)) throw nothing(`row ${seq}`, "one that is taken back already");
  return row;
}

function nothing(where: string, found: string): AndroscopeError {
  return new AndroscopeError("review/nothing-to-undo", {
    expected: "an act of this reader that can be taken back",
    found,
    where,
    fix: "Look at the log.",
  });
}

/** What the act made must still be there: to restore an older value would else take away another's work unseen. */
function requireUnchanged(db: Database, target: LogRow): void {
  const head = target.head!;
  const reader = target.reader!.id;
  const later = db.get(
    "SELECT 1 FROM log WHERE head = ? AND action = ? AND seq > ? AND reader <> ? LIMIT 1",
    head,
    target.action,
    target.seq,
    reader,
  );
  const unchanged = {
    // Each reader's decision is their own.
    decide: () => same(currentDecision(db, head, reader).value, target.new),
    consensus: () => !later && same(currentConsensus(db, head).value, target.new),
    outline: () => !later && same(currentOutline(db, head).value, target.new),
    "add-head": () => !othersJudged(db, head, reader),
  }[target.action as "decide"]();
  if (unchanged) return;
  throw new AndroscopeError("review/changed-since", {
    expected: "what the act made",
    found: "a later act on it",
    where: `row ${target.seq}`,
    fix: "Look at the log, and take the later act back first.",
  });
}

const same = (a: unknown, b: unknown) => hashOf(a) === hashOf(b);

function othersJudged(db: Database, head: number, reader: number): boolean {
  const judged = db.get(
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM decisions WHERE head = ?1 AND reader <> ?2 AND value IS NOT NULL)
       OR EXISTS (SELECT 1 FROM consensus WHERE head = ?1 AND value IS NOT NULL)`,
    head,
    reader,
  );
  return judged !== undefined;
}

function restore(db: Database, target: LogRow, row: Appended, reason: string): void {
  const head = target.head!;
  const reader = target.reader!.id;
  switch (target.action) {
    case "decide":
      putDecision(db, { head, sample: target.sample!, reader, value: target.old as Value | null, reason, row });
      break;
    case "consensus":
      putConsensus(db, { head, reader: settler(db, target), value: target.old as Value | null, reason, row });
      break;
    case "outline":
      putOutline(db, head, target.old as unknown as Drawn | null);
      break;
    case "add-head":
      db.run("UPDATE heads SET withdrawn = ? WHERE id = ?", target.old === null ? 1 : 0, head);
      break;
  }
}

/** Who had settled the head before the act. */
function settler(db: Database, { head, seq, reader }: LogRow): number {
  const before = db.get<{ reader: number }>(
    "SELECT reader FROM log WHERE head = ? AND action = 'consensus' AND seq < ? ORDER BY seq DESC LIMIT 1",
    head,
    seq,
  );
  return before?.reader ?? reader!.id;
}
