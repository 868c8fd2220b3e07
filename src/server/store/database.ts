/**
 * The database file: opened, brought up to date after a backup, and asked with prepared statements. One process holds
 * it (the lock of the data folder). What is committed is on the disk: WAL with synchronous=FULL.
 */
import { existsSync, mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { AndroscopeError, isAndroscopeError } from "../../runs/index.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";

/**
 * Kibibytes of the file that are kept in memory. SQLite's own 2 MiB hold a part of a sample of 2000 heads (13 MB), and
 * every question about the whole of it would read the file anew: twice as long, while decisions wait.
 */
const CACHE_KIB = 65_536;

/** "ASCP": so that another program's database is not taken for ours. */
const APPLICATION_ID = 0x41534350;

export type Row = Record<string, null | number | bigint | string | Uint8Array>;

export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  get<T = Row>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#prepared(sql).get(...values) as T | undefined;
  }

  all<T = Row>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#prepared(sql).all(...values) as T[];
  }

  /** @returns the row's id of an insert */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).lastInsertRowid);
  }

  /** All of it or nothing; on the disk when this returns. Never waits in between: nobody else's statement gets in. */
  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

/**
 * Opens the database, making it where there is none.
 * @param migrations for tests: those of this version and later ones
 * @throws `store/newer`, `store/damaged`
 */
export async function openDatabase(path: string, migrations: readonly Migration[] = MIGRATIONS): Promise<Database> {
  const isNew = !existsSync(path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: 5000 });
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
    db.exec(`PRAGMA cache_size = -${CACHE_KIB};`);
    await migrate(db, path, migrations, isNew);
    return new Database(db);
  } catch (error) {
    db?.close();
    if (isAndroscopeError(error)) throw error;
    throw damaged(path, (error as Error).message, error);
  }
}

/** Opens a database to read it only, without bringing it up to date. @throws `store/*` */
export function openToRead(path: string): Database {
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    const version = numberOf(db, "user_version");
    if (numberOf(db, "application_id") !== APPLICATION_ID) throw damaged(path, "another program's database");
    if (version !== MIGRATIONS.length) throw newer(path, version, MIGRATIONS.length);
    return new Database(db);
  } catch (error) {
    throw isAndroscopeError(error) ? error : damaged(path, (error as Error).message, error);
  }
}

async function migrate(
  db: DatabaseSync,
  path: string,
  migrations: readonly Migration[],
  isNew: boolean,
): Promise<void> {
  const version = numberOf(db, "user_version");
  // A start that was killed before its first commit leaves a file without tables: as good as none.
  const empty = isNew || (version === 0 && numberOf(db, "schema_version") === 0);
  if (!empty && numberOf(db, "application_id") !== APPLICATION_ID) throw damaged(path, "another program's database");
  if (version > migrations.length) throw newer(path, version, migrations.length);
  if (version === migrations.length) return;
  if (!empty) await backUp(db, path, version);
  for (const [i, migration] of migrations.entries()) {
    if (i < version) continue;
    db.exec("BEGIN IMMEDIATE");
    try {
      migration(db);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${i + 1};`);
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** A copy of the whole database as it is before a migration: `backups/before-2-20261125T101500Z.db`. */
async function backUp(db: DatabaseSync, path: string, version: number): Promise<void> {
  const folder = join(dirname(path), "backups");
  mkdirSync(folder, { recursive: true });
  const stamp = new Date().toISOString().replace(/[-:.]/g, "");
  const copy = join(folder, `before-${version + 1}-${stamp}.db`);
  db.prepare("VACUUM INTO ?").run(copy);
  const handle = await open(copy, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const numberOf = (db: DatabaseSync, pragma: string) =>
  Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() as Row)[0]);

function newer(where: string, version: number, ours: number): AndroscopeError {
  return new AndroscopeError("store/newer", {
    expected: `a database of version ${ours}`,
    found: `version ${version}`,
    where,
    fix: version > ours ? "Update Androscope." : "Open it once with androscope app, which brings it up to date.",
  });
}

function damaged(where: string, found: string, cause?: unknown): AndroscopeError {
  return new AndroscopeError("store/damaged", {
    expected: "a database of androscope app",
    found,
    where,
    fix: "Name another folder with --data, or restore the database from backups/.",
    cause,
  });
}
