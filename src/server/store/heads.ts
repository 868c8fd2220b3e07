/** Heads: as they were found or added, with the decisions on them as far as the asking reader may see them. */
import { createHash } from "node:crypto";
import type { Analysis, Outline } from "../../fields/index.ts";
import type { Morphometry } from "../../heads/index.ts";
import { hashOf } from "../../runs/index.ts";
import type { Decision, Head, ImageRecord, Reading, Value } from "../api.ts";
import type { Database } from "./database.ts";
import { ANALYSER, WITH_JUDGING } from "./opinions.ts";
import { notFound } from "./refusals.ts";
import { roleOf } from "./samples.ts";

interface HeadRow {
  id: number;
  image: number;
  number: number;
  source: Head["source"];
  state: Head["state"];
  reason: Head["reason"];
  score: number;
  agreement: number;
  axis_x: number;
  axis_y: number;
  centre_x: number;
  centre_y: number;
  probabilities: string;
  model_class: string | null;
  judged_by: string | null;
  outline?: string;
  measures: string;
  outline_by: Head["outlineBy"];
  thumb: string;
  thumb_x: number;
  thumb_y: number;
  thumb_side: number;
}

interface DecisionRow {
  head: number;
  reader: number;
  name: string;
  value: string;
  reason: string;
  at: string;
  seq: number;
}

const COLUMNS = `heads.id, image, number, source, heads.state, heads.reason, score, agreement, axis_x, axis_y, centre_x,
  centre_y, probabilities, model_class, heads.measures, outline_by, thumb, thumb_x, thumb_y, thumb_side,
  CASE WHEN probabilities <> '[]' THEN json_extract(${ANALYSER}, '$.model') END AS judged_by`;

export interface HeadQuery {
  sample: number;
  /** For whose eyes. */
  reader: number;
  image?: number | undefined;
  ids?: readonly number[] | undefined;
  outlines?: boolean | undefined;
}

/** By image and number. */
export function listHeads(db: Database, { sample, reader, image, ids, outlines = false }: HeadQuery): Head[] {
  const chosen = `images.sample = ?1 AND withdrawn = 0 AND (?2 IS NULL OR image = ?2)
    AND (?3 IS NULL OR heads.id IN (SELECT value FROM json_each(?3)))`;
  const values = [sample, image ?? null, ids ? JSON.stringify(ids) : null] as const;
  const rows = db.all<HeadRow>(
    `SELECT ${COLUMNS}${outlines ? ", outline" : ""} FROM heads ${WITH_JUDGING}
     WHERE ${chosen} ORDER BY image, number`,
    ...values,
  );
  const select = (table: "decisions" | "consensus") =>
    db.all<DecisionRow>(
      `SELECT made.head, made.reader, readers.name, made.value, made.reason, made.at, made.seq FROM ${table} AS made
       JOIN heads ON heads.id = made.head JOIN images ON images.id = image JOIN readers ON readers.id = made.reader
       WHERE ${chosen} AND made.value IS NOT NULL ORDER BY made.head, made.seq`,
      ...values,
    );
  const decisions = Map.groupBy(select("decisions"), ({ head }) => head);
  const consensus = new Map(select("consensus").map((row) => [row.head, row]));
  const role = roleOf(db, sample, reader);
  return rows.map((row) => asHead(row, seenBy(reader, role, decisions.get(row.id) ?? [], consensus.get(row.id))));
}

/** What a reader may see of the decisions on a head: one rule, for every answer. */
function seenBy(
  reader: number,
  role: Reading["role"] | undefined,
  decisions: readonly DecisionRow[],
  settled: DecisionRow | undefined,
): Pick<Head, "decision" | "hidden" | "others" | "consensus"> {
  const own = decisions.find((row) => row.reader === reader);
  const hidden = role === "blind" && own === undefined;
  return {
    decision: own ? asDecision(own) : null,
    hidden,
    others: hidden ? [] : decisions.filter((row) => row.reader !== reader).map(asDecision),
    consensus: hidden || !settled ? null : asDecision(settled),
  };
}

