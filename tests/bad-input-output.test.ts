/** Output that cannot be written: no place, no permission, no room, or another run in it. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  androscope,
  failure,
  json,
  type Outcome,
  shell,
  TINY,
  temporary,
  tinyModel,
  twoClasses,
  write,
} from "./support.ts";

let root = "";
let out = "";
let model = "";
beforeAll(async () => {
  [root, out, model] = [await twoClasses(2), await temporary(), await tinyModel()];
});

/** A namespace of its own in which even an ordinary user may mount; not every machine lets one. */
const mayMount = (() => {
  try {
    execFileSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** Every command that writes, with its output in `folder`. */
const writers = (folder: string) => [
  ["train", root, "--out", join(folder, "train"), ...TINY],
  ["crossval", root, "--k=2", "--out", join(folder, "crossval"), ...TINY],
  ["masks", root, "--out", join(folder, "masks")],
  ["predict", root, "--model", model, "--out", join(folder, "p.csv")],
  ["data", "manifest", root, "--out", join(folder, "m.csv")],
  ["data", "phantoms", "--n=1", "--out", join(folder, "phantoms")],
];

describe("a place that cannot be written to", () => {
  test("below a regular file", async () => {
    await write(out, { file: "mine" });
    for (const args of writers(join(out, "file"))) {
      // Its paths lead down from where it lies: it is judged before it is written.
      if (args[1] === "manifest") continue;
      expect(failure(await androscope([...args, "--json"]), "file/not-writable").found).toContain("file");
    }
    expect(await readFile(join(out, "file"), "utf8")).toBe("mine");
  });

  test.runIf(existsSync("/proc/self"))(
    "below /proc, where nothing can be made (skipped where there is none)",
    async () => {
      for (const args of writers("/proc/androscope").slice(0, 2)) {
        failure(await androscope([...args, "--json"]), "file/not-writable");
      }
    },
  );

  test("predict says so before it works; a pipe is written to, not replaced", async () => {
    const folder = await temporary();
    const predict = `"$BIN" predict "${root}" --model "${model}" --out`;
    const early = await shell(`${predict} "${folder}" --json`);
    expect(failure(early, "file/not-writable").found).toContain("a folder");
    expect(early.stderr).not.toContain("Classifying");
    const piped = await shell(`mkfifo pipe && { cat pipe & ${predict} pipe >/dev/null; wait; }; test -p pipe`, folder);
    expect(piped.status).toBe(0);
    expect(piped.stdout).toMatch(/^path,class,/);
  });

  test.skipIf(!mayMount)("a read-only disk (skipped where nothing may be mounted)", async () => {
    const outcome = await shell(
      `mkdir -p ro && exec unshare -rm bash -c 'mount -t tmpfs -o ro none ro && exec "$BIN" masks "${root}" --out ro/masks --json'`,
      out,
    );
    expect(failure(outcome, "file/not-writable").found).toContain("EROFS");
  });
});

describe("a full disk", () => {
  /** Runs lines of shell in which `./full` is a disk of 150 kB; `try NAME …` keeps what a command printed. */
  async function onSmallDisk(folder: string, lines: readonly string[]): Promise<(name: string) => Promise<Outcome>> {
    const script = [
      'try() { name="$1"; shift; "$@" >"$name.out" 2>"$name.err"; echo $? >"$name.status"; }',
      "mkdir full && mount -t tmpfs -o size=150k none full || exit 9",
      ...lines,
    ].join("\n");
    await write(folder, { "script.sh": script });
    expect(await shell("exec unshare -rm bash script.sh", folder)).toMatchObject({ status: 0, stderr: "" });
    const kept = (file: string) => readFile(join(folder, file), "utf8");
    return async (name) => ({
      status: Number(await kept(`${name}.status`)),
      stdout: await kept(`${name}.out`),
      stderr: await kept(`${name}.err`),
    });
  }

  test.skipIf(!mayMount)("stops with the way on, and resumes (skipped where nothing may be mounted)", async () => {
    const folder = await temporary();
    const quoted = (args: readonly string[]) => args.map((arg) => `'${arg}'`).join(" ");
    const train = `"$BIN" train ${quoted([root, ...TINY, "--json", "--out"])}`;
    const outcome = await onSmallDisk(folder, [
      `try full ${train} full/run`,
      "cat /dev/zero > full/filler 2>/dev/null",
      `try nothing ${train} full/none`,
      "find full -name '*.part' -o -name lock > parts",
      `try masks "$BIN" masks ${quoted([root, "--json", "--out"])} full/masks`,
      "rm full/filler",
      "mount -o remount,size=50m full",
      `try resumed ${train} full/run --resume`,
      `try undisturbed ${train} other`,
      "cmp full/run/model.onnx other/model.onnx",
    ]);
    const { fix, where } = failure(await outcome("full"), "file/disk-full");
    expect(fix).toContain("--resume");
    expect(where).toContain("full/run");
    expect(await readFile(join(folder, "parts"), "utf8")).toBe("");
    failure(await outcome("nothing"), "file/disk-full");
    failure(await outcome("masks"), "file/disk-full");
    expect(json(await outcome("resumed"))).toMatchObject({ images: 4 });
  });

  test("a limit on the size of files", async () => {
    const outcome = await shell(
      `ulimit -f 40; exec "$BIN" train "${root}" --out limited --json ${TINY.map((arg) => `'${arg}'`).join(" ")}`,
      await temporary(),
    );
    expect(failure(outcome, "file/not-writable").found).toContain("EFBIG");
  });
});

describe("a run folder that already exists", () => {
  test("is refused by train and crossval alike, and left as it is", async () => {
    const run = join(out, "exists");
    const train = ["train", root, "--out", run, "--json", ...TINY];
    json(await androscope(train));
    const before = await readFile(join(run, "model.onnx"));
    expect(failure(await androscope(train), "run/exists").fix).toContain("--resume");
    const crossval = ["crossval", root, "--k=2", "--out", run, "--json", ...TINY];
    failure(await androscope(crossval), "run/exists");
    expect(failure(await androscope([...crossval, "--resume"]), "run/different").found).toContain("command");
    expect((await readFile(join(run, "model.onnx"))).equals(before)).toBe(true);
    expect(await readdir(run)).not.toContain("lock");
  });

  test("is taken where it is an empty folder; a file in its place is not", async () => {
    const file = join(await write(await temporary(), { run: "mine" }), "run");
    failure(await androscope(["train", root, "--out", file, "--json", ...TINY]), "file/not-writable");
    json(await androscope(["train", root, "--out", await temporary(), "--json", ...TINY]));
  });
});
