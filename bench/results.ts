/** Results kept per release: bench/results/VERSION.json and VERSION-scaling.json. */
import { existsSync } from "node:fs";
import { arch, cpus, platform } from "node:os";
import { fileURLToPath } from "node:url";
import { readJson, version, writeJson } from "../src/runs/index.ts";
import type { Entry } from "./match.ts";

/** @param suffix "" for the comparison, "-scaling" for what sizes cost */
export const resultsFile = (suffix = "") =>
  fileURLToPath(new URL(`./results/${version()}${suffix}.json`, import.meta.url));

/** What the machine is called, for the reader of a figure. */
export const machine = () => `${cpus()[0]?.model.trim() ?? arch()}, ${cpus().length} cores, ${platform()}`;

/** Nobody can reproduce the sixth digit, and diffs are for reading. */
export function rounded<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, v) => (typeof v === "number" && !Number.isInteger(v) ? Number(v.toPrecision(5)) : v)),
  );
}

/** New entries in the place of old ones of the same name and peer, the rest as it was. */
export function merged(old: readonly Entry[], added: readonly Entry[]): Entry[] {
  const key = ({ name, peer }: Entry) => `${name} ${peer}`;
  const all = new Map([...old, ...added].map((entry) => [key(entry), entry]));
  return [...all.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Puts entries into this release's results; skipped peers leave what was there. */
export async function record(entries: readonly Entry[]): Promise<void> {
  const file = resultsFile();
  const old = existsSync(file) ? await readJson<Entry[]>(file) : [];
  const measured = entries.filter(({ ratio }) => ratio !== null).map((entry) => ({ ...entry, machine: machine() }));
  await writeJson(file, rounded(merged(old, measured)));
}
