import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import fc from "fast-check";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { makeFolder, readJson, readText, writeFileAtomic, writeJson } from "./files.ts";

/** A user without rights, by number. */
const NOBODY = 65534;

/** Faults to come: the named step fails with the code, as the system would have it. */
const faults = vi.hoisted(() => ({ step: "", code: "" }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const fail = (step: string) => {
    if (faults.step === step) throw Object.assign(new Error(faults.code), { code: faults.code, syscall: step });
  };
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      fail("open");
      const handle = await real.open(...args);
      const { writeFile, sync } = handle;
      handle.writeFile = async (content, ...more) => {
        // A disk that fills up takes the beginning.
        if (faults.step === "write") await writeFile.call(handle, String(content).slice(0, 3));
        fail("write");
        return writeFile.call(handle, content, ...more);
      };
      handle.sync = async () => {
        fail("fsync");
        return sync.call(handle);
      };
      return handle;
    },
    rename: async (...args: Parameters<typeof real.rename>) => {
      fail("rename");
      return real.rename(...args);
    },
  };
});
beforeEach(() => {
  faults.step = "";
});

async function folder(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "androscope-test-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

describe("writing", () => {
  test("makes folders, replaces what was there, leaves nothing beside it", async () => {
    const root = await folder();
    const path = join(root, "a", "b", "x.txt");
    await writeFileAtomic(path, "old, and longer");
    await writeFileAtomic(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    await writeFileAtomic(path, Uint8Array.of(0, 255, 10));
    expect([...(await readFile(path))]).toEqual([0, 255, 10]);
    expect(await readdir(join(root, "a", "b"))).toEqual(["x.txt"]);
  });

  test("a name of any characters", async () => {
    const root = await folder();
    for (const name of ["mit Leerzeichen.json", "Größe µm.csv", "fold-a%2Fb.json", ".hidden"]) {
      await writeFileAtomic(join(root, name), name);
      expect(await readFile(join(root, name), "utf8")).toBe(name);
    }
  });

  test("many at once to one place: one of them whole", async () => {
    const path = join(await folder(), "x");
    const contents = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(50_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(await readFile(path, "utf8"));
    expect(await readdir(join(path, ".."))).toEqual(["x"]);
  });

  test.each([
    ["open", "EACCES", "file/not-writable"],
    ["open", "EROFS", "file/not-writable"],
    ["open", "ENOSPC", "file/disk-full"],
    ["write", "ENOSPC", "file/disk-full"],
    ["write", "EDQUOT", "file/disk-full"],
    ["fsync", "EIO", "file/not-writable"],
    ["fsync", "ENOSPC", "file/disk-full"],
    ["rename", "EPERM", "file/not-writable"],
  ])("%s fails with %s: %s, the old file stays and nothing else", async (step, code, expected) => {
    const path = join(await folder(), "x.txt");
    await writeFileAtomic(path, "old");
    Object.assign(faults, { step, code });
    await expect(writeFileAtomic(path, "new content")).rejects.toMatchObject({ code: expected, where: path });
    faults.step = "";
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(join(path, ".."))).toEqual(["x.txt"]);
  });

  test("where a folder is, or below a file, it is refused and nothing is left", async () => {
    const root = await folder();
    await mkdir(join(root, "folder", "full"), { recursive: true });
    await expect(writeFileAtomic(join(root, "folder"), "x")).rejects.toMatchObject({ code: "file/not-writable" });
    await writeFile(join(root, "file"), "content");
    await expect(writeFileAtomic(join(root, "file", "x"), "x")).rejects.toMatchObject({ code: "file/not-writable" });
    expect((await readdir(root)).sort()).toEqual(["file", "folder"]);
    expect(await readFile(join(root, "file"), "utf8")).toBe("content");
  });

  test("a folder without permission", async ({ skip }) => {
    const root = await folder();
    if (process.getuid?.() === 0) {
      try {
        await chown(root, NOBODY, NOBODY);
        process.seteuid!(NOBODY);
      } catch {
        skip("The superuser may write anywhere, and this machine lets nobody else be.");
      }
      onTestFinished(() => process.seteuid!(0));
    }
    await chmod(root, 0o500);
    onTestFinished(() => chmod(root, 0o700));
    await expect(writeFileAtomic(join(root, "x"), "x")).rejects.toMatchObject({ code: "file/not-writable" });
    await expect(writeFileAtomic(join(root, "y", "x"), "x")).rejects.toMatchObject({ code: "file/not-writable" });
  });
});

describe("a process that is killed while writing", () => {
  const size = 4_000_000;
  const program = `
    import { writeFileAtomic } from ${JSON.stringify(new URL("./files.ts", import.meta.url).href)};
    for (let i = 0; ; i++) {
      await writeFileAtomic(process.argv[1], String.fromCharCode(97 + i % 26).repeat(${size}));
      if (i === 0) process.stdout.write("writing");
    }`;
  const start = (path: string): ChildProcess =>
    spawn(process.execPath, ["--input-type=module", "-e", program, path], { stdio: ["ignore", "pipe", "inherit"] });

  test("leaves one version whole, whenever it ends", async () => {
    const path = join(await folder(), "x");
    for (const delay of [0, 7, 13, 29]) {
      const child = start(path);
      await once(child.stdout!, "data");
      await wait(delay);
      child.kill("SIGKILL");
      await once(child, "exit");
      const content = await readFile(path, "utf8");
      expect(content).toHaveLength(size);
      expect(content === content[0]!.repeat(size)).toBe(true);
    }
  });
});

describe("folders", () => {
  test("are made with those above, once, and the topmost new one is told", async () => {
    const root = await folder();
    expect(await makeFolder(join(root, "a", "b", "c"))).toBe(join(root, "a"));
    expect((await stat(join(root, "a", "b", "c"))).isDirectory()).toBe(true);
    expect(await makeFolder(join(root, "a", "b", "c"))).toBeUndefined();
    expect(await makeFolder(join(root, "a", "d"))).toBe(join(root, "a", "d"));
  });

  test("many at once do not disturb each other", async () => {
    const root = await folder();
    await Promise.all(Array.from({ length: 20 }, (_, i) => makeFolder(join(root, "a", "b", `${i % 4}`))));
    expect((await readdir(join(root, "a", "b"))).sort()).toEqual(["0", "1", "2", "3"]);
  });

  test("not where a file is", async () => {
    const root = await folder();
    await writeFile(join(root, "file"), "");
    await expect(makeFolder(join(root, "file"))).rejects.toMatchObject({ code: "file/not-writable" });
    await expect(makeFolder(join(root, "file", "x", "y"))).rejects.toMatchObject({ code: "file/not-writable" });
    await symlink("nowhere", join(root, "link"));
    await expect(makeFolder(join(root, "link", "x"))).rejects.toMatchObject({ code: "file/not-writable" });
  });

  test.runIf(process.platform === "linux")(
    "not in /proc, which says so at once (skipped off Linux, which alone has it)",
    async () => {
      await expect(makeFolder("/proc/androscope/x")).rejects.toMatchObject({ code: "file/not-writable" });
    },
  );
});

describe("JSON", () => {
  test("comes back as it was, and ends with a line feed", async () => {
    const path = join(await folder(), "x.json");
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        await writeJson(path, value);
        const text = await readText(path);
        expect(text.endsWith("\n")).toBe(true);
        expect(await readJson(path)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 30 },
    );
  });

  test("what is none is refused with its path", async () => {
    const root = await folder();
    const path = join(root, "x.json");
    for (const text of ["", "{", "undefined", '{"a":1} b']) {
      await writeFile(path, text);
      await expect(readJson(path)).rejects.toMatchObject({ code: "file/unreadable", where: path });
    }
    await expect(readJson(join(root, "none.json"))).rejects.toMatchObject({ code: "file/not-found" });
    await expect(readText(root)).rejects.toMatchObject({ code: "file/unreadable" });
  });
});
