/**
 * The images of one sample. Of thousands of crops under analysis one is done every moment: those are asked for again that
 * something was told of, and not the whole list.
 */
import type { AppEvent, ImageRecord } from "../../../src/server/api.ts";
import { ask } from "../api/client.ts";
import { onEvent } from "../api/events.ts";
import { idsInParts } from "../api/ids.ts";
import { Again, WHOLE } from "./again.ts";
import { type Store, storeOf } from "./store.ts";

/** Milliseconds in which wishes for images are gathered. */
const GATHER = 1000;

export class Images {
  readonly sample: number;
  /** In the order of their upload. */
  readonly list: Store<readonly ImageRecord[]> = storeOf<readonly ImageRecord[]>([]);
  /** True once the list is here. */
  loaded = false;
  #byId = new Map<number, ImageRecord>();
  #wanted = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #again = new Again((ids) => this.refresh(ids));
  readonly #wholeAgain = new Again(() => this.#loadAnew());
  /** Whole lists on their way. */
  #loading = 0;

  constructor(sample: number) {
    this.sample = sample;
  }

  get(id: number): ImageRecord | undefined {
    return this.#byId.get(id);
  }

  async load(): Promise<void> {
    this.#loading++;
    try {
      const { images } = await ask("listImages", { params: { sample: this.sample }, query: {} });
      this.#byId = new Map(images.map((image) => [image.id, image]));
      this.loaded = true;
      this.#again.forget();
      this.list.set(images);
    } finally {
      this.#loading--;
      if (this.#wanted.size > 0) this.#soon();
    }
  }

  put(...images: readonly ImageRecord[]): void {
    for (const image of images) this.#byId.set(image.id, image);
    this.list.set([...this.#byId.values()].sort((a, b) => a.id - b.id));
  }

  /** Asks for images again, soon and together with others. */
  refresh(ids: Iterable<number>): void {
    for (const id of ids) this.#wanted.add(id);
    if (this.#wanted.size > 0) this.#soon();
  }

  heed(event: AppEvent): void {
    if (event.type === "hello" && this.loaded) this.#loadAnew();
    if ((event.type === "image" || event.type === "heads") && event.sample === this.sample) this.refresh([event.image]);
  }

  #loadAnew(): void {
    this.load().then(
      () => this.#wholeAgain.answered([WHOLE]),
      (cause) => this.#wholeAgain.failed([WHOLE], cause),
    );
  }

  #soon(): void {
    // What is told while a list is on its way is asked for after it: answers that overtake each other would be older ones.
    if (this.#timer !== undefined || !this.loaded || this.#loading > 0) return;
    this.#timer = setTimeout(async () => {
      await this.#fetch();
      this.#timer = undefined;
      if (this.#wanted.size > 0) this.#soon();
    }, GATHER);
  }

  async #fetch(): Promise<void> {
    const parts = idsInParts(this.#wanted);
    this.#wanted.clear();
    for (const ids of parts) {
      const asked = ids.split(",").map(Number);
      try {
        const { images } = await ask("listImages", { params: { sample: this.sample }, query: { ids } });
        this.#again.answered(asked);
        this.put(...images);
      } catch (cause) {
        this.#again.failed(asked, cause);
      }
    }
  }
}

const known = new Map<number, Images>();

/** The same for the same sample, so that going to another view asks for nothing again. */
export function imagesOf(sample: number): Images {
  const images = known.get(sample) ?? new Images(sample);
  if (!known.has(sample)) onEvent((event) => images.heed(event));
  known.set(sample, images);
  return images;
}
