import { mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { AndroscopeError, ERROR_CODES, fileError, isAndroscopeError } from "./errors.ts";

test("codes are a room and a subject, and each is explained in a sentence", () => {
  for (const [code, meaning] of Object.entries(ERROR_CODES)) {
    expect(code).toMatch(/^[a-z]+\/[a-z]+(-[a-z]+)*$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
});

describe("an error", () => {
  const cause = new Error("from below");
  const error = new AndroscopeError("image/too-large", {
    expected: "at most 100 megapixels",
    found: "20000×20000",
    where: "a.png",
    fix: "Scale it down.",
    cause,
  });

  test("says what was expected, what was found, where, and what to do", () => {
    expect(error.message).toBe("a.png: expected at most 100 megapixels, found 20000×20000. Scale it down.");
    expect(error.cause).toBe(cause);
    expect(error).toBeInstanceOf(Error);
  });

  test("without a place does not begin with one", () => {
    const { message } = new AndroscopeError("data/empty", { expected: "images", found: "none", fix: "Add some." });
    expect(message).toBe("expected images, found none. Add some.");
  });

  test("as JSON has everything that a program needs, and neither stack nor cause", () => {
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "image/too-large",
      message: error.message,
      expected: "at most 100 megapixels",
      found: "20000×20000",
      where: "a.png",
      fix: "Scale it down.",
    });
  });

  test("is recognised, by its code too", () => {
    expect(isAndroscopeError(error)).toBe(true);
    expect(isAndroscopeError(error, "image/too-large")).toBe(true);
    expect(isAndroscopeError(error, "image/truncated")).toBe(false);
    for (const other of [cause, { code: "image/too-large" }, undefined, null, "image/too-large"]) {
      expect(isAndroscopeError(other)).toBe(false);
    }
  });
});

describe("errors of the file system", () => {
  const system = (code: string) => Object.assign(new Error(`${code}: said the system`), { code, syscall: "open" });

  test.each([
    ["ENOENT", "file/not-found", "file/not-writable"],
    ["ENOSPC", "file/disk-full", "file/disk-full"],
    ["EDQUOT", "file/disk-full", "file/disk-full"],
    ["EACCES", "file/unreadable", "file/not-writable"],
    ["EPERM", "file/unreadable", "file/not-writable"],
    ["EROFS", "file/unreadable", "file/not-writable"],
    ["EISDIR", "file/unreadable", "file/not-writable"],
    ["ENOTDIR", "file/unreadable", "file/not-writable"],
    ["EIO", "file/unreadable", "file/not-writable"],
  ])("%s: %s while reading, %s while writing", (code, reading, writing) => {
    const error = system(code);
    expect(fileError(error, "a/b")).toMatchObject({ code: reading, where: "a/b", cause: error });
    expect(fileError(error, "a/b", "write")).toMatchObject({ code: writing, where: "a/b", cause: error });
  });

  test("what the system really says", async () => {
    const root = await mkdtemp(join(tmpdir(), "androscope-test-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await writeFile(join(root, "file"), "");
    await symlink("loop", join(root, "loop"));
    const said = async (work: Promise<unknown>, doing?: "write") =>
      fileError(await work.then(() => undefined).catch((error: unknown) => error), root, doing);
    expect(await said(readFile(join(root, "none")))).toMatchObject({ code: "file/not-found" });
    expect(await said(readFile(root))).toMatchObject({ code: "file/unreadable" });
    expect(await said(readdir(join(root, "file")))).toMatchObject({ code: "file/unreadable" });
    expect(await said(readFile(join(root, "loop")))).toMatchObject({ code: "file/unreadable" });
    expect(await said(open(root, "w"), "write")).toMatchObject({ code: "file/not-writable" });
    expect(await said(open(join(root, "file", "x"), "w"), "write")).toMatchObject({ code: "file/not-writable" });
    expect(await said(open(join(root, "x".repeat(300)), "w"), "write")).toMatchObject({ code: "file/not-writable" });
  });

  test("anything else stays what it is", () => {
    const own = new AndroscopeError("data/empty", { expected: "images", found: "none", fix: "Add some." });
    const range = new RangeError("not of the file system");
    for (const other of [own, range, undefined, null, "text"]) {
      expect(fileError(other, "x")).toBe(other);
      expect(fileError(other, "x", "write")).toBe(other);
    }
  });
});
