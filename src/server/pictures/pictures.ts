/**
 * Pictures for the browser: re-encoded, scaled down and cut out by a helper process, kept in `cache/`, which may be
 * deleted at any time. Uploads are inspected and outlines measured there, too.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Outline } from "../../fields/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import type { ImageRecord } from "../api.ts";
import { Helper, type Limits } from "../child.ts";
import type { Tile } from "../store/heads.ts";
import { originalPath } from "../store/originals.ts";
import type { Inspected, Measured, PictureOrder } from "./orders.ts";

/** Decoding 100 megapixels takes a few seconds; a file that takes longer than this is made to. */
export const DECODING_SECONDS = 60;
/** So many pixels are sent without loss. */
const LOSSLESS_PIXELS = 2 ** 22;

export interface Picture {
  bytes: Uint8Array;
  type: "image/png" | "image/jpeg" | "image/webp";
}

/**
 * Where pictures are while they are written: a folder that nothing else uses, since the helper of a killed server may write
 * there for a moment after the next one has started.
 */
const writingIn = (folder: string) => join(folder, "cache", "writing");

/** Removes what was being written when the program ended. */
export async function preparePictures(folder: string): Promise<void> {
  await rm(writingIn(folder), { recursive: true, force: true });
}

export class Pictures {
  readonly #folder: string;
  readonly #helper: Helper;
  /** What is being made now, so that ten requests for it make it once. */
  readonly #making = new Map<string, Promise<void>>();
  readonly #seconds: number;

  /** @param folder of the data */
  constructor(folder: string, seconds = DECODING_SECONDS) {
    this.#folder = folder;
    this.#seconds = seconds;
    this.#helper = new Helper(new URL("./helper.ts", import.meta.url), [], crashed);
  }

  #order<T>(order: PictureOrder): Promise<T> {
    const limits: Limits = { milliseconds: this.#seconds * 1000, tooSlow: () => tooSlow(this.#seconds) };
    return this.#helper.run<T>(order, limits);
  }

  /** Decodes a file that has arrived. @throws `image/*`, `upload/too-slow` */
  inspect(path: string, maxPixels: number): Promise<Inspected> {
    return this.#order({ do: "inspect", path, maxPixels });
  }

  /** @throws `review/bad-outline` */
  measure(image: ImageRecord, outline: Outline): Promise<Measured> {
    return this.#order({ do: "measure", path: originalPath(this.#folder, image.sha256), outline });
  }

  /** @param width "full" or pixels */
  async picture(image: ImageRecord, width: string): Promise<Picture> {
    const wanted = width === "full" || Number(width) >= image.width ? null : Number(width);
    const as = image.kind === "crop" || image.width * image.height <= LOSSLESS_PIXELS ? "png" : "jpeg";
    const place = join(this.#folder, "cache", "pictures", image.sha256.slice(0, 2));
    const file = join(place, `${image.sha256}-${wanted ?? "full"}.${as}`);
    const path = originalPath(this.#folder, image.sha256);
    const bytes = await this.#cached(file, () =>
      this.#whole([file], ([to]) => ({ do: "picture", path, width: wanted, as, to: to! })),
    );
    return { bytes, type: `image/${as}` };
  }

  /** The picture of one head; those of all heads of its image are made together. */
  async thumbnail(image: ImageRecord, key: string, tiles: () => readonly Tile[]): Promise<Picture> {
    const bytes = await this.#cached(this.#thumbnailFile(key), () => this.makeThumbnails(image, tiles()));
    return { bytes, type: "image/webp" };
  }

  #thumbnailFile(key: string): string {
    return join(this.#folder, "cache", "heads", key.slice(0, 2), `${key}.webp`);
  }

  makeThumbnails(image: ImageRecord, tiles: readonly Tile[]): Promise<void> {
    return this.#once(`${image.sha256} ${image.kind} ${tiles.length}`, () =>
      this.#whole(
        tiles.map(({ key }) => this.#thumbnailFile(key)),
        (files) => ({
          do: "thumbnails",
          path: originalPath(this.#folder, image.sha256),
          tiles: tiles.map((tile, i) => ({ tile, to: files[i]! })),
        }),
      ),
    );
  }

  async #cached(file: string, make: () => Promise<void>): Promise<Uint8Array> {
    const there = await readFile(file).catch(() => undefined);
    // An empty one is what a loss of power may leave.
    if (there && there.length > 0) return there;
    await this.#once(file, make);
    return readFile(file);
  }

  #once(what: string, make: () => Promise<void>): Promise<void> {
    const already = this.#making.get(what);
    if (already) return already;
    const made = make().finally(() => this.#making.delete(what));
    this.#making.set(what, made);
    return made;
  }

  /** Has the helper write beside the places, and moves what is whole into them. */
  async #whole(files: readonly string[], order: (to: readonly string[]) => PictureOrder): Promise<void> {
    for (const folder of new Set(files.map((file) => dirname(file)))) await mkdir(folder, { recursive: true });
    const writing = writingIn(this.#folder);
    await mkdir(writing, { recursive: true });
    const beside = files.map(() => join(writing, randomUUID()));
    await this.#order(order(beside));
    for (const [i, file] of files.entries()) await rename(beside[i]!, file);
  }

  close(): void {
    this.#helper.close();
  }
}

const tooSlow = (seconds: number) =>
  new AndroscopeError("upload/too-slow", {
    expected: `a picture that is read within ${seconds} s`,
    found: "one that was not",
    fix: "Save it anew with another program.",
  });

const crashed = (how: string) =>
  new AndroscopeError("image/truncated", {
    expected: "a picture that can be decoded",
    found: `one at which the decoder broke off: ${how}`,
    fix: "Save it anew with another program.",
  });
