/** docs/performance.md from bench/results/: what stands between its markers is written here, never typed. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../src/runs/index.ts";
import type { Entry } from "./match.ts";
import { fromBusyMachine, resultsFile } from "./results.ts";
import type { Scaling } from "./scaling.ts";

export type Recorded = Entry & { machine: string };

export const DOCUMENT = fileURLToPath(new URL("../docs/performance.md", import.meta.url));

const digits = (value: number) => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
const number = (value: number) => value.toFixed(digits(value));

/** The comparison as Markdown. */
export function comparisonTable(entries: readonly Recorded[]): string {
  if (entries.length === 0) return "No result of this version is on record.";
  const rows = entries.map(({ name, version, ours, theirs, ratio, unit, cpuRatio, spread, threads, rounds, load }) => {
    const range = `${spread!.ratio.low.toFixed(2)} to ${spread!.ratio.high.toFixed(2)}`;
    return `| \`${name}\` | ${version} | ${number(ours!)} | ${number(theirs!)} | ${unit} | **${ratio!.toFixed(2)}** | ${range} | ${cpuRatio!.toFixed(2)} | ${threads} | ${rounds} | ${load.before.toFixed(1)}, ${load.after.toFixed(1)} |`;
  });
  const notes = entries.flatMap(({ name, peer, note }) => (note ? [`- \`${name}\`, ${peer}: ${note}`] : []));
  const machines = [...new Set(entries.map(({ machine, date }) => `${machine} (${date})`))].sort();
  return [
    "| what | peer | ours | theirs | unit | ratio | range | ratio of processor time | threads | rounds | load before, after |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...rows,
    "",
    `Measured on: ${machines.join("; ")}.`,
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** What sizes cost, as Markdown: a table for each, and the drawing. */
export function scalingTables({ machine, date, load, startup, sweeps }: Scaling): string {
  const start = startup.map(({ what, seconds }) => `| ${what} | ${seconds.toFixed(2)} s |`);
  const parts = sweeps.map(({ name, title, axis, unit, points }) => {
    const rows = points.map((p) => `| ${p.at} | ${number(p.rate)} | ${Math.round(p.peakRss / 1e6)} MB |`);
    return [
      `**${title}**`,
      "",
      `| ${axis} | ${unit} | peak memory |`,
      "|---|---|---|",
      ...rows,
      "",
      `![${title}](images/performance-${name}.svg)`,
    ].join("\n");
  });
  const cores = Number(/(\d+) cores/.exec(machine)?.[1] ?? 1);
  const shared = fromBusyMachine({ load: { ...load, before: Math.max(load.before, load.after) } }, cores);
  return [
    ...(shared ? ["Other programs used the machine: these show the shape of the cost, not its amount.", ""] : []),
    `Measured on: ${machine} (${date}), load ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after.`,
    "",
    "| start-up | median |",
    "|---|---|",
    ...start,
    "",
    parts.join("\n\n"),
  ].join("\n");
}

/** Replaces what stands between the markers of a block. @throws where the markers are missing */
export function filled(document: string, block: string, content: string): string {
  const [open, close] = [`<!-- bench:${block} -->`, `<!-- /bench:${block} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no ${open} … ${close}`);
  return `${document.slice(0, from + open.length)}\n${content}\n${document.slice(to)}`;
}

/** The document as the recorded results have it. */
export function withResults(document: string): string {
  const read = <T>(suffix: string): T | undefined => {
    const file = resultsFile(suffix);
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  };
  const entries = read<Recorded[]>("");
  const scaling = read<Scaling>("-scaling");
  const compared = entries ? filled(document, "comparison", comparisonTable(entries)) : document;
  return scaling ? filled(compared, "scaling", scalingTables(scaling)) : compared;
}

export async function writeReport(): Promise<void> {
  await writeFileAtomic(DOCUMENT, withResults(readFileSync(DOCUMENT, "utf8")));
}
