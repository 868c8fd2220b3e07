/**
 * What a server in trouble did not answer is asked for again, after pauses that grow, and not for ever: after the last one
 * nothing is asked until an event tells of it or the connection is made anew.
 */
import { NoAnswer, Refusal } from "../api/client.ts";

/** Milliseconds before the first time; doubled each time. */
const PAUSE = 2000;
/** Times that an id is asked for again: 2, 4, 8, 16 and 32 s later. */
const MOST = 5;

/** In the place of an id: a whole list. */
export const WHOLE = 0;

export class Again {
  readonly #ask: (ids: readonly number[]) => void;
  /** How often each id has failed since it was last answered or given up. */
  #failures = new Map<number, number>();
  #waiting = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: (ids: readonly number[]) => void) {
    this.#ask = ask;
  }

  answered(ids: readonly number[]): void {
    for (const id of ids) this.#failures.delete(id);
  }

  /** Whoever is told that the request itself is wrong would only be told so again. */
  failed(ids: readonly number[], cause: unknown): void {
    const passes = cause instanceof NoAnswer || (cause instanceof Refusal && cause.status >= 500);
    let fewest = MOST;
    for (const id of ids) {
      const failures = (this.#failures.get(id) ?? 0) + 1;
      if (!passes || failures > MOST) this.#failures.delete(id);
      else {
        this.#failures.set(id, failures);
        this.#waiting.add(id);
        fewest = Math.min(fewest, failures);
      }
    }
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#now(), PAUSE * 2 ** (fewest - 1));
  }

  /** Everything is here: nothing has to be asked for again. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#failures.clear();
  }

  #now(): void {
    const ids = [...this.#waiting];
    this.#timer = undefined;
    this.#waiting.clear();
    this.#ask(ids);
  }
}
