/** biome.directions.jsonc against every pair of rooms: what may be imported passes, what may not fails. */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** From top to bottom; an import may only point down. */
const ROOMS = [
  "cli",
  "server",
  "jobs",
  "fields",
  "evaluation",
  "reports",
  "learning",
  "heads",
  "datasets",
  "imaging",
  "autodiff",
  "runs",
];
/** These import nothing from other rooms. */
const ALONE = ["autodiff", "runs"];

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "androscope-directions-"));
  for (const name of ["biome.json", "biome.directions.jsonc"]) await copyFile(join(ROOT, name), join(folder, name));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Lints files, each with one import, under the project's own rules. @returns those in which the import is refused */
async function refused(files: Record<string, string>): Promise<string[]> {
  await rm(join(folder, "src"), { recursive: true, force: true });
  for (const [path, line] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), `${line}\n`);
  }
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const options = ["--only=style/noRestrictedImports", "--reporter=github", "--max-diagnostics=none"];
  const { stdout, stderr, status } = spawnSync(process.execPath, [biome, "lint", ...options, "src"], {
    cwd: folder,
    encoding: "utf8",
  });
  const found = [...stdout.matchAll(/^::error title=lint\/style\/noRestrictedImports,file=([^,]+),/gm)];
  expect(status, stderr).toBe(found.length > 0 ? 1 : 0);
  return [...new Set(found.map((match) => match[1]!))].sort();
}

test("an import may only point down, and autodiff and runs import from no room", async () => {
  const files: Record<string, string> = {};
  const forbidden: string[] = [];
  for (const [i, from] of ROOMS.entries()) {
    for (const [j, to] of ROOMS.entries()) {
      if (i === j) continue;
      const paths = { [`src/${from}/${to}.ts`]: "..", [`src/${from}/deeper/${to}.ts`]: "../.." };
      for (const [path, up] of Object.entries(paths)) {
        files[path] = `export * from "${up}/${to}/index.ts";`;
        if (j < i || ALONE.includes(from)) forbidden.push(path);
      }
    }
  }
  expect(Object.keys(files)).toHaveLength(2 * 12 * 11);
  expect(await refused(files)).toEqual(forbidden.sort());
});

test("another room is entered through its index.ts only", async () => {
  const files: Record<string, string> = {};
  for (const [i, from] of ROOMS.entries()) {
    for (const to of ROOMS.slice(i + 1)) {
      files[`src/${from}/${to}.ts`] = `import "../${to}/thing.ts";`;
      files[`src/${from}/${to}-inner.ts`] = `import "../${to}/inner/index.ts";`;
    }
  }
  files["src/index.ts"] = 'import "./heads/pose.ts";';
  expect(await refused(files)).toEqual(Object.keys(files).sort());
});

test("every way to import is seen, types too, and a room does not enter itself through its own door", async () => {
  const files = {
    "src/heads/a.ts": 'import { train } from "../learning/index.ts";',
    "src/heads/b.ts": 'import type { Config } from "../learning/index.ts";',
    "src/heads/c.ts": 'export type { Config } from "../learning/index.ts";',
    "src/heads/d.ts": 'export const load = () => import("../learning/index.ts");',
    "src/heads/e.ts": 'import { pose } from "../index.ts";',
    "src/heads/inner/f.ts": 'import { pose } from "../index.ts";',
  };
  expect(await refused(files)).toEqual(Object.keys(files));
});

test("what is free: a room's own files, packages, the package's door, tests", async () => {
  const files = {
    "src/heads/pose.ts": 'import "./parts.ts";',
    "src/heads/inner/pose.ts": 'import "../parts.ts";',
    "src/heads/packages.ts": 'import "zod";',
    "src/heads/pose.test.ts": 'import "../learning/fold.ts";',
    "src/autodiff/gradients.test.ts": 'import "../runs/index.ts";',
    "src/index.ts": 'import "./cli/index.ts";',
    "tests/pose.test.ts": 'import "../src/heads/pose.ts";',
  };
  expect(await refused(files)).toEqual([]);
});

test("every folder of src is a room of the list, and npm run check lints them", async () => {
  const entries = await readdir(join(ROOT, "src"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(ROOMS).toEqual(expect.arrayContaining(folders));
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  expect(scripts.check).toMatch(/biome check \./);
});
