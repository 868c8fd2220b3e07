/** Results kept per release: bench/results/VERSION.json and VERSION-scaling.json. */
import { existsSync } from "node:fs";
import { arch, availableParallelism, cpus, platform } from "node:os";
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

/**
 * Above this load per core other programs share the machine. They do not slow both sides alike: the same version of the
 * tuning step against PyTorch measured 0.60 at a load of 3 on two cores and 1.56 at 4. A match itself makes a load of 1.
 */
export const MOST_LOAD_PER_CORE = 1.6;

export const fromBusyMachine = ({ load }: Pick<Entry, "load">, cores = availableParallelism()) =>
  load.before > MOST_LOAD_PER_CORE * cores;

/**
 * Puts entries into this release's results; skipped peers leave what was there, and so do figures from a busy machine.
 * @returns the entries left out for the latter
 */
export async function record(entries: readonly Entry[]): Promise<Entry[]> {
  const file = resultsFile();
  const old = existsSync(file) ? await readJson<Entry[]>(file) : [];
  const measured = entries.filter((entry) => entry.ratio !== null && !fromBusyMachine(entry));
  const named = measured.map((entry) => ({ ...entry, machine: machine() }));
  await writeJson(file, rounded(merged(old, named)));
  return entries.filter((entry) => entry.ratio !== null && fromBusyMachine(entry));
}
