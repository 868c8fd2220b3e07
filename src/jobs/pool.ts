/**
 * Does tasks in several processes at once: a process for each, with an ONNX Runtime of its own, so that a crash costs
 * one task and all memory is given back. What a task computes does not depend on where or beside what it runs.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { AndroscopeError, type Progress } from "../runs/index.ts";
import { errorOf, type Order, type Report } from "./messages.ts";
import { Overview } from "./overview.ts";
import type { Task } from "./task.ts";

/** A worker that ends in the middle is started again, once: the task goes on from its checkpoint. */
const ATTEMPTS = 2;

export interface PoolHooks {
  /** Called as a task begins, is begun again after a crash, and is done; one call at a time. */
  started?(task: Task): Promise<void>;
  restarted?(task: Task, how: string): Promise<void>;
  finished?(task: Task): Promise<void>;
}

interface Job {
  readonly task: Task;
  readonly batch: Batch;
  attempts: number;
}

/** The tasks of one call. */
interface Batch {
  readonly hooks: PoolHooks;
  readonly pending: Set<string>;
  readonly settle: (error?: unknown) => void;
  /** Calls of hooks, one after the other. */
  calls: Promise<void>;
  failed: boolean;
}

export class WorkerPool {
  readonly #workers: number;
  readonly #overview: Overview;
  readonly #waiting: Job[] = [];
  readonly #running = new Map<Job, ChildProcess>();

  /** @param workers processes at one time */
  constructor({ workers, progress }: { workers: number; progress: Progress }) {
    this.#workers = workers;
    this.#overview = new Overview(workers, progress);
  }

  /**
   * Does tasks, the first first. May be called again while others are under way: all share the workers. Returns when all
   * are done, or one failed and the others of the call were ended.
   * @throws what a task threw, with its code; `job/crashed`
   */
  async run(tasks: readonly Task[], hooks: PoolHooks = {}): Promise<void> {
    if (tasks.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const batch: Batch = {
      hooks,
      pending: new Set(tasks.map(({ id }) => id)),
      settle: (error) => (error === undefined ? resolve() : reject(error)),
      calls: Promise.resolve(),
      failed: false,
    };
    for (const task of tasks) {
      this.#waiting.push({ task, batch, attempts: 0 });
      this.#overview.add(task);
    }
    this.#fill();
    return promise;
  }

  /** Gives every free worker the first task that need not wait for another. */
  #fill(): void {
    while (this.#running.size < this.#workers) {
      const next = this.#waiting.findIndex(({ task, batch }) => !task.after || !batch.pending.has(task.after));
      if (next < 0) return;
      const [job] = this.#waiting.splice(next, 1);
      void this.#do(job!);
    }
  }

  async #do(job: Job): Promise<void> {
    const { task, batch } = job;
    job.attempts++;
    let child: ChildProcess | undefined;
    try {
      child = startWorker();
      this.#running.set(job, child);
      if (job.attempts === 1) await this.#call(batch, () => batch.hooks.started?.(task));
      const crash = batch.failed ? undefined : await this.#supervise(child, task);
      await endWorker(child);
      this.#running.delete(job);
      if (batch.failed) return;
      if (crash === undefined) {
        await this.#call(batch, () => batch.hooks.finished?.(task));
        this.#overview.finish(task);
        batch.pending.delete(task.id);
        if (batch.pending.size === 0) batch.settle();
      } else {
        if (job.attempts === ATTEMPTS) throw crashed(task, crash);
        await this.#call(batch, () => batch.hooks.restarted?.(task, crash));
        this.#waiting.unshift(job);
      }
    } catch (error) {
      if (child) await endWorker(child);
      this.#running.delete(job);
      await this.#fail(batch, error);
    } finally {
      this.#fill();
    }
  }

  /** Gives the task out and follows it. @returns how the process ended where it did so by itself; @throws the task's error */
  #supervise(child: ChildProcess, task: Task): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      child.on("message", (report: Report) => {
        switch (report.type) {
          case "ready":
            // One that has just died cannot be told; its end says the rest.
            child.send(task satisfies Order, () => {});
            break;
          case "progress":
            this.#overview.update(task, report.done, report.note);
            break;
          case "remark":
            this.#overview.log(`${task.label}: ${report.line}`);
            break;
          case "done":
            resolve(undefined);
            break;
          case "failed":
            reject(errorOf(report.failure));
        }
      });
      const ended = (how: string) => resolve(how);
      // The code alone: the message may name a path, and what is said here is written down.
      child.on("error", ({ code }: NodeJS.ErrnoException) => ended(`could not be started (${code})`));
      child.once("exit", (code, signal) => ended(signal ? `ended by ${signal}` : `ended with exit code ${code}`));
    });
  }

  #call(batch: Batch, hook: () => Promise<void> | undefined): Promise<void> {
    const call = batch.calls.then(hook);
    // What one throws is for its own caller.
    batch.calls = call.catch(() => {});
    return call;
  }

  /** Ends what else the call had begun: half of its result is of no use, and its checkpoints are there. */
  async #fail(batch: Batch, error: unknown): Promise<void> {
    if (batch.failed) return;
    batch.failed = true;
    for (let i = this.#waiting.length - 1; i >= 0; i--)
      if (this.#waiting[i]!.batch === batch) this.#waiting.splice(i, 1);
    const others = [...this.#running].filter(([job]) => job.batch === batch);
    await Promise.all(others.map(([, child]) => endWorker(child)));
    await batch.calls;
    this.#overview.drop((task) => batch.pending.has(task.id));
    batch.settle(error);
  }
}

function startWorker(): ChildProcess {
  // Beside this file, with the same ending.
  const entry = new URL(import.meta.url.replace(/pool(\.\w+)$/, "worker$1"));
  return fork(entry, [], {
    // As in scripts/with-node.mjs, by which the program that uses us need not have been started.
    env: { ...process.env, GLIBC_TUNABLES: process.env.GLIBC_TUNABLES ?? "glibc.malloc.hugetlb=1" },
    execArgv: ["--disable-warning=ExperimentalWarning"],
    // Standard output belongs to the result of the command.
    stdio: ["ignore", 2, 2, "ipc"],
  });
}

/** Ends a worker, whatever it does, and waits until it has gone. */
async function endWorker(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

function crashed({ label }: Task, how: string): AndroscopeError {
  return new AndroscopeError("job/crashed", {
    expected: "a worker process that does its task",
    found: `one that ${how}, ${ATTEMPTS} times`,
    where: label,
    fix: "Systems end processes so when memory runs out: free some, or use fewer --workers, and continue with --resume.",
  });
}
