/** Stage 1's network applied to prepared crops: masks in the frame and poses, in batches. */
import { constant, InferenceRunner, input, Scope, type SessionOptions, type State } from "../autodiff/index.ts";
import type { Mask } from "../imaging/index.ts";
import type { Config } from "./config.ts";
import { cropPlanes } from "./planes.ts";
import type { PreparedSet } from "./prepare.ts";
import { type Geometry, type Segmentation, segment } from "./segment.ts";
import type { Pose } from "./views.ts";

const BATCH = 16;

/** What the network saw in one crop. */
export interface SegmentedHead {
  readonly pose: Pose;
  /** Pixels. */
  readonly length: number;
  readonly width: number;
  readonly direction: number;
  readonly agreement: number;
  /** Mean colour outside the head, 0 to 255. */
  readonly background: readonly [number, number, number];
  /** [S, S] probabilities in the frame, as bytes. */
  readonly frameMask: Uint8Array;
  /** The mask (or acrosome) at the crop's own size, 0/1 at probability one half. */
  cropMask(which: "mask" | "acrosome"): Mask;
}

export class Segmenter {
  readonly #runner: InferenceRunner;
  readonly #geometry: Geometry;
  readonly #viewSize: number;
  readonly #side: number;

  private constructor(runner: InferenceRunner, geometry: Geometry, viewSize: number, side: number) {
    this.#runner = runner;
    this.#geometry = geometry;
    this.#viewSize = viewSize;
    this.#side = side;
  }

  /** @param side the canvas side of the sets it will see */
  static async create(
    weights: State,
    geometry: Geometry,
    network: Config["network"],
    side: number,
    session: SessionOptions,
  ): Promise<Segmenter> {
    const pixels = input("pixels", [-1, side, side, 3], "uint8");
    const sizes = input("sizes", [-1, 2]);
    const outputs = segment(
      Scope.frozenWith(weights),
      { planes: cropPlanes(pixels), canvasSize: constant([side, side]), sizes },
      geometry,
      network,
    );
    const named = { ...outputs } satisfies Record<keyof Segmentation, unknown>;
    const runner = await InferenceRunner.create(named, session);
    return new Segmenter(runner, geometry, network.viewSize, side);
  }

  /** Segments the given samples of a set, in order. */
  async *each(set: PreparedSet, indices: readonly number[]): AsyncGenerator<{ index: number; head: SegmentedHead }> {
    const area = this.#side * this.#side * 3;
    for (let from = 0; from < indices.length; from += BATCH) {
      const batch = indices.slice(from, from + BATCH);
      const pixels = new Uint8Array(batch.length * area);
      const sizes = new Float32Array(batch.length * 2);
      for (const [i, index] of batch.entries()) {
        pixels.set(set.pixels.subarray(index * area, (index + 1) * area), i * area);
        sizes.set(set.sizes.subarray(index * 2, index * 2 + 2), i * 2);
      }
      const out = await this.#runner.run({ pixels, sizes });
      const values = (name: keyof Segmentation) => out[name]!.data as Float32Array;
      for (const [i, index] of batch.entries()) {
        const [width, height] = [sizes[i * 2]!, sizes[i * 2 + 1]!];
        const map = (name: "mask" | "acrosome") =>
          values(name).slice(i * this.#viewSize ** 2, (i + 1) * this.#viewSize ** 2);
        const maps = { mask: map("mask"), acrosome: map("acrosome") };
        yield {
          index,
          head: {
            pose: {
              x: values("centre")[i * 2]!,
              y: values("centre")[i * 2 + 1]!,
              axisX: values("axis")[i * 2]!,
              axisY: values("axis")[i * 2 + 1]!,
            },
            length: values("extents")[i * 2]!,
            width: values("extents")[i * 2 + 1]!,
            direction: values("direction")[i]!,
            agreement: values("agreement")[i]!,
            background: [0, 1, 2].map((c) => values("background")[i * 3 + c]!) as unknown as [number, number, number],
            frameMask: Uint8Array.from(maps.mask, (p) => Math.round(p * 255)),
            cropMask: (which) => frameToCrop(maps[which], this.#viewSize, this.#geometry.frameExtent, width, height),
          },
        };
      }
    }
  }

  dispose(): void {
    this.#runner.dispose();
  }
}

/** Reads a frame's probabilities at every pixel of a crop, bilinear, and cuts at one half. */
export function frameToCrop(map: Float32Array, side: number, extent: number, width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  const step = side / extent;
  const column = Array.from({ length: width }, (_, x) => (x + 0.5 - width / 2 + extent / 2) * step - 0.5);
  for (let y = 0; y < height; y++) {
    const v = (y + 0.5 - height / 2 + extent / 2) * step - 0.5;
    if (v < -0.5 || v > side - 0.5) continue;
    const v0 = Math.max(0, Math.min(side - 2, Math.floor(v)));
    const b = v - v0;
    for (let x = 0; x < width; x++) {
      const u = column[x]!;
      if (u < -0.5 || u > side - 0.5) continue;
      const u0 = Math.max(0, Math.min(side - 2, Math.floor(u)));
      const a = u - u0;
      const at = v0 * side + u0;
      const top = map[at]! * (1 - a) + map[at + 1]! * a;
      const bottom = map[at + side]! * (1 - a) + map[at + side + 1]! * a;
      if (top * (1 - b) + bottom * b > 0.5) data[y * width + x] = 1;
    }
  }
  return { width, height, data };
}
