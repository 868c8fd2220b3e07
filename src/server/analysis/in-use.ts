/** The analyser that judges now: the one that the program was started with, or one with a learned model in its place. */
import type { Analyser } from "./analyser.ts";

interface Held {
  analyser: Analyser;
  /** Analyses under way: it is not disposed of before their end. */
  at: number;
  done: boolean;
}

export class AnalyserInUse implements Analyser {
  readonly #first: Held;
  #current: Held;

  constructor(first: Analyser) {
    this.#first = { analyser: first, at: 0, done: false };
    this.#current = this.#first;
  }

  get kinds(): Analyser["kinds"] {
    return this.#current.analyser.kinds;
  }

  get settings(): NonNullable<Analyser["settings"]> {
    return this.#current.analyser.settings ?? {};
  }

  /** Whether that is the one of the start, though another may be chosen in the data folder: `--model` goes first. */
  get isFirst(): boolean {
    return this.#current === this.#first;
  }

  describe(): ReturnType<Analyser["describe"]> {
    return this.#current.analyser.describe();
  }

  /** Of the one of the start, whichever judges. */
  describeFirst(): ReturnType<Analyser["describe"]> {
    return this.#first.analyser.describe();
  }

  analyse(...of: Parameters<Analyser["analyse"]>): ReturnType<Analyser["analyse"]> {
    return this.#held((analyser) => analyser.analyse(...of));
  }

  judge(...of: Parameters<Analyser["judge"]>): ReturnType<Analyser["judge"]> {
    return this.#held((analyser) => analyser.judge(...of));
  }

  /** By the one that judges when this is called, whatever judges when it is done. */
  async #held<T>(work: (analyser: Analyser) => Promise<T>): Promise<T> {
    const held = this.#current;
    held.at++;
    try {
      return await work(held.analyser);
    } finally {
      held.at--;
      if (held.done) this.#release(held);
    }
  }

  /** From the next analysis on. */
  replace(next: Analyser): void {
    this.#put({ analyser: next, at: 0, done: false });
  }

  restoreFirst(): void {
    this.#put(this.#first);
  }

  #put(next: Held): void {
    const old = this.#current;
    this.#current = next;
    // The first stays: somebody may want it back.
    if (old === next || old === this.#first) return;
    old.done = true;
    this.#release(old);
  }

  #release(held: Held): void {
    if (held.at === 0) void held.analyser.dispose();
  }

  async dispose(): Promise<void> {
    await this.#current.analyser.dispose();
    if (this.#current !== this.#first) await this.#first.analyser.dispose();
  }
}
