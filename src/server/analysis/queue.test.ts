/** Analyses in the background: one at a time, told of as they go, and what ends in the middle begins anew. */
import { basename } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { encodePng } from "../../imaging/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import { type AppEvent, eventSchema } from "../api.ts";
import { photograph, standIn, type TestApp, testApp } from "../testing/support.ts";

const open: TestApp[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.end();
});
async function started(...args: Parameters<typeof testApp>): Promise<TestApp> {
  const app = await testApp(...args);
  open.push(app);
  return app;
}

async function withSample(app: TestApp): Promise<{ reader: number; sample: number }> {
  const reader = await app.client.newReader("Ann");
  return { reader, sample: await app.client.newSample(reader) };
}

/** Listens until it is told to stop. */
async function listening({ origin, client }: TestApp) {
  const stop = new AbortController();
  const response = await fetch(`${origin}/api/events`, { headers: client.headers, signal: stop.signal });
  const events: AppEvent[] = [];
  const reading = (async () => {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
        const line = text.slice(0, at);
        text = text.slice(at + 2);
        if (line.startsWith("data: ")) events.push(eventSchema.parse(JSON.parse(line.slice(6))));
      }
    }
  })().catch(() => {});
  return {
    events,
    async stop() {
      stop.abort();
      await reading;
    },
  };
}

/** Lets one analysis through at a time. */
function gate() {
  const waiting: (() => void)[] = [];
  let most = 0;
  let running = 0;
  return {
    most: () => most,
    waiting: () => waiting.length,
    next: () => waiting.shift()!(),
    analyser: standIn({
      before: async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((pass) => waiting.push(pass));
        running--;
      },
    }),
  };
}

describe("events", () => {
  test("tell how every image goes, with those ahead and the time left once it can be known", async () => {
    const door = gate();
    const app = await started({ analyser: async () => door.analyser });
    const { sample } = await withSample(app);
    const listener = await listening(app);
    await app.client.upload(sample, "crop", {
      "a.png": await photograph(1, 1),
      "b.png": await photograph(1, 2),
      "c.png": await photograph(1, 3),
    });
    for (let i = 0; i < 3; i++) {
      await vi.waitFor(() => expect(door.waiting()).toBe(1));
      expect((await app.client.call("health")).ok).toBe(true);
      door.next();
    }
    const images = await app.client.analysed(sample);
    await vi.waitFor(() => expect(listener.events.filter(({ type }) => type === "heads")).toHaveLength(3));
    await listener.stop();
    expect(door.most()).toBe(1);
    expect(listener.events[0]).toMatchObject({ type: "hello" });
    const of = (image: number) =>
      listener.events.flatMap((event) => (event.type === "image" && event.image === image ? [event] : []));
    const [a, b, c] = images.map(({ id }) => of(id));
    for (const one of [a!, b!, c!]) {
      expect(one.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1])).toEqual([
        ...["queued", "running", "done"],
      ]);
    }
    expect(a![0]).toMatchObject({ state: "queued", ahead: 0, secondsLeft: null });
    expect(c![0]).toMatchObject({ state: "queued", ahead: 2 });
    // After the first analysis it is known how long one takes.
    expect(b!.find(({ state }) => state === "running")!.secondsLeft).toBeGreaterThanOrEqual(0);
  });

  test("hold no decision", async () => {
    const app = await started();
    const { reader, sample } = await withSample(app);
    await app.client.upload(sample, "crop", { "a.png": await photograph(1, 1) });
    await app.client.analysed(sample);
    const listener = await listening(app);
    const [head] = await app.client.heads(sample, reader);
    const { id } = await app.client.decide(reader, head!.id, "Tapered");
    const told = { type: "review", heads: [head!.id], reader, acts: [id] };
    await vi.waitFor(() => expect(listener.events.at(-1)).toMatchObject(told));
    await listener.stop();
    expect(JSON.stringify(listener.events)).not.toContain("Tapered");
  });
});

