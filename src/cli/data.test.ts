import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { silent } from "../runs/index.ts";
import { parseInvocation } from "./command.ts";
import { command } from "./data.ts";

const run = (...args: string[]) => command.run({ ...parseInvocation(command, args), progress: silent });

async function temporary(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "androscope-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("phantoms are drawn, described, and described by default", async () => {
  const out = join(await temporary(), "phantoms");
  expect(await run("phantoms", "--out", out, "--n", "10")).toMatchObject({ json: { images: 10 } });
  const described = await run("describe", out);
  expect(described.json).toMatchObject({ images: 10, unlabelled: 0, duplicates: [], problems: [] });
  expect(described.text).toContain("Tapered    2");
  expect((await run(out)).json).toEqual(described.json);
  await expect(run("phantoms", "--out", out)).rejects.toMatchObject({ code: "file/not-writable" });
});

test("a manifest of a folder opens as the same dataset", async () => {
  const out = join(await temporary(), "phantoms");
  await run("phantoms", "--out", out, "--n", "5");
  const file = join(out, "images", "all.csv");
  const written = await run("manifest", join(out, "images"), "--out", file);
  expect(((await run(file)).json as { hash: string }).hash).toBe((written.json as { hash: string }).hash);
});

test("what is missing or misspelt is named, with the way on", async () => {
  await expect(run("import", "hushem")).rejects.toMatchObject({
    code: "usage/missing-argument",
    fix: expect.stringContaining("10.17632/tt3yj2pf38.3"),
  });
  await expect(run("import", "hushem", "--from", "x.zip")).rejects.toMatchObject({ code: "usage/missing-argument" });
  await expect(run("import", "imagenet", "--from", "x", "--to", "y")).rejects.toMatchObject({
    code: "usage/bad-value",
  });
  await expect(run("import", "constructor")).rejects.toMatchObject({ code: "usage/bad-value" });
  await expect(run()).rejects.toMatchObject({ code: "usage/missing-argument" });
  await expect(run(".", "--attribute", "neck")).rejects.toMatchObject({ code: "usage/bad-value" });
  await expect(run("manifest", ".")).rejects.toMatchObject({ code: "usage/missing-argument" });
  await expect(run("phantoms", "--out", "x", "--n", "0")).rejects.toMatchObject({ code: "usage/bad-value" });
});

test("an import that is interrupted leaves nothing behind", async () => {
  const root = await temporary();
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("PK");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hushem.zip`;
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "data", "import", "hushem", "--from", url, "--to", join(root, "out")]);
  await expect.poll(() => readdir(root), { timeout: 30_000 }).toEqual([expect.stringMatching(/\.part$/)]);
  child.kill("SIGTERM");
  const [, signal] = await once(child, "exit");
  expect(signal).toBe("SIGTERM");
  expect(await readdir(root)).toEqual([]);
});

test("a failed import says so on stderr, with its code and exit 1", async () => {
  const root = await temporary();
  await writeFile(join(root, "page.zip"), "<html>");
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const args = [
    main,
    "data",
    "import",
    "hushem",
    "--from",
    join(root, "page.zip"),
    "--to",
    join(root, "out"),
    "--json",
  ];
  const child = spawn(process.execPath, args);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(stderr).toContain("[data/import]");
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "data/import" } });
  expect(await readdir(root)).toEqual(["page.zip"]);
});
