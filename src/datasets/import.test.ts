import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { folder, type ZipEntry, zip } from "./fixtures.ts";
import { importFiles, importPublicSet } from "./import.ts";
import type { Sums } from "./publicSets.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const PUBLISHED: Record<string, Uint8Array> = {
  "01_Normal/a.bmp": bytes("first"),
  "02_Tapered/a.bmp": bytes("second"),
};
const SUMS: Sums = {
  files: Object.fromEntries(
    Object.entries(PUBLISHED).map(([path, content]) => [
      path,
      { sha256: createHash("sha256").update(content).digest("hex"), bytes: content.length },
    ]),
  ),
};
const GOOD: ZipEntry[] = [
  { name: "HuSHeM/", content: bytes("") },
  ...Object.entries(PUBLISHED).map(([path, content]) => ({ name: `HuSHeM/${path}`, content })),
  { name: "HuSHeM/readme.txt", content: bytes("notes") },
];

/** Imports into a fresh folder. A failure must leave nothing of it behind. */
async function importInto(from: string, options = {}) {
  const parent = await folder();
  const to = join(parent, "out");
  try {
    const result = await importFiles("hushem", SUMS, from, to, options);
    for (const [path, content] of Object.entries(PUBLISHED))
      expect(new Uint8Array(await readFile(join(to, path)))).toEqual(content);
    expect(await readdir(parent)).toEqual(["out"]);
    return result;
  } catch (error) {
    expect(await readdir(parent)).toEqual([]);
    throw error;
  }
}