describe("failures", () => {
  test("are kept with a code, do not hold up the others, and can be tried again", async () => {
    let broken = true;
    const analyser = standIn({
      before: async (kind) => {
        if (kind === "field" && broken) {
          throw new AndroscopeError("field/no-scale", { expected: "a crop", found: "a field", fix: "Wait." });
        }
      },
    });
    const app = await started({ analyser: async () => analyser });
    const { sample } = await withSample(app);
    await app.client.upload(sample, "field", { "a.png": await photograph(3, 1) });
    await app.client.upload(sample, "crop", { "b.png": await photograph(1, 2) });
    const [field, crop] = await app.client.analysed(sample);
    expect(field).toMatchObject({ state: "failed", error: { code: "field/no-scale" }, heads: 0, analysed: null });
    expect(crop).toMatchObject({ state: "done", error: null, heads: 1, analyser: { program: "stand-in" } });
    broken = false;
    expect(await app.client.call("retryImage", { params: { image: field!.id } })).toMatchObject({ error: null });
    expect((await app.client.analysed(sample))[0]).toMatchObject({ state: "done", heads: 3 });
    // What is done is not done again.
    expect(await app.client.call("retryImage", { params: { image: field!.id } })).toMatchObject({ state: "done" });
  });

  test("that are none of the catalogue's tell nothing of the machine", async () => {
    const analyser = standIn({
      before: async () => {
        throw new Error("/secret/path is broken");
      },
    });
    const app = await started({ analyser: async () => analyser });
    const { sample } = await withSample(app);
    await app.client.upload(sample, "crop", { "a.png": await photograph(1, 1) });
    const [image] = await app.client.analysed(sample);
    expect(image!.error).toMatchObject({ code: "server/internal" });
    expect(JSON.stringify(image)).not.toContain("secret");
  });
});

test("an image is told to be of the model that was asked, though another is in use when it answers", async () => {
  const door = gate();
  let model = "m";
  const describe = () => ({ ...standIn().describe(), model });
  const app = await started({ analyser: async () => ({ ...door.analyser, describe }) });
  const { sample } = await withSample(app);
  await app.client.upload(sample, "crop", { "a.png": await photograph(1, 1), "b.png": await photograph(1, 2) });
  await vi.waitFor(() => expect(door.waiting()).toBe(1));
  model = "n";
  door.next();
  await vi.waitFor(() => expect(door.waiting()).toBe(1));
  door.next();
  const images = await app.client.analysed(sample);
  expect(images.map(({ analyser }) => analyser!.model)).toEqual(["m", "n"]);
});

describe("a restart", () => {
  test("goes on with what was queued and begins anew what was running, however often it is stopped in order", async () => {
    const door = gate();
    let app = await started({ analyser: async () => door.analyser });
    const { reader, sample } = await withSample(app);
    await app.client.upload(sample, "field", { "a.png": await photograph(4, 1), "b.png": await photograph(2, 2) });
    for (let i = 0; i < 4; i++) {
      await vi.waitFor(() => expect(door.waiting()).toBeGreaterThan(0));
      // A stand-in cannot be ended: what it says after the end must not count.
      const closed = app.close();
      while (door.waiting() > 0) door.next();
      await closed;
      open.pop();
      app = await started({ folder: app.folder, analyser: async () => (i === 3 ? standIn() : door.analyser) });
    }
    const images = await app.client.analysed(sample);
    expect(images.map(({ state, heads }) => [state, heads])).toEqual([
      ["done", 4],
      ["done", 2],
    ]);
    expect(await app.client.heads(sample, reader)).toHaveLength(6);
  });

  test("on a folder that another process holds is refused", async () => {
    const app = await started();
    await expect(testApp({ folder: app.folder })).rejects.toMatchObject({ code: "run/busy" });
    expect((await app.client.call("health")).ok).toBe(true);
  });
});

