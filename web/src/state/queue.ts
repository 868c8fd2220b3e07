/**
 * Decisions on their way to the disk. The page goes on at once; decisions are sent in order, several together where the
 * server is slower than the reader, and again after a lost answer: an act's id makes sending twice harmless. What has not
 * been answered survives the page in its local storage.
 */
import type { ResponseOf, Value } from "../../../src/server/api.ts";
import { ask, inWords, newId, Refusal } from "../api/client.ts";
import { type Store, storeOf } from "./store.ts";

export interface Pending {
  id: string;
  sample: number;
  reader: number;
  head: number;
  value: Value | null;
  reason: string;
}

export interface QueueState {
  waiting: number;
  /** Why nothing gets through at the moment. */
  trouble: string | undefined;
  /** Decisions that the server refused. */
  refused: string | undefined;
}

/** What a batch may hold; far below the server's limit, so that one answer stays short. */
const MOST = 200;
const KEY = "androscope.pending";
/** Milliseconds between attempts: the first, and the longest. */
const [FIRST_WAIT, LONGEST_WAIT] = [500, 10_000];

type Answer = ResponseOf<"decide">;
type Send = (batch: readonly Pending[]) => Promise<Answer>;
type Settled = (batch: readonly Pending[], answer: Answer | undefined) => void;

export class Queue {
  readonly state: Store<QueueState> = storeOf<QueueState>({ waiting: 0, trouble: undefined, refused: undefined });
  /** Told of every batch; the answer is undefined where it was refused. */
  onSettled: Settled = () => {};
  #pending: Pending[];
  #running: Promise<void> | undefined;
  #idle: (() => void)[] = [];
  #send: Send;
  #storage: Pick<Storage, "getItem" | "setItem"> | undefined;

  constructor(send: Send, storage?: Pick<Storage, "getItem" | "setItem">) {
    this.#send = send;
    this.#storage = storage;
    this.#pending = kept(storage);
    this.#note();
  }

  add(act: Omit<Pending, "id"> & { id?: string }): void {
    this.#pending.push({ id: newId(), ...act });
    this.#note();
    this.start();
  }

  isPending(reader: number, head: number): boolean {
    return this.#pending.some((act) => act.head === head && act.reader === reader);
  }

  /** Ends when everything has been answered. */
  empty(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    this.start();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  start(): void {
    if (this.#running) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#pending.length > 0) this.start();
    });
  }

  dismiss(): void {
    this.state.set((now) => ({ ...now, refused: undefined }));
  }

  async #run(): Promise<void> {
    let wait = FIRST_WAIT;
    while (this.#pending.length > 0) {
      const batch = firstBatch(this.#pending);
      try {
        this.#settle(batch, await this.#send(batch));
        wait = FIRST_WAIT;
      } catch (failure) {
        if (failure instanceof Refusal && !failure.passing) this.#refuse(batch, failure);
        else {
          this.state.set((now) => ({ ...now, trouble: inWords(failure) }));
          await new Promise((resolve) => setTimeout(resolve, wait));
          wait = Math.min(2 * wait, LONGEST_WAIT);
        }
      }
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** A batch is done as a whole or not at all: where it holds several, each is then sent alone. */
  #refuse(batch: readonly Pending[], refusal: Refusal): void {
    if (batch.length > 1) {
      for (const act of batch) alone.add(act);
      return;
    }
    this.#settle(batch, undefined);
    this.state.set((now) => ({ ...now, refused: inWords(refusal) }));
  }

  #settle(batch: readonly Pending[], answer: Answer | undefined): void {
    this.#pending = this.#pending.filter((act) => !batch.includes(act));
    this.#note();
    this.onSettled(batch, answer);
  }

  #note(): void {
    const waiting = this.#pending.length;
    this.state.set((now) => ({ ...now, waiting, ...(waiting === 0 ? { trouble: undefined } : {}) }));
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#pending));
    } catch {
      // A browser that keeps nothing: what waits is lost with the page, which says how much waits.
    }
  }
}

/** Acts of a batch that was refused as a whole. */
const alone = new WeakSet<Pending>();

/** The first acts that one request can hold: of one reader and one sample, no head twice. */
function firstBatch(pending: readonly Pending[]): Pending[] {
  const [first] = pending;
  const batch: Pending[] = [];
  const heads = new Set<number>();
  for (const act of pending) {
    if (batch.length === MOST || act.sample !== first!.sample || act.reader !== first!.reader || heads.has(act.head))
      break;
    if (batch.length > 0 && alone.has(act)) break;
    batch.push(act);
    heads.add(act.head);
    if (alone.has(act)) break;
  }
  return batch;
}

function kept(storage: Pick<Storage, "getItem"> | undefined): Pending[] {
  try {
    const found: unknown = JSON.parse(storage?.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? (found as Pending[]) : [];
  } catch {
    return [];
  }
}

export const sendToServer: Send = (batch) =>
  ask("decide", {
    body: {
      reader: batch[0]!.reader,
      decisions: batch.map(({ id, head, value, reason }) => ({ id, head, value, reason })),
    },
  });
