/** The progress of tasks that run at the same time, as one: units done of all, and the time until the last is done. */
import type { Progress } from "../runs/index.ts";
import type { Task } from "./task.ts";

interface State {
  readonly task: Task;
  done: number;
  note: string;
  running: boolean;
  over: boolean;
  /** When we first heard of it and how far it was then: it may go on from a checkpoint, which says nothing about speed. */
  first?: { time: number; done: number };
  /** When we last heard of it. */
  last: number;
}

export class Overview {
  readonly #workers: number;
  readonly #progress: Progress;
  readonly #now: () => number;
  #states: State[] = [];
  #open = false;

  /** @param now in milliseconds */
  constructor(workers: number, progress: Progress, now = () => performance.now()) {
    this.#workers = workers;
    this.#progress = progress;
    this.#now = now;
  }

  add(task: Task): void {
    this.#states.push({ task, done: 0, note: "", running: false, over: false, last: 0 });
    this.#open = false;
  }

  update(task: Task, done: number, note: string): void {
    const state = this.#of(task);
    if (!state) return;
    const time = this.#now();
    // Less than before: it was begun again.
    if (!state.first || done < state.done) state.first = { time, done };
    Object.assign(state, { done, note, running: true, last: time });
    this.#show();
  }

  finish(task: Task): void {
    const state = this.#of(task);
    if (!state) return;
    Object.assign(state, { done: task.units, running: false, over: true, last: this.#now() });
    this.#show();
    this.#endIfOver();
  }

  /** Forgets tasks that will not be done. */
  drop(which: (task: Task) => boolean): void {
    this.#states = this.#states.filter(({ task, over }) => over || !which(task));
    this.#endIfOver();
  }

  log(line: string): void {
    this.#progress.log(line);
  }

  /**
   * Seconds until everything is done, if the tasks go on in their order over the workers at the speeds seen so far;
   * undefined before any was seen.
   */
  secondsLeft(): number | undefined {
    const free = new Array<number>(this.#workers).fill(0);
    const ready = new Map<string, number>();
    const take = (state: State, seconds: number, notBefore: number) => {
      const worker = free.indexOf(Math.min(...free));
      free[worker] = Math.max(free[worker]!, notBefore) + seconds;
      ready.set(state.task.id, free[worker]!);
    };
    const open = this.#states.filter(({ over }) => !over);
    for (const state of [...open.filter(({ running }) => running), ...open.filter(({ running }) => !running)]) {
      const { task, done } = state;
      const speed = this.#secondsPerUnit(task.kind);
      if (speed === undefined) return undefined;
      take(state, speed * (task.units - done), task.after ? (ready.get(task.after) ?? 0) : 0);
    }
    return Math.max(0, ...ready.values());
  }

  /** As seen in tasks of this kind; before there are any, in others. */
  #secondsPerUnit(kind: Task["kind"]): number | undefined {
    return secondsPerUnit(this.#states.filter(({ task }) => task.kind === kind)) ?? secondsPerUnit(this.#states);
  }

  #of({ id }: Task): State | undefined {
    return this.#states.find(({ task }) => task.id === id);
  }

  #show(): void {
    const sum = (value: (state: State) => number) => this.#states.reduce((total, state) => total + value(state), 0);
    if (!this.#open) {
      const count = this.#states.length;
      this.#progress.start(
        `${count} ${count === 1 ? "task" : "tasks"}, ${this.#workers} at a time`,
        sum(({ task }) => task.units),
      );
      this.#open = true;
    }
    const running = this.#states.filter((state) => state.running);
    this.#progress.update(
      sum(({ done }) => done),
      running.map(({ task, note }) => [task.label, note].filter(Boolean).join(" ")).join("; "),
      this.secondsLeft(),
    );
  }

  #endIfOver(): void {
    if (this.#states.some(({ over }) => !over)) return;
    if (this.#open) this.#progress.finish();
    this.#open = false;
    this.#states = [];
  }
}

function secondsPerUnit(states: readonly State[]): number | undefined {
  let [milliseconds, units] = [0, 0];
  for (const { first, last, done } of states) {
    if (!first) continue;
    milliseconds += last - first.time;
    units += done - first.done;
  }
  return units > 0 ? milliseconds / 1000 / units : undefined;
}