describe("pictures", () => {
  const sizeOf = async (response: Response) => {
    const { default: sharp } = await import("sharp");
    const { width, height, format } = await sharp(Buffer.from(await response.arrayBuffer())).metadata();
    return { width, height, format };
  };

  test("of images are scaled down on demand, of heads small squares; both are cached for ever", async () => {
    const app = await started();
    const { reader, sample } = await withSample(app);
    await app.client.upload(sample, "field", { "a.png": await photograph(4, 1, 900, 300) });
    const [image] = await app.client.analysed(sample);
    const pixels = (width: string) => app.client.fetch("pixels", { params: { image: image!.id }, query: { width } });
    const small = await pixels("256");
    expect(small.headers.get("cache-control")).toContain("immutable");
    expect(small.headers.get("content-type")).toBe("image/png");
    expect(await sizeOf(small)).toEqual({ width: 256, height: 85, format: "png" });
    expect(await sizeOf(await pixels("4096"))).toMatchObject({ width: 900, height: 300 });
    const full = Buffer.from(await (await pixels("full")).arrayBuffer());
    const { readImage } = await import("../../imaging/index.ts");
    const { originalPath } = await import("../store/originals.ts");
    const { decodeImage } = await import("../../imaging/index.ts");
    const original = await readImage(originalPath(app.folder, image!.sha256));
    expect((await decodeImage(full)).data).toEqual(original.data);
    const heads = await app.client.heads(sample, reader);
    expect(new Set(heads.map(({ thumbnail }) => thumbnail.key)).size).toBe(4);
    for (const { thumbnail } of heads) {
      const response = await app.client.fetch("thumbnail", { params: { key: thumbnail.key } });
      expect(response.headers.get("cache-control")).toContain("immutable");
      expect(await sizeOf(response)).toEqual({ width: 128, height: 128, format: "webp" });
    }
    const { status } = await app.client.refused("thumbnail", { params: { key: "0".repeat(32) } });
    expect(status).toBe(404);
  });

  test("of a head show the place that they say", async () => {
    const app = await started();
    const { reader, sample } = await withSample(app);
    // Black but for one white block of 8 × 8; the first head's square begins outside the picture.
    const [width, height] = [64, 64];
    const data = new Uint8Array(width * height * 3);
    for (let y = 8; y < 16; y++) data.fill(255, (y * width + 8) * 3, (y * width + 16) * 3);
    data[0] = 1;
    await app.client.upload(sample, "field", { "a.png": await encodePng({ width, height, data }) });
    await app.client.analysed(sample);
    const [head] = await app.client.heads(sample, reader);
    const { key, x, y, side } = head!.thumbnail;
    const response = await app.client.fetch("thumbnail", { params: { key } });
    const { decodeImage } = await import("../../imaging/index.ts");
    const picture = await decodeImage(new Uint8Array(await response.arrayBuffer()));
    const at = (X: number, Y: number) => {
      const [u, v] = [Math.floor(((X - x) * 128) / side), Math.floor(((Y - y) * 128) / side)];
      return picture.data[(v * 128 + u) * 3]!;
    };
    expect(at(12, 12)).toBeGreaterThan(200);
    for (const [X, Y] of [
      [4, 12],
      [12, 4],
    ] as const)
      expect(at(X, Y)).toBeLessThan(60);
  });
});

test("how long heads are is told by the first photographs of the sample of one size, the same ones for each", async () => {
  const asked = new Map<string, readonly string[]>();
  const analyser = standIn();
  const app = await started({
    analyser: async () => ({
      ...analyser,
      async analyse(path, kind, signal, scaleFrom = []) {
        const name = (file: string) => basename(file).slice(0, 8);
        asked.set(name(path), scaleFrom.map(name));
        return { ...(await analyser.analyse(path, kind, signal)), headLength: 40 };
      },
    }),
  });
  const { sample } = await withSample(app);
  const files: Record<string, Uint8Array> = {};
  for (let k = 0; k < 7; k++) files[`${k}.png`] = await photograph(1, k);
  files["other size.png"] = await photograph(1, 90, 120, 90);
  const uploaded = await app.client.upload(sample, "field", files);
  await app.client.analysed(sample);
  await app.client.upload(sample, "field", { "late.png": await photograph(1, 50) });
  const images = await app.client.analysed(sample);
  expect(images.map(({ headLength }) => headLength)).toEqual(images.map(() => 40));
  const sums = uploaded.map((file) => (file.ok ? file.image.sha256.slice(0, 8) : ""));
  for (const { sha256, width } of images) {
    expect(asked.get(sha256.slice(0, 8))).toEqual(width === 120 ? [sums[7]] : sums.slice(0, 5));
  }
});
