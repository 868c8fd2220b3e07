/** The command itself: help, --json, exit status, and that it works from anywhere. */
import { mkdir, readFile, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ERROR_CODES } from "../src/index.ts";
import { androscope, BIN, failure, json, shell, TINY, temporary, twoClasses } from "./support.ts";

const COMMANDS = [
  "app",
  "crossval",
  "data",
  "demo",
  "doctor",
  "field",
  "masks",
  "predict",
  "report",
  "robustness",
  "study",
  "train",
];

let root = "";
let out = "";
let model = "";
beforeAll(async () => {
  [root, out] = [await twoClasses(2), await temporary()];
  model = json(await androscope(["train", root, "--out", join(out, "train"), "--json", ...TINY])).model;
});

describe("help", () => {
  test("lists every command, with what --json and the exit status mean", async () => {
    const { status, stdout, stderr } = await androscope(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const listed = [...stdout.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name);
    expect(listed).toEqual(expect.arrayContaining(COMMANDS));
    for (const word of ["--json", "Exit status", "Research use only"]) expect(stdout).toContain(word);
  });

  test("of every command has an example that is its own, and needs no arguments", async () => {
    const listed = (await androscope(["--help"])).stdout.matchAll(/^ {2}(\w+) {2,}\S/gm);
    for (const [, name] of listed) {
      const { status, stdout, stderr } = await androscope([name!, "--help"]);
      expect({ name, status, stderr }).toEqual({ name, status: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`^androscope ${name} `));
      expect(stdout).toMatch(new RegExp(`Example:\n {2}androscope ${name}( |\n)`));
      for (const word of ["--json", "--help", "Exit status", "Research use only"]) expect(stdout).toContain(word);
    }
  });

  test("without a command it is wrong use", async () => {
    expect(await androscope([])).toMatchObject({ status: 2, stdout: expect.stringContaining("androscope <command>") });
  });

  test("--version is that of the package", async () => {
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
    expect((await androscope(["--version"])).stdout).toBe(`${version}\n`);
    expect(json(await androscope(["--version", "--json"]))).toEqual({ version });
  });
});

describe("wrong use", () => {
  test("an unknown command: a hint, exit 2, nothing on stdout", async () => {
    const { status, stdout, stderr } = await androscope(["crosval", root]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Did you mean androscope crossval?");
    expect(stderr).toContain("[usage/unknown-command]");
    failure(await androscope(["__proto__", "--json"]), "usage/unknown-command");
    failure(await androscope(["--json", "constructor"]), "usage/unknown-command");
  });

  test("an unknown option, a missing one, a missing or superfluous argument", async () => {
    expect(failure(await androscope(["train", root, "--outt=x", "--json"]), "usage/unknown-option").fix).toContain(
      "--out",
    );
    expect(failure(await androscope(["train", root, "--json"]), "usage/missing-argument").expected).toBe("--out RUN");
    failure(await androscope(["train", "--out", "x", "--json"]), "usage/missing-argument");
    failure(await androscope(["train", root, root, "--out", "x", "--json"]), "usage/bad-value");
    failure(await androscope(["predict", "--model", model, "--json"]), "usage/missing-argument");
    failure(await androscope(["masks", root, "--json"]), "usage/missing-argument");
  });

  test("every code that the program may give is in the catalogue with a meaning", () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[a-z]+\/[a-z-]+$/);
      expect(meaning).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe("--json", () => {
  /** Every command once; crossval and train have others that look closer. */
  test.each<[string, (folder: string) => string[], string[]]>([
    ["data", () => ["data", root], ["images", "classes", "hash"]],
    [
      "data manifest",
      (folder) => ["data", "manifest", root, "--out", join(root, `${folder.length}.csv`)],
      ["manifest"],
    ],
    ["data phantoms", (folder) => ["data", "phantoms", "--n=1", "--out", join(folder, "p")], ["root", "images"]],
    ["masks", (folder) => ["masks", root, "--out", folder], ["out", "masks", "problems"]],
    ["predict", () => ["predict", "--model", model, root], ["model", "classes", "predictions", "problems"]],
    ["doctor", () => ["doctor"], ["version", "healthy", "checks", "environment"]],
  ])("of %s is one document; progress and remarks go to stderr", async (_, args, keys) => {
    const document = json(await androscope([...args(await temporary()), "--json"]));
    expect(Object.keys(document)).toEqual(expect.arrayContaining(keys));
  });

  test("of crossval and report", async () => {
    const run = join(out, "crossval");
    const result = json(await androscope(["crossval", root, "--k=2", "--out", run, "--json", ...TINY]));
    expect(result).toMatchObject({ count: 4, seed: 1, folds: [{ name: "1" }, { name: "2" }] });
    expect(result).toEqual(JSON.parse(await readFile(join(run, "metrics.json"), "utf8")));
    const report = join(out, "again.html");
    expect(json(await androscope(["report", run, "--out", report, "--json"]))).toEqual({ report });
    expect(await readFile(report, "utf8")).toBe(await readFile(join(run, "report.html"), "utf8"));
  });

  // Run to its end it takes minutes: npm start does that.
  test("of demo, as far as its arguments", async () => {
    const run = join(out, "demo");
    for (const option of ["--count=9", "--seed=-1", "--threads=0"]) {
      failure(await androscope(["demo", option, "--out", run, "--json"]), "usage/bad-value");
    }
  });
});

describe("from anywhere", () => {
  test("any working directory, paths relative to it, and through a link", async () => {
    const away = join(await temporary(), "a folder with spaces & ünïcode");
    await mkdir(away);
    const link = join(away, "androscope");
    await symlink(BIN, link);
    await symlink(root, join(away, "crops"));
    const outlined = await androscope(["masks", "crops", "--out", "masks", "--json"], { cwd: away, bin: link });
    expect(json(outlined)).toMatchObject({ out: "masks", masks: { length: 4 } });
    expect(json(outlined).masks[0].path).toBe("crops/Round/0.png");
    const chain = await shell(
      `ln -s androscope "$PWD/second" && PATH="$PWD:$PATH" second --version`,
      await realpath(away),
    );
    expect(chain).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test("a reader that goes away ends it quietly", async () => {
    const { status, stderr } = await shell(`"$BIN" --help | head -n 1 >/dev/null; exit "\${PIPESTATUS[0]}"`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

test("doctor finds this machine fit", async () => {
  const { status, stdout } = await androscope(["doctor"]);
  expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/ok {3}ONNX Runtime: \d/) });
  expect(stdout).not.toContain("FAIL");
});
