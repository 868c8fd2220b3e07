/** What a pool and its workers say to each other. Everything else they share is files. */
import { AndroscopeError, ERROR_CODES, type ErrorCode, isAndroscopeError } from "../runs/index.ts";
import type { Task } from "./task.ts";

/** From the pool: the one task of this process. */
export type Order = Task;

/** From a worker. */
export type Report =
  | { type: "ready" }
  /** Units done, and a remark such as a loss. */
  | { type: "progress"; done: number; note: string }
  | { type: "remark"; line: string }
  /** Its result is in its files. */
  | { type: "done" }
  | { type: "failed"; failure: Failure };

/** An error on its way to another process. */
export type Failure =
  | { code: ErrorCode; expected: string; found: string; where?: string; fix: string }
  | { code?: undefined; message: string; stack?: string };

export function failureOf(error: unknown): Failure {
  if (isAndroscopeError(error)) {
    const { code, expected, found, where, fix } = error;
    return { code, expected, found, ...(where === undefined ? {} : { where }), fix };
  }
  return error instanceof Error ? { message: error.message, stack: error.stack } : { message: String(error) };
}

/** The error as it was thrown, with its code; a fault of the program keeps the stack of where it happened. */
export function errorOf(failure: Failure): Error {
  if (failure.code !== undefined && failure.code in ERROR_CODES) {
    const { code, ...detail } = failure;
    return new AndroscopeError(code, detail);
  }
  const { message, stack } = failure as { message: string; stack?: string };
  return Object.assign(new Error(message), stack === undefined ? {} : { stack });
}
