/**
 * The tables, version by version. A migration that was released is never changed: another one follows it. Before the
 * first of them runs on a database that holds something, a backup is made.
 *
 * `log` is the truth about every act. `decisions`, `consensus`, `readings` and the outlines of `heads` hold what follows
 * from it, changed in the same transaction; `androscope app verify` compares them.
 */
import type { DatabaseSync } from "node:sqlite";

export type Migration = (db: DatabaseSync) => void;

const first: Migration = (db) =>
  db.exec(`
    CREATE TABLE readers (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      created TEXT NOT NULL
    ) STRICT;

    CREATE TABLE samples (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL,
      note TEXT NOT NULL,
      created TEXT NOT NULL,
      archived INTEGER NOT NULL DEFAULT 0,
      um_per_px REAL,
      -- JSON as the API gives it
      calibration TEXT
    ) STRICT;

    CREATE TABLE images (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      sample INTEGER NOT NULL REFERENCES samples,
      name TEXT NOT NULL,
      kind TEXT NOT NULL,
      sha256 TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      format TEXT NOT NULL,
      width INTEGER NOT NULL,
      height INTEGER NOT NULL,
      uploaded TEXT NOT NULL,
      state TEXT NOT NULL,
      -- times the analysis was begun: an image that ends the program does not do so for ever
      attempts INTEGER NOT NULL DEFAULT 0,
      error TEXT,
      analysed TEXT,
      seconds REAL,
      analyser TEXT,
      UNIQUE (sample, sha256, kind)
    ) STRICT;
    CREATE INDEX images_state ON images (state);

    CREATE TABLE heads (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      image INTEGER NOT NULL REFERENCES images,
      number INTEGER NOT NULL,
      source TEXT NOT NULL,
      -- an added head that was taken back
      withdrawn INTEGER NOT NULL DEFAULT 0,
      state TEXT NOT NULL,
      reason TEXT,
      score REAL NOT NULL,
      agreement REAL NOT NULL,
      axis_x REAL NOT NULL,
      axis_y REAL NOT NULL,
      centre_x REAL NOT NULL,
      centre_y REAL NOT NULL,
      probabilities TEXT NOT NULL,
      model_class TEXT,
      -- as found or added, and as they are now
      first_outline TEXT NOT NULL,
      first_measures TEXT NOT NULL,
      outline TEXT NOT NULL,
      measures TEXT NOT NULL,
      outline_by TEXT NOT NULL,
      thumb TEXT NOT NULL,
      thumb_x REAL NOT NULL,
      thumb_y REAL NOT NULL,
      thumb_side REAL NOT NULL,
      UNIQUE (image, number)
    ) STRICT;
    CREATE INDEX heads_thumb ON heads (thumb);

    CREATE TABLE readings (
      sample INTEGER NOT NULL REFERENCES samples,
      reader INTEGER NOT NULL REFERENCES readers,
      role TEXT NOT NULL,
      created TEXT NOT NULL,
      PRIMARY KEY (sample, reader)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE decisions (
      head INTEGER NOT NULL REFERENCES heads,
      reader INTEGER NOT NULL REFERENCES readers,
      -- null where it was taken back
      value TEXT,
      reason TEXT NOT NULL,
      at TEXT NOT NULL,
      seq INTEGER NOT NULL,
      -- a blind reader changed it after having seen another's
      after_reveal INTEGER NOT NULL,
      PRIMARY KEY (head, reader)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE consensus (
      head INTEGER PRIMARY KEY REFERENCES heads,
      reader INTEGER NOT NULL REFERENCES readers,
      value TEXT,
      reason TEXT NOT NULL,
      at TEXT NOT NULL,
      seq INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE log (
      seq INTEGER PRIMARY KEY,
      at TEXT NOT NULL,
      act TEXT NOT NULL UNIQUE,
      -- hash of what was asked, to tell a retry from another act under the same id
      request TEXT NOT NULL,
      action TEXT NOT NULL,
      reader INTEGER REFERENCES readers,
      reader_name TEXT,
      sample INTEGER NOT NULL REFERENCES samples,
      head INTEGER REFERENCES heads,
      old TEXT NOT NULL,
      new TEXT NOT NULL,
      reason TEXT NOT NULL,
      undoes INTEGER UNIQUE REFERENCES log,
      hash TEXT NOT NULL
    ) STRICT;
    CREATE INDEX log_sample ON log (sample, reader);
    CREATE INDEX log_head ON log (head);

    -- The log only grows, also for a program that forgets it.
    CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
    CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
  `);

