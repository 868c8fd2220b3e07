/**
 * What models say of heads. A head carries one opinion: of the analysis of its image, or of the judging that `judging` names.
 * What it carried before stays in `former_opinions`. An opinion is a state with its reason, agreement, probabilities and
 * class; outline, measures and axis are the analysis's or a reader's, and no model changes them later.
 */
import { hashOf } from "../../runs/index.ts";
import type { Head, HeadOpinion, ImageRecord } from "../api.ts";
import type { Database } from "./database.ts";

/** Of the table `heads`, with its image; to be joined for {@link ANALYSER}. */
export const WITH_JUDGING = "JOIN images ON images.id = heads.image LEFT JOIN judgings ON judgings.id = heads.judging";
/** JSON: who gave the opinion that a head carries. */
export const ANALYSER = "coalesce(judgings.analyser, images.analyser)";
/** Whether any reader has decided or settled a head. */
export const DECIDED = `(EXISTS (SELECT 1 FROM decisions WHERE head = heads.id AND decisions.value IS NOT NULL)
  OR EXISTS (SELECT 1 FROM consensus WHERE head = heads.id AND consensus.value IS NOT NULL))`;
/** Whether a model was asked: not about heads that the border cuts, that the detector refused, or that readers drew. */
export const JUDGED = "heads.withdrawn = 0 AND heads.probabilities <> '[]'";

type Described = NonNullable<ImageRecord["analyser"]>;

export interface ModelOpinions {
  analyser: Described;
  heads: number;
  decided: number;
  /** How many, by state and class. */
  said: { state: Head["state"]; modelClass: string | null; heads: number }[];
}

/** Every model whose opinions heads of the sample carry, the one that judged first first. */
export function modelsIn(db: Database, sample: number): ModelOpinions[] {
  const rows = db.all<{
    analyser: string;
    state: Head["state"];
    modelClass: string | null;
    n: number;
    decided: number;
  }>(
    `SELECT ${ANALYSER} AS analyser, heads.state, model_class AS modelClass, count(*) AS n, sum(${DECIDED}) AS decided
     FROM heads ${WITH_JUDGING} WHERE images.sample = ? AND ${JUDGED}
     GROUP BY 1, 2, 3 ORDER BY min(coalesce(heads.judging, 0)), min(heads.id)`,
    sample,
  );
  // The same model with another detector is the same opinion.
  const models = new Map<string, ModelOpinions>();
  for (const { analyser: text, state, modelClass, n, decided } of rows) {
    const analyser = JSON.parse(text) as Described;
    const of = models.get(analyser.model) ?? { analyser, heads: 0, decided: 0, said: [] };
    of.heads += n;
    of.decided += decided;
    of.said.push({ state, modelClass, heads: n });
    models.set(analyser.model, of);
  }
  return [...models.values()];
}

/** Descriptions of everything that judged heads of the sample, former opinions included. */
export function judgedWith(db: Database, sample: number): Described[] {
  return db
    .all<{ analyser: string }>("SELECT analyser FROM judgings WHERE sample = ? AND state = 'done' ORDER BY id", sample)
    .map(({ analyser }) => JSON.parse(analyser));
}

interface OpinionRow {
  head: number;
  judging: number | null;
  analyser: string;
  at: string;
  state: Head["state"];
  reason: Head["reason"];
  agreement: number;
  probabilities: string;
  model_class: string | null;
}

const asOpinion = (row: OpinionRow): HeadOpinion => ({
  analyser: JSON.parse(row.analyser),
  judging: row.judging,
  at: row.at,
  state: row.state,
  reason: row.reason,
  agreement: row.agreement,
  probabilities: JSON.parse(row.probabilities),
  modelClass: row.model_class,
});

const columns = (table: string) =>
  `heads.id AS head, ${table}.judging, ${ANALYSER} AS analyser, coalesce(judgings.finished, analysed) AS at, ${table}.state,
   ${table}.reason, ${table}.agreement, ${table}.probabilities, ${table}.model_class`;

/** What was said of a head, the oldest first; the last one holds. */
export function opinionsOn(db: Database, head: number): HeadOpinion[] {
  const former = db.all<OpinionRow>(
    `SELECT ${columns("former")} FROM former_opinions AS former JOIN heads ON heads.id = former.head
     JOIN images ON images.id = image LEFT JOIN judgings ON judgings.id = former.judging
     WHERE former.head = ? ORDER BY coalesce(former.judging, 0)`,
    head,
  );
  const now = db.all<OpinionRow>(
    `SELECT ${columns("heads")} FROM heads ${WITH_JUDGING} WHERE heads.id = ? AND ${JUDGED}`,
    head,
  );
  return [...former, ...now].map(asOpinion);
}

/** What models said of the sample's heads before these were judged again, by head. */
export function formerOpinions(db: Database, sample: number): (HeadOpinion & { head: number })[] {
  return db
    .all<OpinionRow>(
      `SELECT ${columns("former")} FROM former_opinions AS former JOIN heads ON heads.id = former.head
       JOIN images ON images.id = image LEFT JOIN judgings ON judgings.id = former.judging
       WHERE images.sample = ? AND withdrawn = 0 ORDER BY former.head, coalesce(former.judging, 0)`,
      sample,
    )
    .map((row) => ({ ...asOpinion(row), head: row.head }));
}

/** How many heads got an opinion in a judging, and a sum over all that was said, for the log. */
export function opinionsSum(db: Database, judging: number): { heads: number; opinions: string } {
  const rows = db.all(
    `SELECT id AS head, state, reason, agreement, probabilities, model_class FROM heads WHERE judging = ?1
     UNION ALL SELECT head, state, reason, agreement, probabilities, model_class FROM former_opinions WHERE judging = ?1
     ORDER BY head`,
    judging,
  );
  return { heads: rows.length, opinions: hashOf(rows) };
}

/** Heads that carry an older opinion than one that is kept as former: of these none is left by the program. */
export function misplacedOpinions(db: Database): number[] {
  return db
    .all<{ head: number }>(
      `SELECT DISTINCT former.head FROM former_opinions AS former JOIN heads ON heads.id = former.head
       WHERE coalesce(heads.judging, 0) <= coalesce(former.judging, 0)`,
    )
    .map(({ head }) => head);
}
