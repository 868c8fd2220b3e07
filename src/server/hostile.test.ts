/** Requests that nobody should send: none gets in, none takes the server down, none writes where it should not. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { API, type Route, type RouteName } from "./api.ts";
import { Client, photograph, type TestApp, temporaryFolder, testApp } from "./testing/support.ts";

let app: TestApp;
let client: Client;
let reader = 0;
let sample = 0;
let port = 0;
beforeAll(async () => {
  app = await testApp({ limits: { fileBytes: 200_000, filesPerUpload: 3, pixels: 1_000_000 } });
  ({ client } = app);
  port = Number(new URL(app.origin).port);
  reader = await client.newReader("Ann");
  sample = await client.newSample(reader);
});
afterAll(() => app.end());

/** A request as bytes, since fetch lets nobody set Host. @returns status and body */
function raw(head: string[], body = "", more = ""): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `${[...head, "Connection: close", `Content-Length: ${body.length}`].join("\r\n")}\r\n\r\n${body}${more}`,
      );
    });
    let text = "";
    socket.setEncoding("latin1").on("data", (data) => (text += data));
    socket.on("close", () => resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text }));
    // A server that has refused need not read to the end.
    socket.on("error", (error) => text === "" && reject(error));
  });
}

const bearer = () => `Authorization: Bearer ${app.token}`;
const answers = async () => expect((await client.call("health")).ok).toBe(true);

/** Any parameters that fit the schemas, so that only what is tested stands in the way. */
function pathOf(route: Route): string {
  const key = "0".repeat(32);
  return `${route.path.replace(":key", key).replace(/:\w+/g, "1")}?reader=1&image=1`;
}