const asDecision = (row: DecisionRow): Decision => ({
  reader: { id: row.reader, name: row.name },
  value: JSON.parse(row.value) as Value,
  reason: row.reason,
  at: row.at,
  seq: row.seq,
});

function asHead(row: HeadRow, seen: Pick<Head, "decision" | "hidden" | "others" | "consensus">): Head {
  return {
    id: row.id,
    image: row.image,
    number: row.number,
    state: row.state,
    reason: row.reason,
    source: row.source,
    score: row.score,
    agreement: row.agreement,
    centre: [row.centre_x, row.centre_y],
    axis: [row.axis_x, row.axis_y],
    probabilities: JSON.parse(row.probabilities),
    modelClass: row.model_class,
    // Where heads are judged again, decided ones are not: whose opinion it is would tell of others' decisions.
    judgedBy: seen.hidden ? null : row.judged_by,
    measures: JSON.parse(row.measures),
    outlineBy: row.outline_by,
    ...(row.outline === undefined ? {} : { outline: JSON.parse(row.outline) }),
    thumbnail: { key: row.thumb, x: row.thumb_x, y: row.thumb_y, side: row.thumb_side },
    ...seen,
  };
}

/** One head with its outline. @throws `server/not-found` */
export function headOf(db: Database, id: number, reader: number): Head {
  const at = db.get<{ sample: number }>(
    "SELECT sample FROM heads JOIN images ON images.id = image WHERE heads.id = ? AND withdrawn = 0",
    id,
  );
  const head = at && listHeads(db, { sample: at.sample, reader, ids: [id], outlines: true })[0];
  if (!head) throw notFound("head", id);
  return head;
}

/** True where a blind reader has heads of the sample left to decide. */
export function isBlindNow(db: Database, sample: number, reader: number): boolean {
  if (roleOf(db, sample, reader) !== "blind") return false;
  const left = db.get(
    `SELECT 1 FROM heads JOIN images ON images.id = image WHERE sample = ?1 AND withdrawn = 0
     AND NOT EXISTS (SELECT 1 FROM decisions WHERE head = heads.id AND reader = ?2 AND value IS NOT NULL) LIMIT 1`,
    sample,
    reader,
  );
  return left !== undefined;
}

/** A head's square of its image: somewhat larger than the head, and of the same scale for heads of ordinary size. */
export interface Tile {
  key: string;
  x: number;
  y: number;
  side: number;
}

/** Of a usual head's length that the picture of a head is wide. */
const ROOM = 1.8;

