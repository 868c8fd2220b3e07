/** Finds heads in a photograph with a learned network: detector-network.ts, learn.ts. */
import { InferenceRunner, Scope, type State } from "../../autodiff/index.ts";
import { backgroundColour, splitTouching } from "../../heads/index.ts";
import type { Image, Mask, Region } from "../../imaging/index.ts";
import { regionsOf } from "./candidates.ts";
import { type DetectorSettings, detectorGraph } from "./detector-network.ts";
import { HEAD_AREA, WORKING_LENGTH } from "./scale.ts";

/** What the network says of a picture at working scale, one byte per pixel. */
export interface DetectorMaps {
  /** Probability of a head. */
  readonly head: Uint8Array;
  /** 128 at a head's boundary, 255 as deep as the radius of a disc of its area. */
  readonly distance: Uint8Array;
  /** Probability of acrosome, given a head. */
  readonly acrosome: Uint8Array;
}

export interface Found extends Region {
  /** Mean probability inside. */
  readonly score: number;
}

/** Pixels that go through the network together; a field of 1280 × 1024 with heads of 72 pixels is one tile. */
const TILE = { width: 640, height: 512 };
/** Tiles overlap, and what is nearer than half of it to an inner edge is read from the other one. */
const OVERLAP = 2 * WORKING_LENGTH;

/** A pass below this share of the lower of two summits separates two heads. */
const SADDLE = 0.85;
/** Least area of what is reported at all, as a share of a usual head's. */
const LEAST_AREA = 0.2;

export class Detector {
  readonly #runner: InferenceRunner;

  private constructor(runner: InferenceRunner) {
    this.#runner = runner;
  }

  static async ofWeights(
    weights: State,
    settings: DetectorSettings,
    { threads }: { threads: number },
  ): Promise<Detector> {
    const graph = detectorGraph(Scope.frozenWith(weights), TILE.width, TILE.height, settings);
    return new Detector(await InferenceRunner.create(graph, { threads }));
  }

  /** @param image at working scale */
  async maps(image: Image, background: readonly [number, number, number]): Promise<DetectorMaps> {
    const { width, height } = image;
    const size = width * height;
    const out = { head: new Uint8Array(size), distance: new Uint8Array(size), acrosome: new Uint8Array(size) };
    for (const top of tileStarts(height, TILE.height)) {
      for (const left of tileStarts(width, TILE.width)) {
        const { maps } = await this.#runner.run({
          pixels: tileOf(image, left, top),
          background: Float32Array.from(background),
        });
        const values = maps!.data as Float32Array;
        for (const [plane, name] of (["head", "distance", "acrosome"] as const).entries()) {
          const from = plane * TILE.width * TILE.height;
          readTile(values.subarray(from, from + TILE.width * TILE.height), left, top, out[name], width, height);
        }
      }
    }
    return out;
  }

  /** Every region that may be a head, with its score, in reading order of nothing in particular. */
  async find(image: Image): Promise<Found[]> {
    const maps = await this.maps(image, backgroundColour(image));
    return headsIn(maps, image.width, image.height);
  }

  dispose(): void {
    this.#runner.dispose();
  }
}

/** Cuts the maps into heads. */
export function headsIn({ head }: DetectorMaps, width: number, height: number): Found[] {
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
function tileOf({ width, height, data }: Image, left: number, top: number): Uint8Array {
  const out = new Uint8Array(TILE.width * TILE.height * 3);
  const inside = Math.min(TILE.width, width - left);
  for (let y = 0; y < TILE.height; y++) {
    const from = (Math.min(height - 1, top + y) * width + left) * 3;
    const to = y * TILE.width * 3;
    out.set(data.subarray(from, from + inside * 3), to);
    const last = to + (inside - 1) * 3;
    for (let x = inside; x < TILE.width; x++) out.copyWithin(to + x * 3, last, last + 3);
  }
  return out;
}

/** Copies what this tile is to say: all but half the overlap at edges where another tile goes on. */
function readTile(
  values: Float32Array,
  left: number,
  top: number,
  out: Uint8Array,
  width: number,
  height: number,
): void {
  const margin = OVERLAP / 2;
  const x0 = left === 0 ? 0 : margin;
  const y0 = top === 0 ? 0 : margin;
  const x1 = Math.min(TILE.width, width - left);
  const y1 = Math.min(TILE.height, height - top);
  for (let y = y0; y < y1; y++) {
    const to = (top + y) * width + left;
    const from = y * TILE.width;
    for (let x = x0; x < x1; x++) out[to + x] = Math.max(0, Math.min(255, 255 * values[from + x]! + 0.5));
  }
}
