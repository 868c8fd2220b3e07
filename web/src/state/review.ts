/**
 * One reader's work on one sample: what is shown and in which order, which head is at hand, and what is done with it.
 * The order is made when a filter is chosen and then stays: a head that is decided does not run away under one's eyes.
 */
import type { Head, Reader, Value } from "../../../src/server/api.ts";
import { ask, inWords, newId } from "../api/client.ts";
import { onEvent } from "../api/events.ts";
import { plural } from "../numbers/format.ts";
import { EVERYTHING, type Selection, select } from "../review/select.ts";
import { className, sameValue, valueInWords } from "../review/values.ts";
import { complain, say } from "./announce.ts";
import { Heads } from "./heads.ts";
import { type Images, imagesOf } from "./images.ts";
import { Queue, sendToServer } from "./queue.ts";
import { settings } from "./settings.ts";
import { type Store, storeOf } from "./store.ts";

export const MOST_COMPARED = 6;

function localStore(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

export const queue = new Queue(sendToServer, localStore());

export class Review {
  readonly sample: number;
  readonly reader: Reader;
  readonly heads: Heads;
  readonly images: Images;
  readonly selection: Store<Selection> = storeOf(EVERYTHING);
  readonly order: Store<readonly number[]> = storeOf<readonly number[]>([]);
  readonly current: Store<number | null> = storeOf<number | null>(null);
  readonly compared: Store<readonly number[]> = storeOf<readonly number[]>([]);
  /** Goes with the next decision. */
  readonly reason: Store<string> = storeOf("");
  classes: readonly string[] = [];
  /** Rows of undoing that can be undone in their turn, the newest last. */
  #redo: number[] = [];

  constructor(sample: number, reader: Reader) {
    this.sample = sample;
    this.reader = reader;
    this.images = imagesOf(sample);
    this.heads = new Heads(sample, reader.id);
    this.heads.isPending = (head) => queue.isPending(reader.id, head);
    this.heads.onOthers = (images) => {
      this.arrange();
      // How many heads they have.
      this.images.refresh(images);
    };
    onEvent((event) => this.heads.heed(event));
  }

  /** A head by its image's file, and by its number where the image has several. */
  labelOf({ image, number }: Pick<Head, "image" | "number">): string {
    return this.hasSeveral(image) ? `${number} of ${this.nameOf(image)}` : this.nameOf(image);
  }

  /** Of an image's file. */
  nameOf(image: number): string {
    return this.images.get(image)?.name ?? "";
  }

  hasSeveral(image: number): boolean {
    return (this.images.get(image)?.heads ?? 0) > 1;
  }

  choose(some: Partial<Selection>): void {
    this.selection.set((now) => ({ ...now, ...some }));
    this.arrange();
    // Another list is read from its start.
    this.take(this.order.get()[0] ?? null);
  }

  /** Filters and sorts anew. */
  arrange(): void {
    this.order.set(select(this.heads.all(), this.selection.get(), this.classes, (image) => this.nameOf(image)));
    const [now, order] = [this.current.get(), this.order.get()];
    if (now === null || !order.includes(now)) this.current.set(order[0] ?? null);
  }

  /** The head at hand. */
  get head(): Head | undefined {
    const id = this.current.get();
    return id === null ? undefined : this.heads.get(id);
  }

  take(head: number | null): void {
    this.reason.set("");
    this.current.set(head);
  }

  /** By so many places; stops at the ends. */
  move(by: number): void {
    const order = this.order.get();
    if (order.length === 0) return;
    const at = order.indexOf(this.current.get() ?? -1);
    this.take(order[Math.min(order.length - 1, Math.max(0, at === -1 ? 0 : at + by))]!);
  }

  /** To the next head that this reader has not decided; from the end on again from the start. */
  nextUndecided(): void {
    const order = this.order.get();
    const at = order.indexOf(this.current.get() ?? -1);
    for (let i = 1; i <= order.length; i++) {
      const id = order[(at + i) % order.length]!;
      if (this.heads.get(id)?.decision === null && id !== this.current.get()) {
        this.take(id);
        return;
      }
    }
    say("Every head of this list is decided.");
  }

  decide(value: Value | null): void {
    const head = this.head;
    if (!head) return;
    const reason = this.reason.get().trim();
    if (sameValue(head.decision?.value, value) && (head.decision?.reason ?? "") === reason) {
      if (value && settings.get().advance) this.move(1);
      return;
    }
    const { id, name } = this.reader;
    const decision = value && { reader: { id, name }, value, reason, at: new Date().toISOString(), seq: 0 };
    const act = newId();
    this.heads.expect(act);
    this.heads.amend(head.id, decision);
    queue.add({ id: act, sample: this.sample, reader: id, head: head.id, value, reason });
    this.#redo = [];
    say(`${this.labelOf(head)}: ${className(valueInWords(value))}.`);
    this.reason.set("");
    if (value && settings.get().advance) this.move(1);
  }

  async undo(): Promise<void> {
    await this.#takeBack(undefined);
  }

  async redo(): Promise<void> {
    const seq = this.#redo.pop();
    if (seq === undefined) say("Nothing to do again.");
    else await this.#takeBack(seq);
  }

  async #takeBack(seq: number | undefined): Promise<void> {
    try {
      await queue.empty();
      const body = { ...this.#act(), sample: this.sample, ...(seq === undefined ? {} : { seq }) };
      const { head, seq: row } = await ask("undo", { body });
      if (seq === undefined) this.#redo.push(row);
      if (head) {
        this.heads.put(head);
        this.take(head.id);
        say(
          `${seq === undefined ? "Taken back" : "Done again"}: ${this.labelOf(head)} is ${className(valueInWords(head.decision?.value))}.`,
        );
      } else {
        await this.heads.load();
        say("Taken back: the added head.");
      }
    } catch (failure) {
      complain(inWords(failure));
    }
  }

  /** One that is answered with what it changes. */
  #act(): { id: string; reader: number } {
    const id = newId();
    this.heads.expect(id);
    return { id, reader: this.reader.id };
  }

  /** @param head undefined: a head that is new */
  async draw(image: number, head: number | undefined, outline: [number, number][] | null): Promise<boolean> {
    const act = this.#act();
    try {
      const done = head
        ? await ask("changeOutline", { params: { head }, body: { ...act, outline } })
        : await ask("addHead", { params: { image }, body: { ...act, outline: outline! } });
      this.heads.put(done.head);
      this.#redo = [];
      this.take(done.head.id);
      say(`${this.labelOf(done.head)}: the outline is saved and measured.`);
      return true;
    } catch (failure) {
      complain(inWords(failure));
      return false;
    }
  }

  toggleCompared(): void {
    const id = this.current.get();
    if (id === null) return;
    this.compared.set((now) =>
      now.includes(id) ? now.filter((other) => other !== id) : [...now, id].slice(-MOST_COMPARED),
    );
    say(`${plural(this.compared.get().length, "head")} to compare.`);
  }
}

const reviews = new Map<string, Review>();

/** The same for the same reader and sample, so that going to another view loses no place. */
export function reviewOf(sample: number, reader: Reader): Review {
  const key = `${sample} ${reader.id}`;
  const review = reviews.get(key) ?? new Review(sample, reader);
  reviews.set(key, review);
  return review;
}

queue.onSettled = (batch, answer) => {
  for (const [i, act] of batch.entries()) {
    const heads = reviews.get(`${act.sample} ${act.reader}`)?.heads;
    const head = heads?.get(act.head);
    if (!heads || !head) continue;
    const row = answer?.done[i];
    if (!row) heads.refresh([act.head]);
    else if (!queue.isPending(act.reader, act.head)) {
      if (head.decision) heads.amend(act.head, { ...head.decision, seq: row.seq, at: row.at });
      // What others decided may be seen by a blind reader from now on, or no longer.
      const shown = answer.heads.find(({ id }) => id === act.head);
      if (shown) heads.put(shown);
    }
  }
};
queue.start();
addEventListener("beforeunload", (event) => {
  if (queue.state.get().waiting > 0) event.preventDefault();
});
