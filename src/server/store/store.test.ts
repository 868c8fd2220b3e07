/** The store itself: what tampering shows, what migrations keep, and what follows from any sequence of acts. */
import { randomUUID } from "node:crypto";
import { chmod, cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { CLASSES, type Client, photograph, type TestApp, temporaryFolder, testApp } from "../testing/support.ts";
import { openDatabase } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import { verifyFolder } from "./verify.ts";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

interface Reviewed {
  folder: string;
  sample: number;
  heads: number[];
  hash: string;
}

let first: Promise<Reviewed> | undefined;
/** A folder of its own with a dozen acts of every kind in it, closed. */
async function reviewed(): Promise<Reviewed> {
  const one = await (first ??= reviewOnce());
  const folder = await temporaryFolder();
  folders.push(folder);
  await cp(one.folder, folder, { recursive: true });
  return { ...one, folder };
}

async function reviewOnce(): Promise<Reviewed> {
  const app = await testApp();
  folders.push(app.folder);
  const { client } = app;
  const reader = await client.newReader("Ann");
  const sample = await client.newSample(reader);
  await client.upload(sample, "field", { "a.png": await photograph(4, 1) });
  await client.analysed(sample);
  const heads = (await client.heads(sample, reader)).map(({ id }) => id);
  for (const id of heads) await client.decide(reader, id, "Normal");
  const act = () => ({ id: randomUUID(), reader });
  await client.call("undo", { body: { ...act(), sample } });
  await client.call("settle", { body: { ...act(), head: heads[0]!, value: { kind: "class", class: "Tapered" } } });
  const outline: [number, number][] = [
    [50, 50],
    [60, 50],
    [60, 55],
  ];
  await client.call("changeOutline", { params: { head: heads[1]! }, body: { ...act(), outline } });
  const image = (await client.call("listImages", { params: { sample } })).images[0]!.id;
  await client.call("addHead", { params: { image }, body: { ...act(), outline } });
  const body = { ...act(), umPerPx: 0.1, method: "other" as const, detail: "" };
  await client.call("calibrate", { params: { sample }, body });
  const { log } = await client.call("report", { params: { sample }, query: { reader } });
  await app.close();
  return { folder: app.folder, sample, heads, hash: log.hash };
}

describe("verify", () => {
  /** What somebody with the file could do, past the program's own triggers. */
  async function tampered(sql: string): Promise<Awaited<ReturnType<typeof verifyFolder>>> {
    const { folder } = await reviewed();
    const db = new DatabaseSync(join(folder, "androscope.db"));
    db.exec("DROP TRIGGER log_no_update; DROP TRIGGER log_no_delete; PRAGMA foreign_keys = OFF;");
    db.exec(sql);
    db.close();
    return verifyFolder(folder);
  }

  test("finds nothing where nothing was done", async () => {
    const { folder, hash } = await reviewed();
    expect(await verifyFolder(folder, hash)).toEqual({ intact: true, rows: 12, hash, originals: 1, faults: [] });
  });

  // Row 1 makes the sample, 2 is the analysis, 3 the reading, 4 to 7 the decisions.
  test.each([
    ["a decision's value", `UPDATE log SET new = replace(new, 'Normal', 'Tapered') WHERE seq = 5`, 5],
    ["its time", `UPDATE log SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 6`, 6],
    ["its reader", `UPDATE log SET reader_name = 'Ben' WHERE seq = 4`, 4],
    ["its reason", `UPDATE log SET reason = 'other' WHERE seq = 7`, 7],
    ["a hash", `UPDATE log SET hash = substr(hash, 1, 63) || 'x' WHERE seq = 8`, 8],
    ["a row taken away", `DELETE FROM log WHERE seq = 5`, 5],
    [
      "two rows exchanged",
      `UPDATE log SET seq = -1 WHERE seq = 5; UPDATE log SET seq = 5 WHERE seq = 6; UPDATE log SET seq = 6 WHERE seq = -1`,
      5,
    ],
  ])("names the row where %s was changed", async (_, sql, seq) => {
    const { intact, faults } = await tampered(sql);
    expect(intact).toBe(false);
    expect(faults[0]!.where).toBe(`log row ${seq}`);
  });

  test.each([
    [
      "a current decision",
      `UPDATE decisions SET value = '{"kind":"class","class":"Amorphous"}' WHERE head = 2`,
      "decisions, head 2 reader 1",
    ],
    ["a decision taken away", "DELETE FROM decisions WHERE head = 2", "decisions, head 2 reader 1"],
    ["the consensus", "UPDATE consensus SET value = NULL", "consensus, head 1"],
    ["an outline", "UPDATE heads SET outline = '[[0,0],[1,0],[1,1]]' WHERE id = 3", "outlines, head 3"],
    ["what the model said", "UPDATE heads SET model_class = 'Normal' WHERE id = 2", "analyses, image 1"],
    ["a head that was added", "UPDATE heads SET first_measures = '{}' WHERE id = 5", "added, head 5"],
    ["the calibration", "UPDATE samples SET um_per_px = 0.2", "calibrations, sample 1"],
    ["a reader's role", "UPDATE readings SET role = 'blind'", "readings, sample 1 reader 1"],
  ])("names %s that does not follow from the log", async (_, sql, where) => {
    const { intact, faults } = await tampered(sql);
    expect(intact).toBe(false);
    expect(faults.map((fault) => fault.where)).toContain(where);
  });

  test("misses rows taken away at the end only where no hash was kept", async () => {
    const { folder, hash } = await reviewed();
    const db = new DatabaseSync(join(folder, "androscope.db"));
    // The calibration was the last act.
    db.exec(
      "DROP TRIGGER log_no_delete; DELETE FROM log WHERE seq = 12; UPDATE samples SET um_per_px = NULL, calibration = NULL",
    );
    db.close();
    expect((await verifyFolder(folder)).intact).toBe(true);
    expect((await verifyFolder(folder, hash)).faults).toMatchObject([{ where: "log" }]);
  });

  test("names an original that was changed or is missing", async () => {
    const { folder } = await reviewed();
    const originals = join(folder, "originals");
    const name = (await readdir(originals, { recursive: true })).find((path) => path.length > 60)!;
    const bytes = await readFile(join(originals, name));
    await chmod(join(originals, name), 0o600);
    bytes[500]! ^= 1;
    await writeFile(join(originals, name), bytes);
    expect((await verifyFolder(folder)).faults).toMatchObject([{ problem: "the file is not what it was" }]);
    await rm(join(originals, name));
    expect((await verifyFolder(folder)).faults).toMatchObject([{ problem: "the file is missing" }]);
  });

  test("the log cannot be changed through the program's own tables", async () => {
    const { folder } = await reviewed();
    const db = await openDatabase(join(folder, "androscope.db"));
    expect(() => db.run("UPDATE log SET reason = 'x'")).toThrow("only grows");
    expect(() => db.run("DELETE FROM log")).toThrow("only grows");
    db.close();
  });
});

describe("migrations", () => {
  const later = (db: DatabaseSync) => db.exec("ALTER TABLE samples ADD COLUMN species TEXT NOT NULL DEFAULT 'human'");

  test("run once, after a backup that holds all that was there", async () => {
    const { folder, hash } = await reviewed();
    const path = join(folder, "androscope.db");
    (await openDatabase(path, [...MIGRATIONS, later])).close();
    const [name, ...more] = await readdir(join(folder, "backups"));
    expect(more).toEqual([]);
    expect(name).toMatch(new RegExp(`^before-${MIGRATIONS.length + 1}-\\d{8}T\\d{9}Z\\.db$`));
    const copy = new DatabaseSync(join(folder, "backups", name!), { readOnly: true });
    expect(copy.prepare("SELECT hash FROM log ORDER BY seq DESC").get()).toEqual({ hash });
    expect(copy.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(copy.prepare("PRAGMA user_version").get()).toEqual({ user_version: MIGRATIONS.length });
    copy.close();
    const now = await openDatabase(path, [...MIGRATIONS, later]);
    expect(now.get("SELECT species FROM samples")).toEqual({ species: "human" });
    now.close();
    expect(await readdir(join(folder, "backups"))).toHaveLength(1);
    // This version does not know what the later one made of it.
    await expect(openDatabase(path)).rejects.toMatchObject({ code: "store/newer" });
    await expect(verifyFolder(folder)).rejects.toMatchObject({ code: "store/newer" });
  });

  const TABLES = ["readers", "samples", "images", "heads", "readings", "decisions", "consensus", "log"];
  test.each([
    [1, TABLES],
    [2, [...TABLES, "learnings", "held_out"]],
  ])("from version %i on, every act and its place in the chain stay", async (version, tables) => {
    const { folder, hash } = await reviewed();
    const path = join(folder, "androscope.db");
    const old = join(folder, "old.db");
    (await openDatabase(old, MIGRATIONS.slice(0, version))).close();
    const copy = new DatabaseSync(old);
    copy.prepare("ATTACH ? AS now").run(path);
    copy.exec("PRAGMA foreign_keys = OFF");
    for (const table of tables) {
      const columns = copy
        .prepare(`SELECT name FROM pragma_table_info('${table}', 'main')`)
        .all()
        .map(({ name }) => name);
      copy.exec(`INSERT INTO main.${table} SELECT ${columns.join()} FROM now.${table}`);
    }
    const rows = copy.prepare("SELECT * FROM main.log ORDER BY seq").all();
    expect(rows.some(({ undoes }) => undoes !== null)).toBe(true);
    copy.close();
    for (const end of ["", "-wal", "-shm"]) await rm(`${path}${end}`, { force: true });
    await rename(old, path);

    const db = await openDatabase(path);
    const [backup] = await readdir(join(folder, "backups"));
    expect(backup).toMatch(new RegExp(`^before-${version + 1}-`));
    expect(db.all("SELECT judging FROM heads GROUP BY judging").map((row) => ({ ...row }))).toEqual([
      { judging: null },
    ]);
    expect(db.all("SELECT * FROM log ORDER BY seq").map((row) => ({ ...row }))).toEqual(
      rows.map((row) => ({ ...row })),
    );
    expect(db.all("PRAGMA foreign_key_check")).toEqual([]);
    expect(() => db.run("UPDATE log SET reason = 'x'")).toThrow("only grows");
    expect(() => db.run("DELETE FROM log")).toThrow("only grows");
    // A row still cannot take back one that does not exist, nor one twice.
    const { undoes } = rows.find((row) => row.undoes !== null)!;
    for (const wrong of [undoes!, 10_000])
      expect(() =>
        db.run(
          `INSERT INTO log (seq, at, act, request, action, old, new, reason, undoes, hash)
           VALUES (9999, '', 'x', '', 'model', '', '', '', ?, '')`,
          wrong,
        ),
      ).toThrow("constraint");
    db.close();
    expect(await verifyFolder(folder)).toMatchObject({ intact: true, hash });
  });

  test("that fail change nothing", async () => {
    const { folder } = await reviewed();
    const path = join(folder, "androscope.db");
    const broken = (db: DatabaseSync) => {
      later(db);
      db.exec("INSERT INTO nowhere VALUES (1)");
    };
    await expect(openDatabase(path, [...MIGRATIONS, broken])).rejects.toMatchObject({ code: "store/damaged" });
    expect((await verifyFolder(folder)).intact).toBe(true);
    const db = await openDatabase(path);
    expect(() => db.get("SELECT species FROM samples")).toThrow("species");
    db.close();
  });

  test("other files are not taken for ours", async () => {
    const folder = await temporaryFolder();
    folders.push(folder);
    const path = join(folder, "androscope.db");
    await writeFile(path, "no database at all, but long enough to be looked at".repeat(100));
    await expect(openDatabase(path)).rejects.toMatchObject({ code: "store/damaged" });
    await rm(path);
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE mine (x)");
    other.close();
    await expect(openDatabase(path)).rejects.toMatchObject({ code: "store/damaged" });
  });
});

/** An act on one of few heads; small numbers, so that acts meet. */
const acts = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("decide" as const),
      reader: fc.nat(1),
      head: fc.nat(2),
      value: fc.option(fc.constantFrom(...CLASSES, "cut", "no-head")),
      again: fc.boolean(),
    }),
    fc.record({ do: fc.constant("undo" as const), reader: fc.nat(1) }),
  ),
  { maxLength: 30 },
);

