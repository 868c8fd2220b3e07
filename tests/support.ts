/** What the end-to-end tests share: the real command in a child process, temporary folders, drawn crops. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, vi } from "vitest";
import { type ErrorCode, encodePng, type Image, Random } from "../src/index.ts";

// Seconds on a machine with nothing else to do; many times that beside a training that takes all cores.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

export const BIN = fileURLToPath(new URL("../bin/androscope", import.meta.url));

/** A network and a training that take a second: nobody asks whether it learns. Wavelets would take a third more. */
export const TINY_CONFIG = {
  network: { widths: [8, 8, 8, 8], blocks: [1, 1, 1, 1], viewSize: 32 },
  distill: { steps: 4, batch: 4 },
  tune: { steps: 4, batch: 4, wavelets: null, testViews: { rotations: [0] } },
};
export const TINY = [
  "--threads=1",
  ...Object.entries(TINY_CONFIG).flatMap(([part, settings]) =>
    Object.entries(settings).map(([key, value]) => `--set=${part}.${key}=${JSON.stringify(value)}`),
  ),
];

/** After {@link TINY}: a probe on wavelets beside the network, as by default. */
export const WAVELETS = "--set=tune.wavelets={}";

const folders: string[] = [];
afterAll(async () => {
  for (const path of folders) await rm(path, { recursive: true, force: true });
});

/** A folder that is removed after the tests of the file. */
export async function temporary(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "androscope-test-"));
  folders.push(path);
  return path;
}

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `androscope …` to its end. */
export function androscope(
  args: readonly string[],
  options: { cwd?: string; bin?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const { cwd, env, bin = BIN } = options;
  return finished(spawn(bin, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
}

/** Runs a line of shell, in which `$BIN` is the command. */
export function shell(line: string, cwd?: string): Promise<Outcome> {
  const env = { ...process.env, BIN };
  return finished(spawn("bash", ["-c", line], { cwd, env, stdio: ["ignore", "pipe", "pipe"] }));
}

const running = new Set<ReturnType<typeof spawn>>();
afterAll(() => {
  // What a test that took too long has left.
  for (const child of running) child.kill("SIGKILL");
});

function finished(child: ReturnType<typeof spawn>): Promise<Outcome> {
  running.add(child);
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      running.delete(child);
      resolve({ status, stdout, stderr });
    });
  });
}

/** The document on stdout of a call with --json that went well. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
export function json({ status, stdout, stderr }: Outcome): any {
  expect(stderr).not.toContain("should not happen");
  expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** Checks the failure of a call with --json: the code, the four things a person needs, the exit status, pure stdout. */
export function failure({ status, stdout, stderr }: Outcome, code: ErrorCode) {
  expect(stderr).toContain(`[${code}]`);
  expect(stderr).not.toMatch(/\n\s+at .*:\d+/);
  const { error } = JSON.parse(stdout);
  expect(error).toMatchObject({
    code,
    expected: expect.stringMatching(/\S/),
    found: expect.stringMatching(/\S/),
    fix: expect.stringMatching(/\S/),
  });
  for (const part of [error.expected, error.found, error.fix]) expect(stderr).toContain(part);
  expect(status).toBe(code.startsWith("usage/") ? 2 : 1);
  return error as { code: string; expected: string; found: string; where?: string; fix: string; message: string };
}

/** A stained head on a pale ground, 40×40: an oval `long` times as long as wide, turned, lighter at one end. */
export function drawnCrop(long: number, seed: number, side = 40): Image {
  const random = Random.seeded(seed).stream("crop", long);
  const turn = random.uniform(0, Math.PI);
  const data = new Uint8Array(side * side * 3);
  const wide = 0.16 * side;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [dx, dy] = [x + 0.5 - side / 2, y + 0.5 - side / 2];
      const along = (dx * Math.cos(turn) + dy * Math.sin(turn)) / (wide * long);
      const across = (dy * Math.cos(turn) - dx * Math.sin(turn)) / wide;
      const inside = along ** 2 + across ** 2 < 1;
      const colour = inside ? (along < 0 ? [180, 140, 190] : [100, 70, 150]) : [225, 210, 220];
      for (let c = 0; c < 3; c++) data[(y * side + x) * 3 + c] = colour[c]! + random.normal(0, 3);
    }
  }
  return { width: side, height: side, data };
}

/** Writes files, given as content or as what gives it, with their folders. */
export async function write(root: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

/** A dataset of two classes, `count` drawn crops each. */
export async function twoClasses(count: number, root?: string): Promise<string> {
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < count; i++) {
    files[`Round/${i}.png`] = await encodePng(drawnCrop(1.1, i));
    files[`Tapered/${i}.png`] = await encodePng(drawnCrop(2, i));
  }
  return write(root ?? (await temporary()), files);
}

/** Trains a tiny model on drawn crops. @returns its path */
export async function tinyModel(): Promise<string> {
  const out = join(await temporary(), "run");
  const dataset = await twoClasses(4);
  return json(await androscope(["train", dataset, "--out", out, "--json", ...TINY])).model;
}