/**
 * Models learned from decisions. Which one judges is an act of no sample, so the log's sample may be missing: the table is
 * made anew with the same rows.
 */
const learnings: Migration = (db) =>
  db.exec(`
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE log_next (
      seq INTEGER PRIMARY KEY,
      at TEXT NOT NULL,
      act TEXT NOT NULL UNIQUE,
      request TEXT NOT NULL,
      action TEXT NOT NULL,
      reader INTEGER REFERENCES readers,
      reader_name TEXT,
      sample INTEGER REFERENCES samples,
      head INTEGER REFERENCES heads,
      old TEXT NOT NULL,
      new TEXT NOT NULL,
      reason TEXT NOT NULL,
      undoes INTEGER UNIQUE REFERENCES log_next,
      hash TEXT NOT NULL
    ) STRICT;
    INSERT INTO log_next SELECT * FROM log;
    DROP TABLE log;
    ALTER TABLE log_next RENAME TO log;
    CREATE INDEX log_sample ON log (sample, reader);
    CREATE INDEX log_head ON log (head);
    CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;
    CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

    -- pixels that a usual head was taken to be long
    ALTER TABLE images ADD COLUMN head_length REAL;

    CREATE TABLE learnings (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      -- of the client: the same one again starts nothing
      act TEXT NOT NULL UNIQUE,
      reader INTEGER NOT NULL REFERENCES readers,
      -- JSON: ids
      samples TEXT NOT NULL,
      begun TEXT NOT NULL,
      state TEXT NOT NULL,
      error TEXT,
      finished TEXT,
      before TEXT NOT NULL,
      model TEXT,
      -- JSON as the API gives it
      result TEXT,
      -- JSON: [head, readers' class, class before, class after] of compared heads whose class changes
      changed TEXT
    ) STRICT;
    -- Which images are for comparing, by their content: one that was compared once is never learned from.
    CREATE TABLE held_out (sha256 TEXT PRIMARY KEY, held INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE model_in_use (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      learning INTEGER REFERENCES learnings
    ) STRICT;
    INSERT INTO model_in_use VALUES (1, NULL);
  `);

/** Heads judged again with another model: what each model said is kept. */
const judgings: Migration = (db) =>
  db.exec(`
    CREATE TABLE judgings (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      -- of the client: the same one again starts nothing
      act TEXT NOT NULL UNIQUE,
      reader INTEGER NOT NULL REFERENCES readers,
      sample INTEGER NOT NULL REFERENCES samples,
      reason TEXT NOT NULL,
      begun TEXT NOT NULL,
      -- JSON: whose opinion heads are to get
      analyser TEXT NOT NULL,
      state TEXT NOT NULL,
      -- times it was begun: one that ends the program does not do so for ever
      attempts INTEGER NOT NULL DEFAULT 0,
      finished TEXT,
      error TEXT,
      -- JSON as the API gives it
      result TEXT
    ) STRICT;
    CREATE INDEX judgings_sample ON judgings (sample);

    -- In which judging a head got what it carries; null: in the analysis of its image.
    ALTER TABLE heads ADD COLUMN judging INTEGER REFERENCES judgings;
    CREATE INDEX heads_judging ON heads (judging);

    -- What heads carried before, and in which judging they had got that.
    CREATE TABLE former_opinions (
      head INTEGER NOT NULL REFERENCES heads,
      judging INTEGER REFERENCES judgings,
      state TEXT NOT NULL,
      reason TEXT,
      agreement REAL NOT NULL,
      probabilities TEXT NOT NULL,
      model_class TEXT
    ) STRICT;
    -- To an index two nulls are different.
    CREATE UNIQUE INDEX former_opinions_head ON former_opinions (head, coalesce(judging, 0));
    CREATE INDEX former_opinions_judging ON former_opinions (judging);
    CREATE TRIGGER former_opinions_no_update BEFORE UPDATE ON former_opinions
      BEGIN SELECT RAISE(ABORT, 'former opinions only grow'); END;
    CREATE TRIGGER former_opinions_no_delete BEFORE DELETE ON former_opinions
      BEGIN SELECT RAISE(ABORT, 'former opinions only grow'); END;
  `);

export const MIGRATIONS: readonly Migration[] = [first, learnings, judgings];
