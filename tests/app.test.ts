/** `androscope app`, the command: start, end, verify, and killed in the middle of its work. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { API, type Route, type RouteName } from "../src/server/api.ts";
import { openDatabase } from "../src/server/store/database.ts";
import { Client, photograph } from "../src/server/testing/support.ts";
import { killMany } from "./app-killing.ts";
import { androscope, BIN, failure, json, type Outcome, temporary } from "./support.ts";

interface Running {
  document: { url: string; origin: string; token: string; data: string; pid: number };
  client: Client;
  /** @returns how it ended, and what it wrote on stderr */
  end(signal: NodeJS.Signals): Promise<Outcome>;
}

async function started(...args: string[]): Promise<Running> {
  const child = spawn(BIN, ["app", "--no-open", "--json", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const ended = new Promise<Outcome>((resolve) => child.once("close", (status) => resolve({ status, stdout, stderr })));
  const document = await new Promise<Running["document"]>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      if (stdout.endsWith("}\n")) resolve(JSON.parse(stdout));
    });
    child.once("exit", (status) => reject(new Error(`ended with ${status}: ${stderr}`)));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { document, client: new Client(document), end };
}

describe("androscope app", () => {
  test("serves until a signal ends it, holds its folder, tells no file name, and leaves it in order", async () => {
    const data = join(await temporary(), "made by it");
    const app = await started("--data", data);
    try {
      expect(app.document.url).toBe(`${app.document.origin}/#token=${app.document.token}`);
      expect(app.document.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      const about = await app.client.call("about");
      expect(about).toMatchObject({
        classes: ["Normal", "Tapered", "Pyriform", "Amorphous"],
        kinds: ["crop", "field"],
      });
      failure(await androscope(["app", "--no-open", "--json", "--data", data]), "run/busy");
      const reader = await app.client.newReader("Secret Reader");
      const sample = await app.client.newSample(reader, "Secret Sample");
      await app.client.upload(sample, "field", { "secret-name.png": await photograph(3, 1) });
      await app.client.upload(sample, "crop", { "secret-text.png": Buffer.from("no picture") });
      const [field] = await app.client.analysed(sample);
      // Noise: there is no head to tell the scale by, and so none at all.
      expect(field).toMatchObject({ state: "done", error: null, heads: 0 });
    } finally {
      const { status, stderr } = await app.end("SIGTERM");
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    }
    expect(await readdir(data)).not.toContain("lock");
    const found = json(await androscope(["app", "verify", "--data", data, "--json"]));
    expect(found).toMatchObject({ intact: true, originals: 1 });
    const expected = ["app", "verify", "--data", data, "--expect", "f".repeat(64), "--json"];
    expect((await androscope(expected)).status).toBe(1);
    const again = await started("--data", data);
    expect(again.document.token).not.toBe(app.document.token);
    expect((await again.client.call("listSamples", { query: {} })).samples).toHaveLength(1);
    expect((await again.end("SIGINT")).status).toBe(0);
  });

  test("starts without the file of the learned model in use, and says on the terminal which one is lost", async () => {
    const data = join(await temporary(), "data");
    const first = await started("--data", data);
    const reader = await first.client.newReader("Ada");
    await first.end("SIGTERM");
    // As if one had been learned and chosen: what the choice needs is its row alone.
    const model = "ab".repeat(32);
    const db = await openDatabase(join(data, "androscope.db"));
    db.transaction(() => {
      const learning = db.run(
        "INSERT INTO learnings (act, reader, samples, begun, state, before, model) VALUES ('a', ?, '[]', ?, 'done', 'm', ?)",
        ...[reader, "2026-01-01T00:00:00.000Z", model],
      );
      db.run("UPDATE model_in_use SET learning = ?", learning);
    });
    db.close();
    await mkdir(join(data, "models"), { recursive: true });
    // The first start has no file, the second a damaged one.
    for (const found of ["no file", "a file that is damaged"]) {
      const app = await started("--data", data);
      const { lostModel, learning } = await app.client.call("about");
      expect({ model: lostModel?.model, learning }).toEqual({ model, learning: null });
      const { status, stderr } = await app.end("SIGTERM");
      expect(status).toBe(0);
      expect(stderr).toContain(`models/${model}.onnx: expected the learned model that is in use here, found ${found}`);
      expect(stderr).toContain("The original model judges meanwhile");
      await writeFile(join(data, "models", `${model}.onnx`), "no model");
    }
    // It exits with 1 where something is not as the app left it.
    const { stdout } = await androscope(["app", "verify", "--data", data, "--json"]);
    const { faults } = JSON.parse(stdout) as { faults: unknown[] };
    expect(faults).toContainEqual({ where: `models/${model}`, problem: "the file is not what it was" });
  }, 120_000);

  test("refuses what it cannot do, and makes no folder for it", async () => {
    const data = join(await temporary(), "none");
    failure(await androscope(["app", "--port=70000", "--json", "--data", data]), "usage/bad-value");
    failure(await androscope(["app", "serve", "--json", "--data", data]), "usage/bad-value");
    failure(await androscope(["app", "verify", "--json", "--data", data]), "file/not-found");
    expect(existsSync(data)).toBe(false);
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => other.once("listening", listening));
    const { port } = other.address() as { port: number };
    try {
      const args = ["app", "--no-open", "--json", `--port=${port}`, "--data", data];
      expect(failure(await androscope(args), "server/address").where).toBe(`127.0.0.1:${port}`);
      expect(await readdir(data)).not.toContain("lock");
    } finally {
      other.close();
    }
  });

  test("killed at random moments loses nothing that it acknowledged, and opens again by itself", async () => {
    const result = await killMany(10, Number(process.env.ANDROSCOPE_TEST_SEED ?? 3));
    expect(result.kills).toBe(10);
    expect(result.decisions).toBeGreaterThan(0);
    expect(result.analysed + result.failed).toBe(result.images);
  });
});

test("the OpenAPI document has every route that is served, with its schemas, and is no second truth", async () => {
  const app = await started("--data", await temporary());
  try {
    const document = (await app.client.call("openapi")) as unknown as {
      openapi: string;
      paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[] }>>;
    };
    expect(document.openapi).toBe("3.1.0");
    const found = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, parameters }]) => ({
        path,
        method,
        operationId,
        parameters,
      })),
    );
    expect(found.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(API).sort());
    for (const { path, method, operationId, parameters } of found) {
      const route: Route = API[operationId as RouteName];
      expect(path).toBe(route.path.replace(/:(\w+)/g, "{$1}"));
      expect(method).toBe(route.method.toLowerCase());
      const named = parameters.filter((one) => one.in === "path").map(({ name }) => `{${name}}`);
      expect(named).toEqual(path.match(/\{\w+\}/g) ?? []);
    }
    expect(JSON.stringify(document)).not.toContain('"$schema"');
  } finally {
    await app.end("SIGTERM");
  }
});