function tileOf(
  image: Pick<ImageRecord, "sha256" | "kind" | "width" | "height">,
  centre: readonly [number, number],
  length: number,
  usual: number,
): Tile {
  const wanted = Math.max(32, Math.ceil(ROOM * Math.max(length, usual)));
  // A crop is shown whole: it was cut for its head.
  const whole = image.kind === "crop";
  const side = whole ? Math.max(image.width, image.height) : wanted;
  const x = Math.round(whole ? (image.width - side) / 2 : centre[0] - side / 2);
  const y = Math.round(whole ? (image.height - side) / 2 : centre[1] - side / 2);
  const key = createHash("sha256").update(`${image.sha256} ${x} ${y} ${side}`).digest("hex").slice(0, 32);
  return { key, x, y, side };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

interface NewHead {
  number: number;
  source: Head["source"];
  state: Head["state"];
  reason: Head["reason"];
  score: number;
  agreement: number;
  axis: readonly [number, number];
  centre: readonly [number, number];
  probabilities: readonly number[];
  modelClass: string | null;
  outline: Outline;
  measures: Morphometry;
}

function insert(db: Database, image: ImageRecord, head: NewHead, tile: Tile): number {
  const [outline, measures] = [JSON.stringify(head.outline), JSON.stringify(head.measures)];
  return db.run(
    `INSERT INTO heads (image, number, source, state, reason, score, agreement, axis_x, axis_y, centre_x, centre_y,
       probabilities, model_class, first_outline, first_measures, outline, measures, outline_by, thumb, thumb_x, thumb_y,
       thumb_side) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[image.id, head.number, head.source, head.state, head.reason, head.score, head.agreement],
    ...[...head.axis, ...head.centre, JSON.stringify(head.probabilities), head.modelClass],
    ...[outline, measures, outline, measures, head.source, tile.key, tile.x, tile.y, tile.side],
  );
}

/** Inside a transaction. */
export function insertFound(
  db: Database,
  image: ImageRecord,
  analysis: Analysis,
  classes: readonly string[],
): number[] {
  const usual = median(analysis.heads.map(({ measures }) => measures.lengthPx));
  return analysis.heads.map((found) => {
    const { number, state, reason, score, agreement, axis, centre, probabilities, outline, measures } = found;
    const best = probabilities.indexOf(Math.max(...probabilities));
    const modelClass = state === "head" ? (classes[best] ?? null) : null;
    const head = { number, state, score, agreement, axis, centre, probabilities, modelClass, outline, measures };
    const tile = tileOf(image, centre, measures.lengthPx, usual);
    return insert(db, image, { ...head, source: "model", reason: reason ?? null }, tile);
  });
}

/** A sum over everything that the analysis of an image found, for the log. Of heads that were judged again: as they were then. */
export function foundSum(db: Database, image: number): string {
  const then = ["state", "reason", "agreement", "probabilities", "model_class"].map(
    (name) => `CASE WHEN former.head IS NULL THEN heads.${name} ELSE former.${name} END AS ${name}`,
  );
  const rows = db.all(
    `SELECT number, score, axis_x, axis_y, centre_x, centre_y, first_outline, first_measures, ${then.join()}
     FROM heads LEFT JOIN former_opinions AS former ON former.head = heads.id AND former.judging IS NULL
     WHERE image = ? AND source = 'model' ORDER BY number`,
    image,
  );
  return hashOf(rows);
}

/** A head that a reader drew; inside a transaction. @returns its id and number */
export function insertAdded(
  db: Database,
  image: ImageRecord,
  drawn: { outline: Outline; measures: Morphometry },
): { id: number; number: number } {
  const { top } = db.get<{ top: number }>(
    "SELECT coalesce(max(number), 0) AS top FROM heads WHERE image = ?",
    image.id,
  )!;
  const { measures } = drawn;
  const angle = (measures.angleDeg * Math.PI) / 180;
  const axis = [Math.cos(angle), Math.sin(angle)] as const;
  const centre = [measures.centreX, measures.centreY] as const;
  const lengths = db
    .all<{ measures: string }>("SELECT measures FROM heads WHERE image = ?", image.id)
    .map((row) => (JSON.parse(row.measures) as Morphometry).lengthPx);
  const head: NewHead = {
    ...{ number: top + 1, source: "reader", state: "head", reason: null, score: 1, agreement: 1 },
    ...{ axis, centre, probabilities: [], modelClass: null, ...drawn },
  };
  const tile = tileOf(image, centre, measures.lengthPx, median(lengths));
  return { id: insert(db, image, head, tile), number: head.number };
}

/** The image whose head's picture has this key. @throws `server/not-found` */
export function tileByKey(db: Database, key: string): number {
  const row = db.get<{ image: number }>("SELECT image FROM heads WHERE thumb = ? LIMIT 1", key);
  if (!row) throw notFound("picture of a head", key);
  return row.image;
}

export function tilesOf(db: Database, image: number): Tile[] {
  return db.all(
    "SELECT DISTINCT thumb AS key, thumb_x AS x, thumb_y AS y, thumb_side AS side FROM heads WHERE image = ? ORDER BY number",
    image,
  );
}
