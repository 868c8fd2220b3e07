/**
 * The heads of one sample as one reader sees them. Two thousand cells watch one head each, so that a decision draws one
 * cell and not the gallery. Outlines are fetched for the heads that are shown.
 */
import { useSyncExternalStore } from "react";
import type { AppEvent, Head } from "../../../src/server/api.ts";
import { ask } from "../api/client.ts";
import { idsInParts } from "../api/ids.ts";
import { type Point, plainer } from "../geometry/outline.ts";
import { Again, WHOLE } from "./again.ts";

/** Milliseconds in which wishes for heads are gathered. */
const GATHER = 60;

type Outline = NonNullable<Head["outline"]>;

export class Heads {
  readonly sample: number;
  readonly reader: number;
  /** True once the list is here. */
  loaded = false;
  /** Set where decisions of this reader are on their way: what the server says of them is older. */
  isPending: (head: number) => boolean = () => false;
  /** Told where heads have come or gone, and in which images. */
  onOthers: (images: ReadonlySet<number>) => void = () => {};
  /** Acts of this page whose events are still to come: they tell nothing new. */
  #own = new Set<string>();
  #byId = new Map<number, Head>();
  #outlines = new Map<number, { of: string; outline: Outline; plain?: readonly Point[] }>();
  #watchers = new Map<number, Set<() => void>>();
  #listeners = new Set<() => void>();
  #version = 0;
  #wantedOutlines = new Set<number>();
  #wanted = new Set<number>();
  readonly #again = new Again((ids) => this.refresh(ids));
  readonly #wholeAgain = new Again(() => this.#loadAnew());
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sample: number, reader: number) {
    this.sample = sample;
    this.reader = reader;
  }

  get(id: number): Head | undefined {
    return this.#byId.get(id);
  }

  /** By image and number, as the server lists them. */
  all(): Head[] {
    return [...this.#byId.values()];
  }

  /** Rises with every change of any head. */
  get version(): number {
    return this.#version;
  }

  async load(): Promise<void> {
    const { heads } = await ask("listHeads", { params: { sample: this.sample }, query: { reader: this.reader } });
    const before = this.#byId;
    this.#byId = new Map(heads.map((head) => [head.id, this.#merged(head)]));
    this.loaded = true;
    for (const id of before.keys()) this.#tell(id);
    for (const { id } of heads) if (!before.has(id)) this.#tell(id);
    this.#changed();
    const others = [...differing(before, this.#byId), ...differing(this.#byId, before)];
    if (others.length > 0) this.onOthers(imagesOf(others));
    if (this.#wanted.size > 0) this.#soon();
  }

  put(...heads: readonly Head[]): void {
    const others = heads.filter(({ id }) => !this.#byId.has(id));
    for (const head of heads) {
      this.#byId.set(head.id, this.#merged(head));
      if (head.outline) this.#outlines.set(head.id, { of: shapeOf(head), outline: head.outline });
      this.#tell(head.id);
    }
    if (others.length > 0)
      this.#byId = new Map([...this.#byId].sort(([, a], [, b]) => a.image - b.image || a.number - b.number));
    this.#changed();
    if (others.length > 0) this.onOthers(imagesOf(others));
  }

  /** An act of this page, before the server has it. */
  expect(act: string): void {
    this.#own.add(act);
  }

  /** The reader's decision: before the server has it, and what is known of it then. */
  amend(id: number, decision: Head["decision"]): void {
    const head = this.#byId.get(id);
    if (!head) return;
    this.#byId.set(id, { ...head, decision });
    this.#tell(id);
    this.#changed();
  }

  /** Takes a head out that is no longer there: one that was added and taken back. */
  drop(id: number): void {
    const head = this.#byId.get(id);
    if (!head) return;
    this.#byId.delete(id);
    this.#tell(id);
    this.#changed();
    this.onOthers(imagesOf([head]));
  }

  /** The outline as far as it is here; where not, it is fetched. */
  outlineOf(head: Head): Outline | undefined {
    const kept = this.#outlines.get(head.id);
    if (kept?.of !== shapeOf(head)) {
      this.#wantedOutlines.add(head.id);
      this.#soon();
    }
    return kept?.outline;
  }

  /** The outline with few corners, for small pictures. */
  plainOutlineOf(head: Head): readonly Point[] | undefined {
    const outline = this.outlineOf(head);
    const kept = this.#outlines.get(head.id);
    if (!outline || !kept) return undefined;
    kept.plain ??= plainer(outline, head.outlineBy === "model");
    return kept.plain;
  }

  /** Asks for heads again, soon and together with others. */
  refresh(ids: Iterable<number>): void {
    for (const id of ids) this.#wanted.add(id);
    if (this.#wanted.size > 0) this.#soon();
  }

  heed(event: AppEvent): void {
    if (event.type === "hello" && this.loaded) {
      this.#own.clear();
      this.#loadAnew();
    }
    if (!("sample" in event) || event.sample !== this.sample) return;
    if (event.type === "heads") this.refresh(event.heads);
    // Which heads it changed is not told: that would tell a blind reader where others have decided.
    if (event.type === "judging" && event.state === "done" && this.loaded) this.#loadAnew();
    if (event.type === "review") {
      const own = event.acts.filter((act) => this.#own.delete(act));
      if (own.length < event.acts.length) this.refresh(event.heads);
    }
  }

  watch(id: number, listener: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(listener));
    return () => {
      watchers.delete(listener);
      if (watchers.size === 0) this.#watchers.delete(id);
    };
  }

  watchAll = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #merged(head: Head): Head {
    const { outline: _, ...rest } = head;
    const now = this.#byId.get(head.id);
    return now && this.isPending(head.id) ? { ...rest, decision: now.decision } : rest;
  }

  #tell(id: number): void {
    for (const watcher of [...(this.#watchers.get(id) ?? [])]) watcher();
  }

  #changed(): void {
    this.#version++;
    for (const listener of [...this.#listeners]) listener();
  }

  #loadAnew(): void {
    this.load().then(
      () => this.#wholeAgain.answered([WHOLE]),
      (cause) => this.#wholeAgain.failed([WHOLE], cause),
    );
  }

  #soon(): void {
    // What is told while the list is on its way is asked for after it.
    if (this.#timer !== undefined || !this.loaded) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#fetch();
    }, GATHER);
  }

  async #fetch(): Promise<void> {
    const [again, shapes] = [[...this.#wanted], [...this.#wantedOutlines].filter((id) => !this.#wanted.has(id))];
    this.#wanted.clear();
    this.#wantedOutlines.clear();
    const params = { sample: this.sample };
    for (const ids of idsInParts([...again, ...shapes])) {
      const asked = ids.split(",").map(Number);
      try {
        const { heads } = await ask("listHeads", { params, query: { reader: this.reader, ids, outlines: "true" } });
        this.#again.answered(asked);
        this.put(...heads);
        const found = new Set(heads.map(({ id }) => id));
        for (const id of asked) if (!found.has(id)) this.drop(id);
      } catch (cause) {
        // Shown as they are known until then, new ones without outline.
        this.#again.failed(asked, cause);
      }
    }
  }
}

const imagesOf = (heads: readonly Head[]): ReadonlySet<number> => new Set(heads.map(({ image }) => image));

/** Those of the first that the second has not. */
const differing = (first: ReadonlyMap<number, Head>, second: ReadonlyMap<number, Head>): Head[] =>
  [...first.values()].filter(({ id }) => !second.has(id));

/** Changes whenever the outline does: its measures are its own. */
const shapeOf = ({ outlineBy, measures }: Head): string =>
  `${outlineBy} ${measures?.areaPx} ${measures?.perimeterPx} ${measures?.centreX} ${measures?.centreY}`;

export function useHead(heads: Heads, id: number): Head | undefined {
  return useSyncExternalStore(
    (listener) => heads.watch(id, listener),
    () => heads.get(id),
  );
}

export function useVersion(heads: Heads): number {
  return useSyncExternalStore(heads.watchAll, () => heads.version);
}
