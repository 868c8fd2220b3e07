/**
 * npm run bench: Androscope beside its peers, in turns, in one run.
 * npm run bench -- scaling: what it costs against batch, image and dataset size and threads (bench/scaling.ts).
 * npm run bench -- report: writes docs/performance.md from bench/results/ (bench/report.ts).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { terminalProgress, writeJson } from "../src/runs/index.ts";
import type { BenchmarkCase } from "./case.ts";
import { type Entry, match } from "./match.ts";
import { writeReport } from "./report.ts";
import { record } from "./results.ts";
import { isWanted, type Spread } from "./statistics.ts";

const HELP = `npm run bench -- [options]          compare with other programs, turn by turn
npm run bench -- scaling [--quick]  measure memory, start-up and cost against sizes; record and draw them
npm run bench -- report             write docs/performance.md from the recorded results

  --only NAME     cases whose name begins so, or matches a pattern with *; may be given more than once
  --threads N     threads of either side (2)
  --rounds N      rounds, each with one turn of either side (9)
  --quick         3 rounds: a look, not a result
  --json FILE     write the results as a list of {name, peer, ours, theirs, ratio, unit, …}; above 1 we are faster
  --record        put the results into bench/results/VERSION.json and docs/performance.md, where the machine was quiet
  --list          list the cases and their peers
  --profile PREFIX  also let ONNX Runtime profile our side of train-step/*, into files that begin so; slower

Example: npm run bench -- --only train-step/ --rounds 5 --json tmp/bench.json
`;

async function allCases(): Promise<BenchmarkCase[]> {
  const folder = new URL("./cases/", import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const modules = await Promise.all(
    files.sort().map((file) => import(new URL(file, folder).href) as Promise<{ cases?: BenchmarkCase[] }>),
  );
  return modules.flatMap(({ cases }) => cases ?? []);
}

const digits = (value: number) => (value >= 100 ? 0 : value >= 10 ? 1 : 2);
const show = ({ median, low, high }: Spread, decimals = digits(median)) =>
  `${median.toFixed(decimals)} (${low.toFixed(decimals)} to ${high.toFixed(decimals)})`;

function lines({ name, peer, unit, version, spread, threads, rounds, load }: Entry, install: string): string {
  if (!spread || !version) return `${name}: ${peer} is not installed, skipped. To compare: ${install}`;
  return [
    `${name}, ${threads} threads, ${rounds} rounds, ${unit}; load ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after`,
    `  Androscope  ${show(spread.ours)}`,
    `  ${version}  ${show(spread.theirs)}`,
    `  ratio  ${show(spread.ratio, 2)}; of processor time  ${show(spread.cpuRatio, 2)}`,
  ].join("\n");
}

function warnOfBusyMachine(): void {
  const [load, cores] = [loadavg()[0]!, availableParallelism()];
  if (load <= cores * 0.75) return;
  process.stderr.write(
    `bench: other programs are using this machine (load ${load.toFixed(1)} on ${cores} cores). Results want a quiet one.\n`,
  );
}

async function compareOne(test: BenchmarkCase, threads: number, rounds: number): Promise<Entry[]> {
  const progress = terminalProgress();
  const entries: Entry[] = [];
  const ours = await test.ours(threads);
  try {
    for (const peer of test.peers) {
      progress.start(`${test.name} against ${peer.peer}`, rounds);
      const entry = await match(test, peer, ours, { threads, rounds, onRound: (n) => progress.update(n) });
      progress.finish();
      progress.log(lines(entry, peer.install));
      entries.push(entry);
    }
  } finally {
    await ours.stop();
  }
  return entries;
}

/**
 * Every case in a process of its own, as it runs outside a benchmark: one that came after others inherited their heap
 * and what the compiler had learnt of other types, and measured up to a third slower.
 * @param keep called with all results so far: what is done survives an interruption
 */
async function compare(
  cases: readonly BenchmarkCase[],
  threads: number,
  rounds: number,
  keep: (entries: readonly Entry[]) => Promise<void>,
): Promise<void> {
  if (cases.length === 1) return keep(await compareOne(cases[0]!, threads, rounds));
  const folder = await mkdtemp(join(tmpdir(), "androscope-bench-"));
  try {
    const entries: Entry[] = [];
    for (const { name } of cases) {
      const file = join(folder, `${entries.length}.json`);
      const args = ["--case", name, "--threads", `${threads}`, "--rounds", `${rounds}`, "--json", file];
      const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...args], {
        stdio: "inherit",
      });
      const [code, signal] = await once(child, "exit");
      if (code !== 0) throw new Error(`${name} ended with ${signal ?? `status ${code}`}`);
      entries.push(...(JSON.parse(await readFile(file, "utf8")) as Entry[]));
      await keep(entries);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A whole number of at least 1. */
function count(text: string, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${option}: a whole number above 0 is expected, not ${JSON.stringify(text)}`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: "string", multiple: true, default: [] },
      threads: { type: "string", default: "2" },
      rounds: { type: "string", default: "9" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      record: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      profile: { type: "string" },
      // One case by its whole name: how this program calls itself.
      case: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (rest.length > 0 || (command !== undefined && command !== "scaling" && command !== "report")) {
    process.stderr.write(`${HELP}\nThere is no ${JSON.stringify(positionals.join(" "))}.\n`);
    return 2;
  }
  if (command === "report") {
    await writeReport();
    return 0;
  }
  if (command === "scaling") {
    const { measureScaling } = await import("./scaling.ts");
    await measureScaling({ quick: values.quick, progress: terminalProgress() });
    await writeReport();
    return 0;
  }
  // Cases read it when they start: it is theirs to know how to profile.
  if (values.profile !== undefined) process.env.ANDROSCOPE_BENCH_PROFILE = values.profile;
  const wanted = (name: string) => (values.case === undefined ? isWanted(name, values.only) : name === values.case);
  const cases = (await allCases()).filter(({ name }) => wanted(name));
  if (cases.length === 0) {
    process.stderr.write(`No case is called ${values.only.join(", ")}. npm run bench -- --list shows them all.\n`);
    return 2;
  }
  if (values.list) {
    for (const { name, unit, peers } of cases)
      process.stdout.write(`${name} (${unit}): ${peers.map(({ peer }) => peer).join(", ")}\n`);
    return 0;
  }
  if (values.case === undefined) warnOfBusyMachine();
  const threads = count(values.threads, "--threads");
  const rounds = values.quick ? 3 : count(values.rounds, "--rounds");
  let left: Entry[] = [];
  await compare(cases, threads, rounds, async (entries) => {
    if (values.json !== undefined) await writeJson(values.json, entries);
    if (values.record) left = await record(entries);
  });
  for (const { name, peer, load } of left)
    process.stderr.write(`bench: ${name} against ${peer} is not recorded: the load was ${load.before.toFixed(1)}.\n`);
  if (values.record) await writeReport();
  return 0;
}

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  return 1;
});