test("after any acts and retries what stands is what a simple history says, and the log fits", async () => {
  const app: TestApp = await testApp();
  folders.push(app.folder);
  const { client } = app;
  const readers = [await client.newReader("Ann"), await client.newReader("Ben")];
  let seed = 10;
  await fc.assert(
    fc.asyncProperty(acts, async (list) => {
      const sample = await client.newSample(readers[0]!);
      await client.upload(sample, "field", { "a.png": await photograph(3, ++seed) });
      await client.analysed(sample);
      const heads = (await client.heads(sample, readers[0]!)).map(({ id }) => id);
      // Each reader's own stack: what a head had before each act that still holds.
      const history: { head: number; before: string | null }[][] = [[], []];
      const now = readers.map(() => heads.map((): string | null => null));
      for (const one of list) {
        const own = history[one.reader]!;
        if (one.do === "decide") {
          const id = randomUUID();
          for (let i = 0; i < (one.again ? 2 : 1); i++) {
            await client.decide(readers[one.reader]!, heads[one.head]!, one.value, id);
          }
          own.push({ head: one.head, before: now[one.reader]![one.head]! });
          now[one.reader]![one.head] = one.value;
        } else {
          const body = { id: randomUUID(), reader: readers[one.reader]!, sample };
          const last = own.pop();
          if (!last) expect(await client.refused("undo", { body })).toMatchObject({ code: "review/nothing-to-undo" });
          else {
            await client.call("undo", { body });
            now[one.reader]![last.head] = last.before;
          }
        }
      }
      expect(await standing(client, sample, readers)).toEqual(now);
      const differ = heads.filter((_, i) => now[0]![i] && now[1]![i] && now[0]![i] !== now[1]![i]).length;
      for (const reader of readers) {
        const count = await client.call("countDisagreements", { params: { sample }, query: { reader } });
        expect(count).toEqual({ open: differ, settled: 0 });
      }
    }),
    { numRuns: 15, seed: 5 },
  );
  await app.close();
  expect(await verifyFolder(app.folder)).toMatchObject({ intact: true });
}, 120_000);

async function standing(client: Client, sample: number, readers: readonly number[]) {
  return Promise.all(
    readers.map(async (reader) =>
      (await client.heads(sample, reader)).map(({ decision }) => {
        if (!decision) return null;
        return decision.value.kind === "class" ? decision.value.class : decision.value.why;
      }),
    ),
  );
}
