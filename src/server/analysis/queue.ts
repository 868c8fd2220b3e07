/**
 * Analyses uploaded images one after the other. The queue is the table of images: it outlives the program, and an image
 * whose analysis was running when the program ended is analysed anew.
 */
import { isAndroscopeError } from "../../runs/index.ts";
import type { ApiError, AppEvent, ImageKind, ImageRecord } from "../api.ts";
import { apiError } from "../http/failures.ts";
import type { Database } from "../store/database.ts";
import {
  failImage,
  finishImage,
  hasScale,
  imageOf,
  putBack,
  queueAgain,
  queueLength,
  requeueBroken,
  scalePictures,
  takeNext,
  waiting,
} from "../store/images.ts";
import { originalPath } from "../store/originals.ts";
import type { Analyser } from "./analyser.ts";

/** So many of the newest analyses of a kind tell how long the next one takes. */
const REMEMBERED = 20;

export interface QueueOptions {
  db: Database;
  /** Of the data. */
  folder: string;
  analyser: Analyser;
  tell: (event: AppEvent) => void;
  /** Called with images that are done, to prepare what is shown of them. */
  done?: (image: ImageRecord) => void;
}

export class AnalysisQueue {
  readonly #options: QueueOptions;
  readonly #took: Record<ImageKind, number[]> = { crop: [], field: [] };
  readonly #stop = new AbortController();
  /** Uploads under way, by sample. */
  readonly #uploads = new Map<number, number>();
  #working: Promise<void> | undefined;
  #current: { image: ImageRecord; begun: number } | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    requeueBroken(options.db, GIVEN_UP);
  }

  /** Begins with what waits; to be called after every image that was added. */
  wake(): void {
    this.#working ??= this.#work()
      // The database itself failed, a full disk for one: the images stay queued, and the next upload tries again.
      .catch(() => {
        process.stderr.write("androscope: the results of an analysis could not be saved\n");
      })
      .finally(() => {
        this.#current = undefined;
        this.#working = undefined;
      });
  }

  retry(id: number): ImageRecord {
    const image = queueAgain(this.#options.db, id);
    if (image.state === "queued") this.added([image]);
    return image;
  }

  /**
   * Says that photographs of a sample are on their way: the first ones tell how long heads are in all of them, so none is
   * analysed before these are there. @returns to be called when the upload has ended, however it did
   */
  expect(sample: number): () => void {
    const count = (by: number) => this.#uploads.set(sample, (this.#uploads.get(sample) ?? 0) + by);
    count(1);
    return () => {
      count(-1);
      this.wake();
    };
  }

  /** Tells of new images and begins. */
  added(images: readonly ImageRecord[]): void {
    for (const image of images) this.#tellOf(image);
    this.#tellLength();
    this.wake();
  }

  /** Gives up the analysis that runs: it begins anew at the next start. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the server ends"));
    await this.#options.analyser.dispose();
    await this.#working;
    putBack(this.#options.db);
  }

  async #work(): Promise<void> {
    const { db, folder, analyser, tell, done } = this.#options;
    // What called wake() goes on first.
    await undefined;
    for (let image = this.#next(); image; image = this.#next()) {
      const begun = performance.now();
      this.#current = { image, begun };
      this.#tellOf(image);
      this.#tellLength();
      try {
        const pathOf = (sha256: string) => originalPath(folder, sha256);
        const scaleFrom = scalePictures(db, image).map(pathOf);
        // Of the model that is asked: when it answers, another one may be in use.
        const description = analyser.describe();
        const analysis = await analyser.analyse(pathOf(image.sha256), image.kind, this.#stop.signal, scaleFrom);
        if (this.#stop.signal.aborted) return;
        const seconds = (performance.now() - begun) / 1000;
        this.#remember(image.kind, seconds);
        const heads = finishImage(db, image, analysis, description, seconds);
        tell({ type: "heads", sample: image.sample, image: image.id, heads });
        done?.(image);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        failImage(db, image.id, placeless(error));
      }
      this.#current = undefined;
      this.#tellOf(imageOf(db, image.id));
      this.#tellLength();
    }
  }

  #next(): ImageRecord | undefined {
    const { db } = this.#options;
    if (this.#stop.signal.aborted) return undefined;
    return takeNext(db, (image) => !this.#uploads.get(image.sample) || hasScale(db, image));
  }

  #remember(kind: ImageKind, seconds: number): void {
    const took = this.#took[kind];
    took.push(seconds);
    if (took.length > REMEMBERED) took.shift();
  }

  /** Seconds that one analysis takes; undefined before the first. */
  #usual(kind: ImageKind): number | undefined {
    const took = this.#took[kind];
    return took.length === 0 ? undefined : took.reduce((sum, value) => sum + value, 0) / took.length;
  }

  #currentLeft(): number | undefined {
    if (!this.#current) return 0;
    const usual = this.#usual(this.#current.image.kind);
    return usual === undefined ? undefined : Math.max(0, usual - (performance.now() - this.#current.begun) / 1000);
  }

  #tellOf(image: ImageRecord): void {
    const { db, tell } = this.#options;
    const { id, sample, state, error } = image;
    let ahead = 0;
    let left: number | undefined;
    if (state === "queued") {
      const before = waiting(db, id);
      ahead = before.crop + before.field + (this.#current ? 1 : 0);
      left = this.#sum({ ...before, [image.kind]: before[image.kind] + 1 });
    } else if (state === "running") left = this.#currentLeft();
    else left = 0;
    tell({ type: "image", sample, image: id, state, ahead, secondsLeft: left ?? null, error });
  }

  #tellLength(): void {
    const { db, tell } = this.#options;
    tell({ type: "queue", ...queueLength(db), secondsLeft: this.#sum(waiting(db)) ?? null });
  }

  /** Of what runs and so many more. */
  #sum(more: Record<ImageKind, number>): number | undefined {
    let sum = this.#currentLeft();
    for (const kind of ["crop", "field"] as const) {
      if (more[kind] === 0) continue;
      const usual = this.#usual(kind);
      if (sum === undefined || usual === undefined) return undefined;
      sum += more[kind] * usual;
    }
    return sum;
  }
}

/** Where an original lies is no business of the reader's: its name is a sum. */
function placeless(error: unknown): ApiError {
  const { where: _, ...told } = apiError(error);
  if (!isAndroscopeError(error)) return told;
  return { ...told, message: `expected ${error.expected}, found ${error.found}. ${error.fix}` };
}

const GIVEN_UP: ApiError = {
  code: "analysis/failed",
  message: "The program ended three times in the middle of this analysis.",
  fix: "Try it again; if it fails again, report it with the image's size and format.",
};
