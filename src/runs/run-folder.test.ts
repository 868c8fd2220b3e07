import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { openRun } from "./run-folder.ts";

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "androscope-test-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}
const code = (code: string) => expect.objectContaining({ name: "AndroscopeError", code });
const identity = { command: "train", seed: 1, config: { width: 32, tasks: ["mask"] } };

/** Another process that opens the run, says how that went, and holds it until it is told to end. */
function opener(path: string, options = {}): ChildProcess {
  const program = `
    import { openRun } from ${JSON.stringify(new URL("./run-folder.ts", import.meta.url).href)};
    process.stdout.write("ready ");
    process.stdin.once("data", async () => {
      try {
        const run = await openRun(process.argv[1], ${JSON.stringify(identity)}, ${JSON.stringify(options)});
        process.stdout.write("open");
        process.stdin.once("data", () => run.close().then(() => process.exit()));
      } catch (error) {
        process.stdout.write(error.code ?? String(error));
        process.stdin.once("data", () => process.exit());
      }
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}
const said = async (child: ChildProcess) => String((await once(child.stdout!, "data"))[0]);
async function tell(child: ChildProcess): Promise<string> {
  const answer = said(child);
  child.stdin!.write("go");
  return answer;
}

describe("a new run", () => {
  test("makes its folder and writes down what it is; events are lines of JSON", async () => {
    const path = join(await folder(), "deep", "run");
    const run = await openRun(path, identity);
    expect(JSON.parse(await readFile(join(path, "config.json"), "utf8"))).toEqual(identity);
    expect(run.file("checkpoint/state.bin")).toBe(join(path, "checkpoint", "state.bin"));
    const before = Date.now();
    await run.event("started", { version: "1" });
    await run.event("step", { text: "two\nlines" });
    await run.close();
    const lines = (await readFile(join(path, "events.jsonl"), "utf8")).trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { kind: "started", version: "1" },
      { kind: "step", text: "two\nlines" },
    ]);
    for (const { time } of events) expect(Math.abs(Date.parse(time) - before)).toBeLessThan(60_000);
    expect((await readdir(path)).sort()).toEqual(["config.json", "events.jsonl"]);
  });

  test("is not begun over another one", async () => {
    const path = await folder();
    await (await openRun(path, identity)).close();
    await expect(openRun(path, identity)).rejects.toEqual(code("run/exists"));
    await expect(openRun(path, { other: 1 })).rejects.toEqual(code("run/exists"));
    // A refusal holds nothing.
    await (await openRun(path, identity, { resume: true })).close();
  });

  test("may use a folder with other files, and leaves them", async () => {
    const path = await folder();
    await writeFile(join(path, "notes.txt"), "mine");
    await (await openRun(path, identity)).close();
    expect(await readFile(join(path, "notes.txt"), "utf8")).toBe("mine");
  });

  test("not where a file is", async () => {
    const path = join(await folder(), "file");
    await writeFile(path, "");
    await expect(openRun(path, identity)).rejects.toEqual(code("file/not-writable"));
    await expect(openRun(join(path, "run"), identity)).rejects.toEqual(code("file/not-writable"));
  });
});

describe("resuming", () => {
  const resume = { resume: true };

  test("goes on with the same run and begins one that was not begun", async () => {
    const path = join(await folder(), "run");
    const first = await openRun(path, identity, resume);
    await first.event("a");
    await first.close();
    // What JSON does not hold makes no difference.
    const second = await openRun(path, { ...identity, literature: undefined }, resume);
    await second.event("b");
    await second.close();
    const text = await readFile(join(path, "events.jsonl"), "utf8");
    expect(text.trimEnd().split("\n")).toHaveLength(2);
  });

  test("refuses another run and names what differs", async () => {
    const path = await folder();
    await (await openRun(path, identity)).close();
    for (const [other, names] of [
      [{ ...identity, seed: 2 }, ["seed"]],
      [{ ...identity, config: { ...identity.config, width: 64 } }, ["config.width"]],
      [{ ...identity, config: { width: 32, tasks: ["mask", "parts"] } }, ["config.tasks"]],
      [{ ...identity, seed: 3, extra: true }, ["seed", "extra"]],
      [{ command: "train", seed: 1 }, ["config"]],
    ] as const) {
      const refusal = openRun(path, other, resume);
      await expect(refusal).rejects.toEqual(code("run/different"));
      for (const name of names) await expect(refusal).rejects.toMatchObject({ found: expect.stringContaining(name) });
      await expect(refusal).rejects.not.toMatchObject({ found: expect.stringContaining("command") });
    }
    expect(JSON.parse(await readFile(join(path, "config.json"), "utf8"))).toEqual(identity);
    await (await openRun(path, identity, resume)).close();
  });

  test("accepts any identity that is the same as JSON", async () => {
    const path = await folder();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (any) => {
        const own = join(path, `${n++}`);
        await (await openRun(own, any)).close();
        await (await openRun(own, structuredClone(any), resume)).close();
      }),
      { numRuns: 20 },
    );
  });

  test("removes the parts of files that a killed process left, and nothing else", async () => {
    const path = await folder();
    await (await openRun(path, identity)).close();
    await writeFile(join(path, "model.onnx.4711-0a1b2c3d.part"), "half");
    await writeFile(join(path, "model.onnx"), "whole");
    await writeFile(join(path, "my.part"), "mine");
    await (await openRun(path, identity, resume)).close();
    expect((await readdir(path)).sort()).toEqual(["config.json", "model.onnx", "my.part"]);
  });

  test("a damaged configuration is said to be that", async () => {
    const path = await folder();
    await writeFile(join(path, "config.json"), "{");
    await expect(openRun(path, identity, resume)).rejects.toEqual(code("file/unreadable"));
    expect(await readdir(path)).toEqual(["config.json"]);
  });
});

describe("one writer", () => {
  test("the process that has it open keeps all others out until it closes", async () => {
    const path = await folder();
    const run = await openRun(path, identity);
    const child = opener(path, { resume: true });
    await said(child);
    expect(await tell(child)).toBe("run/busy");
    await expect(openRun(path, identity, { resume: true })).rejects.toEqual(code("run/busy"));
    await run.close();
    await (await openRun(path, identity, { resume: true })).close();
  });

  test("two attempts of one process at once: one holds it", async () => {
    const path = await folder();
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => openRun(path, identity, { resume: true })),
    );
    const held = attempts.filter((attempt) => attempt.status === "fulfilled");
    expect(held).toHaveLength(1);
    for (const attempt of attempts) if (attempt.status === "rejected") expect(attempt.reason).toEqual(code("run/busy"));
    await held[0]!.value.close();
    await (await openRun(path, identity, { resume: true })).close();
  });

  test("by another way to the folder it is the same folder", async () => {
    const root = await folder();
    const run = await openRun(join(root, "run"), identity);
    await symlink("run", join(root, "link"));
    await expect(openRun(join(root, "link"), identity, { resume: true })).rejects.toEqual(code("run/busy"));
    await expect(openRun(join(root, "x", "..", "run"), identity, { resume: true })).rejects.toEqual(code("run/busy"));
    await run.close();
  });

  test("of many processes that start together one gets it, on a new folder and on one left by a killed process", async () => {
    const path = await folder();
    for (const round of ["new", "left"]) {
      const children = Array.from({ length: 5 }, () => opener(path, { resume: true }));
      await Promise.all(children.map(said));
      const answers = await Promise.all(children.map(tell));
      expect(answers.toSorted(), round).toEqual(["open", ...Array(4).fill("run/busy")]);
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, "exit")));
    }
    expect(await readdir(path)).toContain("lock");
    await (await openRun(path, identity, { resume: true })).close();
  });

  test("a lock that a process left that has ended, or that says nothing, is void", async () => {
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    for (const content of [
      String(ended),
      `${ended} 00000000-0000-0000-0000-000000000000 1`,
      "",
      "nonsense",
      "-1",
      "0",
    ]) {
      const path = await folder();
      await writeFile(join(path, "lock"), content);
      const old = new Date(Date.now() - 3600_000);
      await utimes(join(path, "lock"), old, old);
      await (await openRun(path, identity)).close();
      expect(await readdir(path)).toEqual(["config.json"]);
    }
  });

  test("a process killed while it removed a void lock is no obstacle", async () => {
    const path = await folder();
    const ended = String(spawnSync(process.execPath, ["-e", ""]).pid);
    await writeFile(join(path, "lock"), ended);
    await writeFile(join(path, "lock-void"), ended);
    await (await openRun(path, identity)).close();
    expect(await readdir(path)).toEqual(["config.json"]);
  });

  test("closing twice does no harm to the next holder", async () => {
    const path = await folder();
    const first = await openRun(path, identity);
    await first.close();
    const second = await openRun(path, identity, { resume: true });
    await first.close();
    const child = opener(path, { resume: true });
    await said(child);
    expect(await tell(child)).toBe("run/busy");
    await second.close();
  });
});
