/** Builds the page in a checkout: once, and again where its sources are others than it was built from. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const VITE = join(ROOT, "node_modules/vite/bin/vite.js");
const FOLDER = join(ROOT, "web/dist");
/** In the built page: the sum of what it was built from. */
const STAMP = "sources.sha256";
/** What the page consists of beside web/: packages, and the figures that it shares with the program. */
const BESIDE = ["package-lock.json", "src/evaluation/metrics.ts", "src/evaluation/discrimination.ts"];

export type PageBuild =
  | { state: "current" | "built" }
  /** Not a checkout, or installed without what builds it: what is there is served. */
  | { state: "cannot" }
  | { state: "failed"; detail: string };

/** A second or so where something is to do. Others that start meanwhile see the old page or the new one, never half. */
export async function buildPage(): Promise<PageBuild> {
  if (!existsSync(VITE) || !existsSync(join(ROOT, "web/index.html"))) return { state: "cannot" };
  const sum = await sumOfSources();
  const stamp = await readFile(join(FOLDER, STAMP), "utf8").catch(() => "");
  if (stamp === sum) return { state: "current" };
  const [fresh, old] = [`${FOLDER}-${process.pid}`, `${FOLDER}-${process.pid}-old`];
  try {
    const { status, output } = await runVite(fresh);
    if (status !== 0) return { state: "failed", detail: output };
    await writeFile(join(fresh, STAMP), sum);
    await rename(FOLDER, old).catch(() => {});
    // Where another start was quicker, its page is as good.
    await rename(fresh, FOLDER).catch((error) => {
      if (!existsSync(join(FOLDER, STAMP))) throw error;
    });
    return { state: "built" };
  } finally {
    for (const folder of [fresh, old]) await rm(folder, { recursive: true, force: true });
  }
}

function runVite(folder: string): Promise<{ status: number | null; output: string }> {
  const args = [VITE, "build", join(ROOT, "web"), "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"];
  // Whatever started this: a test, say, would have React's development build made, twice as large.
  const env = { ...process.env, NODE_ENV: "production" };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output }));
  });
}

async function sumOfSources(): Promise<string> {
  const sum = createHash("sha256");
  const entries = await readdir(join(ROOT, "web"), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(FOLDER));
  for (const path of [...files.sort(), ...BESIDE.map((name) => join(ROOT, name))]) {
    sum.update(`${path.slice(ROOT.length)}\n`).update(await readFile(path));
  }
  return sum.digest("hex");
}
