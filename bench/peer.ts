/** A peer to measure against: a child process that is told in JSON lines when to work and answers with the time taken. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

export class Peer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Starts it; its first line says what it is. */
  static async start(
    command: string,
    args: readonly string[],
  ): Promise<{ peer: Peer; hello: Record<string, unknown> }> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    await once(child, "spawn");
    const peer = new Peer(child, createInterface({ input: child.stdout! }));
    return { peer, hello: await peer.#answer() };
  }

  async ask(message: object): Promise<Record<string, unknown>> {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
    return this.#answer();
  }

  async stop(): Promise<void> {
    const ended = this.#child.exitCode === null ? once(this.#child, "exit") : undefined;
    this.#child.stdin!.end();
    await ended;
  }

  async #answer(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the peer ended before it answered");
    return JSON.parse(value);
  }
}

/** A Python that has PyTorch, or undefined. $PYTHON is asked first. */
export function pythonWithTorch(): string | undefined {
  const candidates = [process.env.PYTHON, "python3", "/usr/bin/python3"].filter((x) => x !== undefined);
  return candidates.find((python) => spawnSync(python, ["-c", "import torch"], { stdio: "ignore" }).status === 0);
}
