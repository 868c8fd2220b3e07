/**
 * A helper process that does one thing after another for the server: what may take long, much memory or crash in native
 * code happens there, and the server goes on answering. It is started when first needed, ended where it takes too long,
 * and started anew after that. It ends with the server, even if that is killed.
 */
import { type ChildProcess, fork } from "node:child_process";
import { AndroscopeError, type ErrorCode, type ErrorDetail, isAndroscopeError } from "../runs/index.ts";

/** What goes to the helper and what comes back. */
export interface Order {
  id: number;
  work: unknown;
}
export type Answer = { id: number; result: unknown } | { id: number; failure: Failure } | { id: number; news: unknown };
/** Errors lose their class between processes: those of the catalogue travel as their parts. */
type Failure = { code: ErrorCode; detail: ErrorDetail } | { message: string };

export interface Limits {
  /** Of one order, from its begin. */
  milliseconds: number;
  tooSlow: () => AndroscopeError;
  signal?: AbortSignal | undefined;
  /** Called with what the helper tells of an order while it is at it. */
  heard?: ((news: never) => void) | undefined;
}

export class Helper {
  readonly #module: URL;
  readonly #args: readonly string[];
  readonly #crashed: (how: string) => AndroscopeError;
  #process: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;
  #closed = false;

  /** @param crashed the error of an order in the middle of which the process ended */
  constructor(module: URL, args: readonly string[], crashed: (how: string) => AndroscopeError) {
    this.#module = module;
    this.#args = args;
    this.#crashed = crashed;
  }

  /** Does an order when those before it are done. @throws what the helper throws of the catalogue, and the limits' errors */
  run<T>(work: unknown, limits: Limits): Promise<T> {
    const result = this.#last.then(() => this.#runNow<T>(work, limits));
    this.#last = result.catch(() => {});
    return result;
  }

  async #runNow<T>(work: unknown, { milliseconds, tooSlow, signal, heard }: Limits): Promise<T> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#crashed("the server ends");
    const process = this.#running();
    const id = ++this.#count;
    return new Promise<T>((resolve, reject) => {
      const end = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        process.off("message", hear);
        process.off("exit", exit);
        process.off("error", exit);
        act();
      };
      const giveUp = (error: unknown) => {
        this.#kill();
        end(() => reject(error));
      };
      const timer = setTimeout(() => giveUp(tooSlow()), milliseconds);
      const abort = () => giveUp(signal?.reason);
      const hear = (answer: Answer) => {
        if (answer.id !== id) return;
        if ("news" in answer) return heard?.(answer.news as never);
        end(() => ("result" in answer ? resolve(answer.result as T) : reject(this.#asError(answer.failure))));
      };
      const exit = (status: unknown, by: unknown) => {
        this.#process = undefined;
        end(() => reject(this.#crashed(`its process ended (${by ?? status})`)));
      };
      signal?.addEventListener("abort", abort);
      process.on("message", hear);
      process.once("exit", exit);
      process.once("error", exit);
      process.send({ id, work } satisfies Order, (error) => error && giveUp(this.#crashed(error.message)));
    });
  }

  #running(): ChildProcess {
    if (this.#process?.connected) return this.#process;
    const started = fork(this.#module, this.#args, {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      // Pixels come back as bytes.
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    // Whoever waits for an answer hears of it by its own listener.
    started.on("error", () => {});
    started.once("exit", () => {
      if (this.#process === started) this.#process = undefined;
    });
    this.#process = started;
    return started;
  }

  #kill(): void {
    this.#process?.kill("SIGKILL");
    this.#process = undefined;
  }

  #asError(failure: Failure): Error {
    return "code" in failure ? new AndroscopeError(failure.code, failure.detail) : this.#crashed(failure.message);
  }

  /** Ends the process, whatever it is at. */
  close(): void {
    this.#closed = true;
    this.#kill();
  }
}

/** The helper's side: answers orders one at a time, and ends with the server. */
export function serveOrders(perform: (work: never, tell: (news: unknown) => void) => Promise<unknown>): void {
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // A terminal sends these to all processes of a command. The server decides; its end is ours.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("message", async ({ id, work }: Order) => {
    const tell = (news: unknown) => void process.send?.({ id, news } satisfies Answer, () => {});
    const answer = await perform(work as never, tell).then(
      (result): Answer => ({ id, result }),
      (error): Answer => ({ id, failure: failureOf(error) }),
    );
    process.send?.(answer, () => {});
  });
}

function failureOf(error: unknown): Failure {
  if (!isAndroscopeError(error)) return { message: String((error as Error)?.message ?? error) };
  const { code, expected, found, where, fix } = error;
  return { code, detail: { expected, found, fix, ...(where === undefined ? {} : { where }) } };
}
