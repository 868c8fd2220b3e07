/** Peers in processes of their own: told in JSON lines when to work, they answer with the time taken. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TrainingSession } from "../src/autodiff/index.ts";
import type { Contestant, Timing } from "./case.ts";

export class PeerProcess implements Contestant {
  /** What it said first: its name and whatever else it has to tell. */
  readonly hello: Readonly<Record<string, unknown>>;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, hello: Record<string, unknown>) {
    this.#child = child;
    this.#lines = lines;
    this.hello = hello;
  }

  static async start(command: string, args: readonly string[]): Promise<PeerProcess> {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      // How long a thread of GNU OpenMP that has nothing to do watches for work before it sleeps: about as long as ours
      // (0.2 ms). Measured on the tuning step in crops/s, quiet machine and busy one: 407 to 428 and 90 to 163; with its
      // default of milliseconds 380 to 433 and 68; without watching (OMP_WAIT_POLICY=PASSIVE) 340 to 346 and 153 to 182.
      // Whoever sets these variables has the last word.
      env: { GOMP_SPINCOUNT: "10000", ...process.env },
    });
    await once(child, "spawn");
    const lines = (createInterface({ input: child.stdout! }) satisfies Interface)[Symbol.asyncIterator]();
    return new PeerProcess(child, lines, await answer(lines, args));
  }

  get name(): string {
    return String(this.hello.name);
  }

  async turn(amount: number): Promise<Timing> {
    this.#child.stdin!.write(`${JSON.stringify({ amount })}\n`);
    const { seconds, cpu } = await answer(this.#lines, this.#child.spawnargs);
    return { seconds: seconds as number, cpu: cpu as number };
  }

  async stop(): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, "exit") : undefined;
    this.#child.stdin!.end();
    await ended;
  }
}

async function answer(lines: AsyncIterator<string>, args: readonly string[]): Promise<Record<string, unknown>> {
  const { value, done } = await lines.next();
  if (done) throw new Error(`the peer ended before it answered: ${args.join(" ")}`);
  return JSON.parse(value);
}

const peerFile = (name: string) => fileURLToPath(new URL(`./peers/${name}`, import.meta.url));
const found = new Map<string, string | undefined>();

/** A Python that has a module, or undefined. $PYTHON is asked first. */
function pythonWith(module: string): string | undefined {
  if (!found.has(module)) {
    const candidates = [process.env.PYTHON, "python3", "/usr/bin/python3"].filter((x) => x !== undefined);
    const has = (python: string) => spawnSync(python, ["-c", `import ${module}`], { stdio: "ignore" }).status === 0;
    found.set(module, candidates.find(has));
  }
  return found.get(module);
}

/** Starts bench/peers/`script`, or undefined where no Python has the module. */
export async function pythonPeer(
  module: string,
  script: string,
  args: readonly string[],
): Promise<PeerProcess | undefined> {
  const python = pythonWith(module);
  return python === undefined ? undefined : PeerProcess.start(python, [peerFile(script), ...args]);
}

/** Starts bench/peers/`script` under this Node, or undefined where a package that it needs is not installed. */
export async function nodePeer(
  packages: readonly string[],
  script: string,
  args: readonly string[],
): Promise<PeerProcess | undefined> {
  const { resolve } = createRequire(import.meta.url);
  try {
    for (const name of packages) resolve(name);
  } catch {
    return undefined;
  }
  return PeerProcess.start(process.execPath, [peerFile(script), ...args]);
}

/** Times work of this process. */
export async function timed(work: () => Promise<void>): Promise<Timing> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

/** Training hands over so many steps at a time (src/learning/training.ts), and so do its benchmarks. */
const STEPS_AT_ONCE = 8;

/** Steps in as few calls as training would take. @param next what the next step is given */
export async function runSteps(
  session: TrainingSession,
  amount: number,
  next: () => ReturnType<Parameters<TrainingSession["runMany"]>[1]>,
): Promise<void> {
  for (let left = amount; left > 0; left -= STEPS_AT_ONCE) await session.runMany(Math.min(left, STEPS_AT_ONCE), next);
}
