/** Readers and samples: what they are, how far they are, and the acts that change them. */
import { AndroscopeError } from "../../runs/index.ts";
import type { Calibration, Reader, Reading, Sample } from "../api.ts";
import type { Database } from "./database.ts";
import { append, replayOf } from "./log.ts";
import { notFound, requireReader, requireSample } from "./refusals.ts";

export function listReaders(db: Database): Reader[] {
  return db.all<{ id: number; name: string; created: string }>("SELECT * FROM readers ORDER BY id").map((row) => ({
    ...row,
  }));
}

/** Makes a reader, or finds the one of this name. */
export function createReader(db: Database, name: string): Reader {
  return db.transaction(() => {
    db.run("INSERT INTO readers (name, created) VALUES (?, ?) ON CONFLICT DO NOTHING", name, new Date().toISOString());
    return { ...db.get<Reader>("SELECT * FROM readers WHERE name = ?", name)! };
  });
}

interface SampleRow {
  id: number;
  name: string;
  note: string;
  created: string;
  archived: number;
  um_per_px: number | null;
  calibration: string | null;
}

export function listSamples(db: Database, archived: boolean): Sample[] {
  return db
    .all<SampleRow>("SELECT * FROM samples WHERE archived <= ? ORDER BY id DESC", archived ? 1 : 0)
    .map((row) => withProgress(db, row));
}

/** @throws `server/not-found` */
export function sampleOf(db: Database, id: number): Sample {
  const row = db.get<SampleRow>("SELECT * FROM samples WHERE id = ?", id);
  if (!row) throw notFound("sample", id);
  return withProgress(db, row);
}

function withProgress(db: Database, row: SampleRow): Sample {
  const images = { queued: 0, running: 0, done: 0, failed: 0 };
  for (const { state, n } of db.all<{ state: keyof typeof images; n: number }>(
    "SELECT state, count(*) AS n FROM images WHERE sample = ? GROUP BY state",
    row.id,
  ))
    images[state] = n;
  const heads = db.get<{ heads: number; cut: number; refused: number; decided: number }>(
    `SELECT count(*) AS heads, coalesce(sum(heads.state = 'cut'), 0) AS cut,
       coalesce(sum(heads.state = 'refused'), 0) AS refused,
       coalesce(sum(EXISTS (SELECT 1 FROM decisions WHERE head = heads.id AND value IS NOT NULL)
         OR EXISTS (SELECT 1 FROM consensus WHERE head = heads.id AND value IS NOT NULL)), 0) AS decided
     FROM heads JOIN images ON images.id = image WHERE sample = ? AND withdrawn = 0`,
    row.id,
  )!;
  return {
    id: row.id,
    name: row.name,
    note: row.note,
    created: row.created,
    archived: row.archived === 1,
    umPerPx: row.um_per_px,
    calibration: row.calibration === null ? null : (JSON.parse(row.calibration) as Calibration),
    images,
    ...heads,
    readings: readingsOf(db, row.id),
  };
}

export function readingsOf(db: Database, sample: number): Reading[] {
  interface ReadingRow {
    reader: number;
    name: string;
    role: Reading["role"];
    created: string;
    decided: number;
    changed: number;
    last: string | null;
  }
  return db
    .all<ReadingRow>(
      `SELECT readings.reader, readers.name, role, readings.created,
         coalesce(decided, 0) AS decided, coalesce(changed, 0) AS changed, last
       FROM readings JOIN readers ON readers.id = readings.reader
       LEFT JOIN (
         SELECT made.reader, count(made.value) AS decided, sum(after_reveal) AS changed, max(at) AS last
         FROM images JOIN heads ON heads.image = images.id AND withdrawn = 0
         JOIN decisions AS made ON made.head = heads.id
         WHERE images.sample = ?1 GROUP BY made.reader
       ) AS made ON made.reader = readings.reader
       WHERE readings.sample = ?1 ORDER BY readings.created, readings.reader`,
      sample,
    )
    .map((row) => ({
      reader: { id: row.reader, name: row.name },
      role: row.role,
      created: row.created,
      decided: row.decided,
      changedAfterReveal: row.changed,
      lastAt: row.last,
    }));
}

interface Asked {
  id: string;
  reader: number;
  reason: string;
}

export function createSample(db: Database, asked: Omit<Asked, "reason"> & { name: string; note: string }): Sample {
  return db.transaction(() => {
    const { id, reader, name, note } = asked;
    requireReader(db, reader);
    const request = ["sample-create", reader, name, note];
    const before = replayOf(db, id, request);
    if (before) return sampleOf(db, before.sample!);
    const sample = db.run(
      "INSERT INTO samples (name, note, created) VALUES (?, ?, ?)",
      name,
      note,
      new Date().toISOString(),
    );
    const value = { name, note, archived: false };
    append(db, {
      ...{ act: id, request, action: "sample-create", reader, sample },
      ...{ head: null, old: null, new: value, reason: "" },
    });
    return sampleOf(db, sample);
  });
}

