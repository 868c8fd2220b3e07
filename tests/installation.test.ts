/** The first command installs what is missing, and only that: with an npm that writes down how it was called. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "androscope-installation-"));
  for (const folder of ["scripts", "bin", "node_modules"]) mkdirSync(join(root, folder));
  copyFileSync("scripts/with-node.mjs", join(root, "scripts", "with-node.mjs"));
  writeFileSync(join(root, "package.json"), "{}");
  // Where there is a package `node`, its script brings the program, as npm lets it.
  const brought = `[ ! -d node_modules/node ] || ln -s "${process.execPath}" node_modules/node/bin/node`;
  writeFileSync(join(root, "bin", "npm"), `#!/bin/sh\necho "$1" >> calls\n${brought}\n`, { mode: 0o755 });
  lock("package-lock.json", { "": {}, ...ALL, "node_modules/elsewhere": ELSEWHERE });
});
afterEach(() => rmSync(root, { recursive: true }));

const [A, B] = [{ version: "1.0.0" }, { version: "2.0.0", dev: true }];
const HERE = { version: "3.0.0", optional: true, os: [process.platform], cpu: [process.arch] };
const ELSEWHERE = { ...HERE, os: ["plan9"] };
const ALL = { "node_modules/a": A, "node_modules/b": B, "node_modules/here": HERE };

function lock(file: string, packages: Record<string, object>): void {
  writeFileSync(join(root, file), JSON.stringify({ lockfileVersion: 3, packages }));
}

/** What npm is called with when a program is run twice. */
function installations(): string[] {
  const PATH = `${join(root, "bin")}${delimiter}${process.env.PATH}`;
  for (let time = 0; time < 2; time++) {
    const args = [join(root, "scripts", "with-node.mjs"), "-p", "6 * 7"];
    expect(execFileSync(process.execPath, args, { env: { ...process.env, PATH }, encoding: "utf8" })).toBe("42\n");
  }
  const calls = join(root, "calls");
  return existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
}

test("an empty folder is installed into, once", () => {
  expect(installations()).toEqual(["ci"]);
});

test("what npm ci has installed by hand is not installed again", () => {
  lock("node_modules/.package-lock.json", ALL);
  expect(installations()).toEqual([]);
});

test.each([
  ["a package is missing", { "node_modules/a": A, "node_modules/here": HERE }],
  ["an optional one for this machine is missing", { "node_modules/a": A, "node_modules/b": B }],
  ["a package has another version", { ...ALL, "node_modules/b": { version: "2.0.1" } }],
  ["there is one too many", { ...ALL, "node_modules/c": A }],
])("it is installed where %s", (_, found) => {
  lock("node_modules/.package-lock.json", found);
  expect(installations()).toEqual(["ci"]);
});

test("it is installed where npm ci was told to run no scripts, so that there is no Node in its package", () => {
  lock("node_modules/.package-lock.json", ALL);
  mkdirSync(join(root, "node_modules", "node", "bin"), { recursive: true });
  writeFileSync(join(root, "node_modules", "node", "package.json"), "{}");
  expect(installations()).toEqual(["ci"]);
});

test("it is installed again for another lock file", () => {
  lock("node_modules/.package-lock.json", ALL);
  expect(installations()).toEqual([]);
  lock("package-lock.json", { "": {}, ...ALL, "node_modules/b": { version: "2.1.0" } });
  expect(installations()).toEqual(["ci"]);
});
