/**
 * What readers do: decide, settle, draw. Every act is a row of the log, and what follows from it is changed in the same
 * transaction; so what was answered is on the disk, as a whole.
 */
import type { Outline } from "../../fields/index.ts";
import type { Morphometry } from "../../heads/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import type { Disagreement, Done, Head, Value } from "../api.ts";
import type { Database } from "./database.ts";
import { headOf, insertAdded, isBlindNow, listHeads } from "./heads.ts";
import { imageOf } from "./images.ts";
import { type Appended, append, replayOf } from "./log.ts";
import { requireHead, requireReader, requireSample } from "./refusals.ts";
import { roleOf, setReading } from "./samples.ts";

export interface Act {
  id: string;
  reader: number;
  reason: string;
}

/** What an act answers, and whom it concerns. */
export interface Acted {
  done: Done;
  sample: number;
  head: Head;
}

const done = ({ id, seq, at, replayed }: Appended): Done => ({ id, seq, at, replayed });

function requireClass(value: Value | null, classes: readonly string[]): void {
  if (value?.kind !== "class" || classes.includes(value.class)) return;
  throw new AndroscopeError("review/unknown-class", {
    expected: `one of ${classes.join(", ")}`,
    found: JSON.stringify(value.class),
    where: "value",
    fix: "Decide for a class of the model, or exclude the head.",
  });
}

/** What stands for a reader on a head now; inside a transaction. */
export function currentDecision(db: Database, head: number, reader: number): { value: Value | null; seq: number } {
  const row = db.get<{ value: string | null; seq: number }>(
    "SELECT value, seq FROM decisions WHERE head = ? AND reader = ?",
    head,
    reader,
  );
  return { value: row?.value ? JSON.parse(row.value) : null, seq: row?.seq ?? 0 };
}

/** Puts a decision in its place, after its row of the log; inside a transaction. */
export function putDecision(
  db: Database,
  { head, sample, reader, value, reason, row }: { head: number; sample: number } & ReaderValue,
): void {
  const before = db.get<{ value: string | null; after_reveal: number }>(
    "SELECT value, after_reveal FROM decisions WHERE head = ? AND reader = ?",
    head,
    reader,
  );
  const saw =
    roleOf(db, sample, reader) === "blind" &&
    typeof before?.value === "string" &&
    db.get("SELECT 1 FROM decisions WHERE head = ? AND reader <> ? AND value IS NOT NULL LIMIT 1", head, reader);
  db.run(
    `INSERT INTO decisions (head, reader, value, reason, at, seq, after_reveal) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value, reason = excluded.reason, at = excluded.at, seq = excluded.seq,
       after_reveal = excluded.after_reveal`,
    ...[head, reader, value && JSON.stringify(value), reason, row.at, row.seq],
    saw || before?.after_reveal ? 1 : 0,
  );
}

interface ReaderValue {
  reader: number;
  value: Value | null;
  reason: string;
  row: Appended;
}

/**
 * All decisions of a batch or, where one is refused, none.
 * @returns `shown`: the heads as a reader who reads blind sees them now; none for others, from whom nothing is hidden
 */
export function decide(
  db: Database,
  reader: number,
  decisions: readonly { id: string; head: number; value: Value | null; reason: string }[],
  classes: readonly string[],
): { done: Done[]; made: Map<number, { heads: number[]; acts: string[] }>; shown: Head[] } {
  return db.transaction(() => {
    requireReader(db, reader);
    /** What was not done before, by sample. */
    const made = new Map<number, { heads: number[]; acts: string[] }>();
    const samples = new Set<number>();
    const rows = decisions.map(({ id, head, value, reason }) => {
      const request = ["decide", reader, head, value, reason];
      const before = replayOf(db, id, request);
      if (before) {
        samples.add(before.sample!);
        return before;
      }
      const { sample } = requireHead(db, head);
      samples.add(sample);
      requireSample(db, sample, true);
      requireClass(value, classes);
      if (!roleOf(db, sample, reader)) openReading(db, sample, reader, "first decision");
      const old = currentDecision(db, head, reader).value;
      const row = append(db, { act: id, request, action: "decide", reader, sample, head, old, new: value, reason });
      putDecision(db, { head, sample, reader, value, reason, row });
      const of = made.get(sample) ?? { heads: [], acts: [] };
      made.set(sample, { heads: [...of.heads, head], acts: [...of.acts, id] });
      return row;
    });
    // What a blind reader sees of a head changes with their decision on it.
    const ids = decisions.map(({ head }) => head);
    const blindOnes = [...samples].filter((sample) => roleOf(db, sample, reader) === "blind");
    const shown = blindOnes.flatMap((sample) => listHeads(db, { sample, reader, ids }));
    return { done: rows.map(done), made, shown };
  });
}

