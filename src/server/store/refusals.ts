/** Refusals that several acts share. */
import { AndroscopeError } from "../../runs/index.ts";
import type { Database } from "./database.ts";

export function notFound(what: string, id: number | string): AndroscopeError {
  return new AndroscopeError("server/not-found", {
    expected: `a ${what} that exists`,
    found: String(id),
    where: what,
    fix: "Load the list again.",
  });
}

export function idReused(act: string, by: string): AndroscopeError {
  return new AndroscopeError("review/id-reused", {
    expected: "an id that no other act has",
    found: `the id of ${by}`,
    where: act,
    fix: "Give every act an id of its own.",
  });
}

export function requireReader(db: Database, id: number): { id: number; name: string } {
  const reader = db.get<{ id: number; name: string }>("SELECT id, name FROM readers WHERE id = ?", id);
  if (!reader) throw notFound("reader", id);
  return { id: reader.id, name: reader.name };
}

/** @throws `server/not-found`; `review/archived` where it is archived and `toChange` */
export function requireSample(db: Database, id: number, toChange = false): void {
  const sample = db.get<{ archived: number }>("SELECT archived FROM samples WHERE id = ?", id);
  if (!sample) throw notFound("sample", id);
  if (toChange && sample.archived) {
    throw new AndroscopeError("review/archived", {
      expected: "a sample that is at work",
      found: "an archived one",
      where: `sample ${id}`,
      fix: "Take it out of the archive first.",
    });
  }
}

/** A head that is shown, with its sample. */
export function requireHead(db: Database, id: number): { id: number; image: number; sample: number } {
  const head = db.get<{ id: number; image: number; sample: number }>(
    `SELECT heads.id, image, sample FROM heads JOIN images ON images.id = image WHERE heads.id = ? AND withdrawn = 0`,
    id,
  );
  if (!head) throw notFound("head", id);
  return head;
}