/** Another name or note, into the archive or out of it. */
export function changeSample(
  db: Database,
  sample: number,
  asked: Asked & { name?: string | undefined; note?: string | undefined; archived?: boolean | undefined },
): Sample {
  return db.transaction(() => {
    requireSample(db, sample);
    requireReader(db, asked.reader);
    const { id, reader, reason, ...changes } = asked;
    const request = ["sample-change", reader, sample, changes, reason];
    if (replayOf(db, id, request)) return sampleOf(db, sample);
    const row = db.get<SampleRow>("SELECT * FROM samples WHERE id = ?", sample)!;
    const old = { name: row.name, note: row.note, archived: row.archived === 1 };
    const next = {
      name: changes.name ?? old.name,
      note: changes.note ?? old.note,
      archived: changes.archived ?? old.archived,
    };
    append(db, { act: id, request, action: "sample-change", reader, sample, head: null, old, new: next, reason });
    db.run(
      "UPDATE samples SET name = ?, note = ?, archived = ? WHERE id = ?",
      next.name,
      next.note,
      Number(next.archived),
      sample,
    );
    return sampleOf(db, sample);
  });
}

export function calibrate(
  db: Database,
  sample: number,
  asked: Asked & Pick<Calibration, "umPerPx" | "method" | "detail">,
): Sample {
  return db.transaction(() => {
    requireSample(db, sample, true);
    const by = requireReader(db, asked.reader);
    const { id, reader, reason, umPerPx, method, detail } = asked;
    const value = { umPerPx, method, detail };
    const request = ["calibrate", reader, sample, value, reason];
    if (replayOf(db, id, request)) return sampleOf(db, sample);
    const text = db.get<SampleRow>("SELECT * FROM samples WHERE id = ?", sample)!.calibration;
    const before = text === null ? null : (JSON.parse(text) as Calibration);
    const old = before && { umPerPx: before.umPerPx, method: before.method, detail: before.detail };
    const { at } = append(db, {
      ...{ act: id, request, action: "calibrate", reader, sample },
      ...{ head: null, old, new: value, reason },
    });
    const calibration: Calibration = { ...value, reader: by, at };
    db.run(
      "UPDATE samples SET um_per_px = ?, calibration = ? WHERE id = ?",
      umPerPx,
      JSON.stringify(calibration),
      sample,
    );
    return sampleOf(db, sample);
  });
}

export function roleOf(db: Database, sample: number, reader: number): Reading["role"] | undefined {
  return db.get<{ role: Reading["role"] }>("SELECT role FROM readings WHERE sample = ? AND reader = ?", sample, reader)
    ?.role;
}

/** Puts a sample to a reader. @throws `review/has-seen` where they have read it openly and shall read blind */
export function assignReading(
  db: Database,
  sample: number,
  asked: Asked & { assigned: number; role: Reading["role"] },
): Sample {
  return db.transaction(() => {
    requireSample(db, sample, true);
    requireReader(db, asked.reader);
    requireReader(db, asked.assigned);
    const { id, reader, reason, assigned, role } = asked;
    const request = ["reading", reader, sample, assigned, role, reason];
    if (replayOf(db, id, request)) return sampleOf(db, sample);
    const old = roleOf(db, sample, assigned);
    if (old === "open" && role === "blind") {
      throw new AndroscopeError("review/has-seen", {
        expected: "a reader who has not seen others' decisions on this sample",
        found: "one who has read it openly",
        where: `reader ${assigned}`,
        fix: "Put the sample to another reader.",
      });
    }
    setReading(db, { id, request, reader, sample, assigned, role, reason });
    return sampleOf(db, sample);
  });
}

/** Inside a transaction. */
export function setReading(
  db: Database,
  asked: Asked & { request: unknown; sample: number; assigned: number; role: Reading["role"] },
): void {
  const { id, request, reader, sample, assigned, role, reason } = asked;
  const old = roleOf(db, sample, assigned);
  const { at } = append(db, {
    ...{ act: id, request, action: "reading", reader, sample, head: null },
    ...{ old: old ? { reader: assigned, role: old } : null, new: { reader: assigned, role }, reason },
  });
  db.run(
    `INSERT INTO readings (sample, reader, role, created) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET role = excluded.role`,
    sample,
    assigned,
    role,
    at,
  );
}