/** A reader who was not assigned reads openly; inside a transaction. */
function openReading(db: Database, sample: number, reader: number, reason: string): void {
  const id = `opened ${sample} ${reader}`;
  setReading(db, { id, request: id, reader, sample, assigned: reader, role: "open", reason });
}

/** To be called with what a reader is shown: who has been shown others' decisions cannot read blind later. */
export function noteSeen(db: Database, sample: number, reader: number, heads: readonly Head[]): void {
  if (!heads.some((head) => head.others.length > 0) || roleOf(db, sample, reader)) return;
  db.transaction(() => openReading(db, sample, reader, "saw others' decisions"));
}

export function currentConsensus(db: Database, head: number): { value: Value | null; seq: number } {
  const row = db.get<{ value: string | null; seq: number }>("SELECT value, seq FROM consensus WHERE head = ?", head);
  return { value: row?.value ? JSON.parse(row.value) : null, seq: row?.seq ?? 0 };
}

export function putConsensus(db: Database, { head, reader, value, reason, row }: { head: number } & ReaderValue): void {
  db.run(
    `INSERT INTO consensus (head, reader, value, reason, at, seq) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET reader = excluded.reader, value = excluded.value, reason = excluded.reason,
       at = excluded.at, seq = excluded.seq`,
    ...[head, reader, value && JSON.stringify(value), reason, row.at, row.seq],
  );
}

/** @throws `review/blind` where the head's decisions are hidden from the reader */
export function settle(
  db: Database,
  { id, reader, reason, head, value }: Act & { head: number; value: Value | null },
  classes: readonly string[],
): Acted {
  return db.transaction(() => {
    requireReader(db, reader);
    const { sample } = requireHead(db, head);
    const request = ["consensus", reader, head, value, reason];
    let row = replayOf(db, id, request);
    if (!row) {
      requireSample(db, sample, true);
      requireClass(value, classes);
      if (headOf(db, head, reader).hidden) throw blind(head);
      const old = currentConsensus(db, head).value;
      const added = append(db, {
        act: id,
        request,
        action: "consensus",
        reader,
        sample,
        head,
        old,
        new: value,
        reason,
      });
      putConsensus(db, { head, reader, value, reason, row: added });
      row = { ...added, sample, head, undoes: null };
    }
    return { done: done(row), sample, head: headOf(db, head, reader) };
  });
}

function blind(head: number): AndroscopeError {
  return new AndroscopeError("review/blind", {
    expected: "a reader who may see others' decisions",
    found: "one who reads blind and has not decided",
    where: `head ${head}`,
    fix: "Decide first.",
  });
}

/** For what holds, or tells of, everybody's decisions. @throws `review/blind`, `server/not-found` */
export function requireOpenEyes(db: Database, sample: number, reader: number): void {
  requireSample(db, sample);
  requireReader(db, reader);
  if (!isBlindNow(db, sample, reader)) return;
  const { name } = db.get<{ name: string }>("SELECT name FROM samples WHERE id = ?", sample)!;
  throw new AndroscopeError("review/blind", {
    expected: "a reader who may see others' decisions",
    found: `one who reads “${name}” blind and has heads left`,
    where: `sample ${sample}`,
    fix: "Decide its heads first.",
  });
}

/** An outline as somebody drew it, measured. */
export interface Drawn {
  outline: Outline;
  measures: Morphometry;
}

/** What the log holds of a head's outline: null where it is the first one. */
export function currentOutline(db: Database, head: number): { value: Drawn | null } {
  const row = db.get<{ outline: string; measures: string; same: number }>(
    "SELECT outline, measures, outline = first_outline AS same FROM heads WHERE id = ?",
    head,
  )!;
  return { value: row.same ? null : { outline: JSON.parse(row.outline), measures: JSON.parse(row.measures) } };
}