async function zipFile(entries: readonly ZipEntry[]): Promise<string> {
  const path = join(await folder(), "set.zip");
  await writeFile(path, zip(entries));
  return path;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.zip`;
}

describe("a good source", () => {
  test("folder, in any layout", async () => {
    const from = await folder({
      "x/one.bmp": PUBLISHED["01_Normal/a.bmp"]!,
      "two.bmp": PUBLISHED["02_Tapered/a.bmp"]!,
      "mine.png": "other",
    });
    expect(await importInto(from)).toMatchObject({ files: 2, extra: ["mine.png"] });
  });
  test("zip", async () => expect(await importInto(await zipFile(GOOD))).toMatchObject({ files: 2, extra: [] }));
  test("address", async () => {
    const url = await serve((_, response) => response.end(zip(GOOD)));
    expect(await importInto(url)).toMatchObject({ files: 2 });
  });
});

describe("missing and changed files", () => {
  test("are told apart", async () => {
    const from = await folder({ "01_Normal/a.bmp": "firsT" });
    await expect(importInto(from)).rejects.toMatchObject({
      code: "data/import",
      found: "1 missing (02_Tapered/a.bmp); 1 changed (01_Normal/a.bmp)",
    });
  });
  test("in a zip", async () => {
    await expect(importInto(await zipFile(GOOD.slice(0, 2)))).rejects.toMatchObject({ code: "data/import" });
  });
});

describe("hostile archives are refused whole", () => {
  const hostile: Record<string, ZipEntry> = {
    "leads up": { name: "../evil.bmp", content: bytes("x") },
    "leads up within": { name: "a/../../evil.bmp", content: bytes("x") },
    absolute: { name: "/tmp/evil.bmp", content: bytes("x") },
    "absolute on Windows": { name: "C:/evil.bmp", content: bytes("x") },
    "backslashes that lead up": { name: "..\\evil.bmp", content: bytes("x") },
    "symbolic link": { name: "link.bmp", content: bytes("/etc/passwd"), mode: 0o120777 },
    "name twice": { name: "HuSHeM/01_Normal/a.bmp", content: bytes("x") },
    huge: { name: "bomb.bmp", content: bytes("x"), claimedBytes: 2 ** 31 },
  };
  for (const [what, entry] of Object.entries(hostile)) {
    test(what, async () => {
      await expect(importInto(await zipFile([...GOOD, entry]))).rejects.toMatchObject({ code: "data/unsafe-archive" });
    });
  }
  test("an entry larger than it claims", async () => {
    const lying = [...GOOD, { name: "bomb.bmp", content: new Uint8Array(5_000_000), claimedBytes: 5 }];
    await expect(importInto(await zipFile(lying))).rejects.toMatchObject({ code: "data/import" });
  });
  test("damaged content", async () => {
    const path = await zipFile(GOOD);
    const content = await readFile(path);
    await writeFile(path, content.subarray(0, content.length - 40));
    await expect(importInto(path)).rejects.toMatchObject({ code: "data/import" });
    await writeFile(path, "<html>log in first</html>");
    await expect(importInto(path)).rejects.toMatchObject({ code: "data/import" });
  });
});

describe("downloads that fail", () => {
  const archive = zip(GOOD);
  const refused = { code: "data/download" };
  test("not found", async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    await expect(importInto(url)).rejects.toMatchObject({ ...refused, found: "HTTP status 404" });
  });
  test("truncated body", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": archive.length });
      response.write(archive.subarray(0, 50), () => response.destroy());
    });
    await expect(importInto(url)).rejects.toMatchObject(refused);
  });
  test("a Content-Length shorter than the file", async () => {
    const url = await serve((request, response) => {
      request.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n");
      request.socket.end(archive);
      response.detachSocket(request.socket);
    });
    await expect(importInto(url)).rejects.toMatchObject({ code: expect.stringMatching(/^data\/(import|download)$/) });
  });
  test("endless redirection", async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: "/set.zip" }).end());
    await expect(importInto(url)).rejects.toMatchObject(refused);
  });
  test("more than allowed, announced or not", async () => {
    const announced = await serve((_, response) =>
      response.writeHead(200, { "content-length": archive.length }).end(archive),
    );
    await expect(importInto(announced, { maxBytes: 20 })).rejects.toMatchObject(refused);
    const silent = await serve((_, response) => {
      response.write(archive.subarray(0, 30));
      response.end(archive.subarray(30));
    });
    await expect(importInto(silent, { maxBytes: 20 })).rejects.toMatchObject(refused);
  });
  test("a server that falls silent", async () => {
    const url = await serve((_, response) => response.write(archive.subarray(0, 30)));
    await expect(importInto(url, { idleMs: 100 })).rejects.toMatchObject(refused);
  });
  test("nobody there, and other protocols", async () => {
    await expect(importInto("http://127.0.0.1:1/set.zip")).rejects.toMatchObject(refused);
    await expect(importInto("ftp://127.0.0.1/set.zip")).rejects.toMatchObject({ code: "usage/bad-value" });
  });
});

test("folders made for the destination go with a failure", async () => {
  const parent = await folder();
  const to = join(parent, "a", "b", "out");
  await expect(importFiles("hushem", SUMS, await zipFile([]), to)).rejects.toMatchObject({ code: "data/import" });
  expect(await readdir(parent)).toEqual([]);
  await importFiles("hushem", SUMS, await zipFile(GOOD), to);
  expect((await readdir(to)).sort()).toEqual(["01_Normal", "02_Tapered"]);
});

test("a destination with files in it is left alone", async () => {
  const to = await folder({ "mine.txt": "keep" });
  await expect(importFiles("hushem", SUMS, await zipFile(GOOD), to)).rejects.toMatchObject({
    code: "file/not-writable",
  });
  expect(await readdir(to)).toEqual(["mine.txt"]);
});

const data = process.env.ANDROSCOPE_DATA;
test.skipIf(!data)("HuSHeM itself, from its folder (needs ANDROSCOPE_DATA)", async () => {
  const to = join(await folder(), "hushem");
  expect(await importPublicSet("hushem", join(data!, "hushem"), to)).toMatchObject({ files: 216, extra: [] });
  expect(existsSync(join(to, "04_Amorphous/image_052.BMP"))).toBe(true);
});