describe("who gets in", () => {
  const names = Object.keys(API) as RouteName[];

  test("without the token, or with another, nothing but health answers", async () => {
    for (const name of names) {
      const route: Route = API[name];
      for (const more of [[], ["Authorization: Bearer wrong"], [`Cookie: androscope-${port}=wrong; androscope-1=x`]]) {
        const head = [`${route.method} ${pathOf(route)} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...more];
        const isOpen = name === "health" || name === "openSession" || name === "exportGeoJson";
        const { status } = await raw(head);
        expect({ name, status }).toEqual({ name, status: isOpen ? expect.not.stringMatching("401") : 401 });
      }
    }
    const wrong = await client.refused("openSession", { body: { token: "guess" } });
    expect(wrong).toMatchObject({ status: 401, code: "server/no-token" });
  });

  test("a foreign or rebound Host is refused, with the right token, for the page's files too", async () => {
    const hosts = [
      ...[
        "evil.example",
        `evil.example:${port}`,
        `127.0.0.1.evil.example:${port}`,
        `localhost.:${port}`,
        "127.0.0.1:1",
      ],
      ...["", `127.0.0.1:${port}@evil.example`, `evil.example\\@127.0.0.1:${port}`, `0x7f000001:${port}`, "[::1"],
    ];
    for (const host of hosts) {
      for (const path of ["/api/samples", "/", "/api/health"]) {
        const { status } = await raw([`GET ${path} HTTP/1.1`, `Host: ${host}`, bearer()]);
        expect({ host, path, ok: status === 403 || status === 400 }).toEqual({ host, path, ok: true });
      }
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LocalHost:${port}`, `[::1]:${port}`]) {
      const { status } = await raw(["GET /api/samples HTTP/1.1", `Host: ${host}`, bearer()]);
      expect({ host, status }).toEqual({ host, status: 200 });
    }
    // Two of them, or an absolute address in the request line, change nothing.
    const two = await raw(["GET /api/samples HTTP/1.1", `Host: 127.0.0.1:${port}`, "Host: evil.example", bearer()]);
    expect(two.status).toBe(403);
  });

  test("a foreign Origin is refused, whatever else is right", async () => {
    const origins = ["https://evil.example", "null", `http://127.0.0.1:1`, `https://127.0.0.1:${port}`, "file://", "x"];
    for (const origin of [...origins, `http://localhost:${port}`]) {
      const head = [`Host: 127.0.0.1:${port}`, `Origin: ${origin}`, bearer(), "Content-Type: application/json"];
      const { status } = await raw(["POST /api/readers HTTP/1.1", ...head], '{"name":"Mallory"}');
      expect({ origin, status }).toEqual({ origin, status: 403 });
    }
    for (const site of ["cross-site", "same-site"]) {
      const head = [`Host: 127.0.0.1:${port}`, `Sec-Fetch-Site: ${site}`, bearer()];
      expect((await raw(["GET /api/samples HTTP/1.1", ...head])).status).toBe(403);
    }
    const own = [
      `Host: 127.0.0.1:${port}`,
      `Origin: http://127.0.0.1:${port}`,
      bearer(),
      "Content-Type: application/json",
    ];
    expect((await raw(["POST /api/readers HTTP/1.1", ...own], '{"name":"Own page"}')).status).toBe(200);
    expect((await client.call("listReaders")).readers.map(({ name }) => name)).toEqual(["Ann", "Own page"]);
  });

  test("the token is exchanged for a cookie that scripts cannot read and other sites cannot send", async () => {
    const response = await client.fetch("openSession", { body: { token: app.token } });
    const cookie = response.headers.get("set-cookie")!;
    expect(cookie).toMatch(/^androscope-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(app.token);
    const head = [`Host: 127.0.0.1:${port}`, `Cookie: other=1; ${cookie.split(";")[0]}`];
    expect((await raw(["GET /api/samples HTTP/1.1", ...head])).status).toBe(200);
  });

  test("every answer forbids what the page does not need, and none is for other sites", async () => {
    for (const path of ["/", "/api/health", "/api/samples", "/nothing.js", "/api/nothing"]) {
      const { headers } = await fetch(`${app.origin}${path}`);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
    expect((await raw(["OPTIONS /api/samples HTTP/1.1", `Host: 127.0.0.1:${port}`, bearer()])).status).toBe(404);
  });
});

describe("traversal", () => {
  const tricks = [
    ...["../", "..%2f", "%2e%2e%2f", "..\\", "%2e%2e%5c", "....//", "%252e%252e%252f", "/", "%00", "1%00", "1/../../"],
    ...["1;ls", "-1", "0", "1e3", "9007199254740993", "0x1", " 1", "1'--", "__proto__", "constructor", "%ff", "{}"],
  ];

  test("in every parameter of every path and query is refused and reads no file", async () => {
    const secret = join(app.folder, "androscope.db");
    const held = (await readFile(secret)).subarray(0, 15).toString("latin1");
    for (const [name, route] of Object.entries(API) as [RouteName, Route][]) {
      for (const trick of tricks) {
        const steps = trick.repeat(trick.includes("..") || trick.includes("2e") ? 6 : 1);
        const paths = [...route.path.matchAll(/:\w+/g)].map(([key]) => {
          const tricked = route.path.replace(key, () => steps);
          return `${tricked.replace(/:\w+/g, "1")}?reader=1&image=1`;
        });
        const queries = Object.keys(route.query?.shape ?? {}).map((key) => {
          const valid = key === "reader" ? "" : "reader=1&";
          return `${route.path.replace(/:\w+/g, "1")}?${valid}${key}=${steps}`;
        });
        for (const path of [...paths, ...queries]) {
          const line = `${route.method} ${path.replace(/[ {}]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)} HTTP/1.1`;
          const { status, text } = await raw([line, `Host: 127.0.0.1:${port}`, bearer()]);
          expect({ name, path, refused: status >= 400 && status < 500 }).toEqual({ name, path, refused: true });
          expect(text).not.toContain(held);
        }
      }
    }
    await answers();
  });

  test("to files beside the page's is refused", async () => {
    const page = await temporaryFolder();
    await writeFile(join(page, "index.html"), "<p>the page</p>");
    await writeFile(join(page, "app.js"), "run()");
    const other = await testApp({ page });
    try {
      const at = Number(new URL(other.origin).port);
      expect(await (await fetch(`${other.origin}/app.js`)).text()).toBe("run()");
      expect(await (await fetch(`${other.origin}/samples/3`)).text()).toBe("<p>the page</p>");
      for (const trick of [
        "/../package.json",
        "/..%2fpackage.json",
        "//etc/passwd",
        "/app.js/../../x.js",
        "/%2e%2e/x.js",
      ]) {
        const status = await new Promise((resolve) => {
          const socket = connect(at, "127.0.0.1", () =>
            socket.write(`GET ${trick} HTTP/1.1\r\nHost: 127.0.0.1:${at}\r\nConnection: close\r\n\r\n`),
          );
          let text = "";
          socket.on("data", (data) => (text += data)).on("close", () => resolve(text));
        });
        expect(status).not.toMatch(/root:|"androscope"/);
      }
    } finally {
      await other.end();
    }
  });
});

describe("bodies", () => {
  const json = (path: string, body: string, type = "application/json") =>
    raw([`POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, bearer(), `Content-Type: ${type}`], body);

  test("that are no JSON, of another shape, poisoned or too large are refused", async () => {
    const bodies = [
      "",
      "{",
      "null",
      "[]",
      '"x"',
      '{"name":5}',
      '{"name":""}',
      '{"name":"a\\u0000b"}',
      '{"name":"a\\nb"}',
    ];
    for (const body of [...bodies, '{"__proto__":{"name":"x"}}', '{"name":"x","constructor":{"prototype":{"a":1}}}']) {
      const { status } = await json("/api/readers", body);
      expect({ body, status }).toEqual({ body, status: 400 });
    }
    expect(({} as { name?: string }).name).toBeUndefined();
    expect((await json("/api/readers", JSON.stringify({ name: "x".repeat(5_000_000) }))).status).toBe(413);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      expect((await json("/api/readers", '{"name":"Mallory"}', type)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await client.call("listReaders")).readers).toHaveLength(2);
  });

  test("an upload without its parts, in the wrong order, or broken off is refused and leaves nothing", async () => {
    const url = `/api/samples/${sample}/images`;
    const part = (name: string, value: string, file = "") =>
      `--x\r\nContent-Disposition: form-data; name="${name}"${file && `; filename="${file}"`}\r\n\r\n${value}\r\n`;
    const type = "multipart/form-data; boundary=x";
    const kind = part("kind", "crop");
    const before = await readdir(join(app.folder, "originals"), { recursive: true });
    for (const body of ["", "--x--\r\n", `${kind}--x--\r\n`, `${part("files", "data", "a.png")}${kind}--x--\r\n`]) {
      expect((await json(url, body, type)).status).toBe(415);
    }
    expect((await json(url, `${part("kind", "smear")}${part("files", "d", "a.png")}--x--\r\n`, type)).status).toBe(415);
    expect((await json(url, "{}")).status).toBe(415);
    // The connection goes away in the middle of a file.
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        const head = [`POST ${url} HTTP/1.1`, `Host: 127.0.0.1:${port}`, bearer(), `Content-Type: ${type}`];
        const begun = `${kind}--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n\x89PNG`;
        socket.write(`${[...head, "Content-Length: 100000"].join("\r\n")}\r\n\r\n${begun}`);
        setTimeout(() => socket.destroy(), 200);
      });
      socket.on("close", () => resolve());
    });
    await vi.waitFor(async () => expect(await readdir(join(app.folder, "incoming"))).toEqual([]), 10_000);
    expect(await readdir(join(app.folder, "originals"), { recursive: true })).toEqual(before);
    await answers();
  });
});

describe("files", () => {
  /** A PNG whose header says so many pixels, and whose data does not matter. */
  function claiming(width: number, height: number): Uint8Array {
    const chunk = (type: string, data: Buffer) => {
      const named = Buffer.concat([Buffer.from(type), data]);
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
      length.writeUInt32BE(data.length);
      sum.writeUInt32BE(crc32(named));
      return Buffer.concat([length, named, sum]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 2, 0, 0, 0], 8);
    const data = deflateSync(Buffer.alloc(1000));
    const start = Buffer.from("89504e470d0a1a0a", "hex");
    return Buffer.concat([start, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
  }

  const codes = async (files: Record<string, Uint8Array>) =>
    (await client.upload(sample, "crop", files)).map((one) => (one.ok ? "taken" : one.error.code));

  test("that are bombs, cut short, too large or no pictures are refused one by one; the rest is taken", async () => {
    const good = await photograph(1, 1);
    const bombs = { "bomb.png": claiming(60_000, 60_000), "good.png": good, "bomb2.png": claiming(1, 2_000_000_000) };
    expect(await codes(bombs)).toEqual(["image/too-large", "taken", "image/truncated"]);
    const others = {
      "cut.png": good.slice(0, 3000),
      "text.png": Buffer.from("no picture"),
      "large.png": Buffer.alloc(300_000),
    };
    expect(await codes(others)).toEqual(["image/truncated", "image/unknown-format", "upload/too-large"]);
    const many = Object.fromEntries([2, 3, 4, 5].map((seed) => [`${seed}.png`, Buffer.from([seed])]));
    expect(await codes({ ...many, "good.png": good })).toEqual([
      ...["image/unknown-format", "image/unknown-format", "image/unknown-format", "upload/too-many", "upload/too-many"],
    ]);
    expect(await readdir(join(app.folder, "incoming"))).toEqual([]);
    const { images } = await client.call("listImages", { params: { sample } });
    expect(images.map(({ name }) => name)).toEqual(["good.png"]);
  });

  test("whose names are paths or worse are shown by a plain name and stored by their sum", async () => {
    const names = [
      "../../../../etc/cron.d/x.png",
      "C:\\Windows\\x.png",
      "a\u0000b\nc.png",
      `${"ü".repeat(400)}.png`,
      "..",
      "=1+1.png",
    ];
    const shown: string[] = [];
    for (const [i, name] of names.entries()) {
      const [one] = await client.upload(sample, "crop", { [name]: await photograph(1, 100 + i) });
      expect(one).toMatchObject({ ok: true });
      shown.push(one!.name);
    }
    for (const name of shown) expect(name).not.toMatch(/[\\/\p{Cc}]/u);
    expect(shown[0]).toBe("x.png");
    expect([...shown[3]!].length).toBeLessThanOrEqual(255);
    const stored = await readdir(join(app.folder, "originals"), { recursive: true });
    for (const name of stored) expect(name).toMatch(/^[0-9a-f]{2}([\\/][0-9a-f]{64})?$/);
    await client.analysed(sample);
    const csv = await (await client.fetch("exportCsv", { params: { sample }, query: { reader } })).text();
    expect(csv).toContain("'=1+1.png");
  });

  test("sent twice are one", async () => {
    const other = await client.newSample(reader);
    const bytes = await photograph(1, 7);
    const [first] = await client.upload(other, "crop", { "a.png": bytes });
    const [second] = await client.upload(other, "crop", { "b.png": bytes });
    expect(first).toMatchObject({ ok: true, duplicate: false });
    expect(second).toMatchObject({ ok: true, duplicate: true, image: { name: "a.png" } });
  });

  test("that take too long to decode are given up, and the server goes on", async () => {
    const slow = await testApp({ decodingSeconds: 0.001 });
    try {
      const of = await slow.client.newSample(await slow.client.newReader("Ann"));
      const [one] = await slow.client.upload(of, "crop", { "a.png": await photograph(1, 8) });
      expect(one).toMatchObject({ ok: false, error: { code: "upload/too-slow" } });
      expect((await slow.client.call("health")).ok).toBe(true);
      expect(await readdir(join(slow.folder, "incoming"))).toEqual([]);
    } finally {
      await slow.end();
    }
  });
});

test("a thousand requests at once are all answered", async () => {
  const requests = Array.from({ length: 1000 }, (_, i) =>
    i % 2 === 0
      ? client.fetch("listSamples")
      : fetch(`${app.origin}/api/samples`, { headers: { authorization: "Bearer x" } }),
  );
  const statuses = (await Promise.all(requests)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(500);
  expect(statuses.filter((status) => status === 401)).toHaveLength(500);
  await answers();
}, 60_000);

test("on another address than loopback the names of this machine are let in, and no other", async () => {
  const open = await testApp({ host: "0.0.0.0" });
  try {
    const at = new URL(open.origin).port;
    expect((await new Client(open).call("health")).ok).toBe(true);
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(at), "127.0.0.1", () =>
        socket.write(`GET /api/health HTTP/1.1\r\nHost: evil.example:${at}\r\nConnection: close\r\n\r\n`),
      );
      let all = "";
      socket.on("data", (data) => (all += data)).on("close", () => resolve(all));
    });
    expect(text).toMatch(/^HTTP\/1\.1 403/);
  } finally {
    await open.end();
  }
});