export function putOutline(db: Database, head: number, drawn: Drawn | null): void {
  if (drawn) {
    db.run(
      "UPDATE heads SET outline = ?, measures = ?, outline_by = 'reader' WHERE id = ?",
      JSON.stringify(drawn.outline),
      JSON.stringify(drawn.measures),
      head,
    );
  } else {
    db.run(
      "UPDATE heads SET outline = first_outline, measures = first_measures, outline_by = source WHERE id = ?",
      head,
    );
  }
}

const outlineRequest = ({ reader, reason }: Act, head: number, outline: Outline | null) =>
  ["outline", reader, head, outline, reason] as const;

/** @param drawn null: the first outline again */
export function changeOutline(db: Database, act: Act, head: number, drawn: Drawn | null): Acted {
  return db.transaction(() => {
    const { id, reader, reason } = act;
    requireReader(db, reader);
    const { sample } = requireHead(db, head);
    const request = outlineRequest(act, head, drawn?.outline ?? null);
    let row = replayOf(db, id, request);
    if (!row) {
      requireSample(db, sample, true);
      const old = currentOutline(db, head).value;
      const added = append(db, { act: id, request, action: "outline", reader, sample, head, old, new: drawn, reason });
      putOutline(db, head, drawn);
      row = { ...added, sample, head, undoes: null };
    }
    return { done: done(row), sample, head: headOf(db, head, reader) };
  });
}

export function addHead(db: Database, act: Act, image: number, drawn: Drawn): Acted {
  return db.transaction(() => {
    const { id, reader, reason } = act;
    requireReader(db, reader);
    const of = imageOf(db, image);
    const request = ["add-head", reader, image, drawn.outline, reason];
    let row = replayOf(db, id, request);
    if (!row) {
      requireSample(db, of.sample, true);
      const added = insertAdded(db, of, drawn);
      const value = { image, number: added.number, ...drawn };
      const appended = append(db, {
        ...{ act: id, request, action: "add-head", reader, sample: of.sample },
        ...{ head: added.id, old: null, new: value, reason },
      });
      row = { ...appended, sample: of.sample, head: added.id, undoes: null };
    }
    // Sent again after it was taken back: there is no such head to show.
    const head = row.head!;
    requireHead(db, head);
    return { done: done(row), sample: of.sample, head: headOf(db, head, reader) };
  });
}

/** Heads on which readers differ, as far as the asking reader may see. */
export function disagreements(
  db: Database,
  sample: number,
  reader: number,
  state: "open" | "settled" | "all",
): Disagreement[] {
  requireSample(db, sample);
  requireReader(db, reader);
  const found: Disagreement[] = [];
  for (const head of listHeads(db, { sample, reader })) {
    const decisions = [...(head.decision ? [head.decision] : []), ...head.others].sort((a, b) => a.seq - b.seq);
    if (!differ(decisions.map(({ value }) => value))) continue;
    if (state !== "all" && (state === "settled") !== (head.consensus !== null)) continue;
    found.push({ head, decisions, consensus: head.consensus });
  }
  return found;
}

/** How many {@link disagreements} lists, without making the heads: every open page asks after every decision. */
export function countDisagreements(db: Database, sample: number, reader: number): { open: number; settled: number } {
  requireSample(db, sample);
  requireReader(db, reader);
  const isBlind = roleOf(db, sample, reader) === "blind";
  // As nameOf() does.
  const name = `json_extract(decisions.value, '$.kind') || ' '
    || coalesce(json_extract(decisions.value, '$.class'), json_extract(decisions.value, '$.why'))`;
  return db.get<{ open: number; settled: number }>(
    `SELECT coalesce(sum(NOT settled), 0) AS open, coalesce(sum(settled), 0) AS settled FROM (
       SELECT EXISTS (SELECT 1 FROM consensus WHERE head = heads.id AND value IS NOT NULL) AS settled
       FROM heads JOIN images ON images.id = image JOIN decisions ON decisions.head = heads.id
       WHERE sample = ?1 AND withdrawn = 0 AND decisions.value IS NOT NULL
       GROUP BY heads.id HAVING count(DISTINCT ${name}) > 1 AND (NOT ?2 OR sum(reader = ?3) > 0))`,
    sample,
    isBlind ? 1 : 0,
    reader,
  )!;
}

/** Classes and exclusions; the reason for an exclusion makes no difference to the count, but it is one between readers. */
export function differ(values: readonly Value[]): boolean {
  return new Set(values.map(nameOf)).size > 1;
}

export const nameOf = (value: Value) => (value.kind === "class" ? `class ${value.class}` : `excluded ${value.why}`);
