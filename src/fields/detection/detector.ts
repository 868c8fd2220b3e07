/** Finds heads in a photograph with a learned network: detector-network.ts, learn.ts. */
import { InferenceRunner, Scope, type State } from "../../autodiff/index.ts";
import { backgroundColour, splitTouching } from "../../heads/index.ts";
import type { Image, Mask, Region } from "../../imaging/index.ts";
import { regionsOf } from "./candidates.ts";
import { type DetectorSettings, detectorGraph } from "./detector-network.ts";
import { HEAD_AREA, WORKING_LENGTH } from "./scale.ts";

export interface Found extends Region {
  /** Mean probability inside. */
  readonly score: number;
}

/** Side in pixels of what goes through the network at a time, at most; a photograph of 1280 × 1024 is one tile. */
const LARGEST_TILE = 1024;
/** Sides of tiles are multiples of what the network halves its maps by. */
const STEP = 16;
/** Photographs of one camera have one size: few graphs are kept. */
const MOST_GRAPHS = 3;
/** Tiles overlap, and what is nearer than half of it to an inner edge is read from the other one. */
const OVERLAP = 2 * WORKING_LENGTH;

/** A pass below this share of the lower of two summits separates two heads. */
const SADDLE = 0.85;
/** Least area of what is reported at all, as a share of a usual head's. */
const LEAST_AREA = 0.2;

export class Detector {
  readonly #weights: State;
  readonly #settings: DetectorSettings;
  readonly #threads: number;
  /** By the size of the tile, the one used last at the end. */
  readonly #runners = new Map<string, InferenceRunner>();

  constructor(weights: State, settings: DetectorSettings, { threads }: { threads: number }) {
    this.#weights = weights;
    this.#settings = settings;
    this.#threads = threads;
  }

  /** Probability of a head at every pixel, as bytes. @param image at working scale */
  async headMap(image: Image): Promise<Uint8Array> {
    const { width, height } = image;
    const tile = { width: tileSide(width), height: tileSide(height) };
    const runner = await this.#runnerFor(tile);
    const background = Float32Array.from(backgroundColour(image));
    const out = new Uint8Array(width * height);
    for (const top of tileStarts(height, tile.height)) {
      for (const left of tileStarts(width, tile.width)) {
        const { head } = await runner.run({ pixels: tileOf(image, tile, left, top), background });
        readTile(head!.data as Uint8Array, tile, left, top, out, width, height);
      }
    }
    return out;
  }

  async #runnerFor({ width, height }: Size): Promise<InferenceRunner> {
    const key = `${width} × ${height}`;
    let runner = this.#runners.get(key);
    if (!runner) {
      const graph = detectorGraph(Scope.frozenWith(this.#weights), width, height, this.#settings);
      runner = await InferenceRunner.create(graph, { threads: this.#threads });
    }
    this.#runners.delete(key);
    this.#runners.set(key, runner);
    if (this.#runners.size > MOST_GRAPHS) {
      const [oldest, unused] = this.#runners.entries().next().value!;
      this.#runners.delete(oldest);
      unused.dispose();
    }
    return runner;
  }

  dispose(): void {
    for (const runner of this.#runners.values()) runner.dispose();
    this.#runners.clear();
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const tileSide = (length: number) => Math.min(LARGEST_TILE, Math.ceil(length / STEP) * STEP);

/** Cuts a map of probabilities into heads. */
export function headsIn(head: Uint8Array, width: number, height: number): Found[] {
  const mask: Mask = { width, height, data: head.map((p) => (p >= 128 ? 1 : 0)) };
  const { labels, count } = splitTouching(mask, SADDLE);
  const least = LEAST_AREA * HEAD_AREA;
  return regionsOf(labels, count, width).flatMap((region) => {
    if (region.area < least) return [];
    let sum = 0;
    for (const i of region.pixels) sum += head[i]!;
    return [{ ...region, score: sum / (255 * region.area) }];
  });
}

/** Where tiles begin, so that they cover `length` and overlap; one where it fits. */
function tileStarts(length: number, tile: number): number[] {
  if (length <= tile) return [0];
  const count = Math.ceil((length - OVERLAP) / (tile - OVERLAP));
  return Array.from({ length: count }, (_, k) => Math.round((k * (length - tile)) / (count - 1)));
}

/** Beyond the picture its edge is repeated. */
function tileOf({ width, height, data }: Image, tile: Size, left: number, top: number): Uint8Array {
  const out = new Uint8Array(tile.width * tile.height * 3);
  const inside = Math.min(tile.width, width - left);
  for (let y = 0; y < tile.height; y++) {
    const from = (Math.min(height - 1, top + y) * width + left) * 3;
    const to = y * tile.width * 3;
    out.set(data.subarray(from, from + inside * 3), to);
    const last = to + (inside - 1) * 3;
    for (let x = inside; x < tile.width; x++) out.copyWithin(to + x * 3, last, last + 3);
  }
  return out;
}

/** Copies what this tile is to say: all but half the overlap at edges where another tile goes on. */
function readTile(
  values: Uint8Array,
  tile: Size,
  left: number,
  top: number,
  out: Uint8Array,
  width: number,
  height: number,
): void {
  const x0 = left === 0 ? 0 : OVERLAP / 2;
  const x1 = Math.min(tile.width, width - left);
  for (let y = top === 0 ? 0 : OVERLAP / 2; y < Math.min(tile.height, height - top); y++) {
    out.set(values.subarray(y * tile.width + x0, y * tile.width + x1), (top + y) * width + left + x0);
  }
}
