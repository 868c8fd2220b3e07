/** Stage 1's network applied to prepared crops: masks in the frame and poses, in batches. */
import { constant, InferenceRunner, input, Scope, type SessionOptions, type State } from "../autodiff/index.ts";
import type { Mask } from "../imaging/index.ts";
import type { Config } from "./config.ts";
import { cropPlanes } from "./planes.ts";
import type { PreparedSet } from "./prepare.ts";
import { type Geometry, type Segmentation, segment } from "./segment.ts";
import { type ShapeMap, shapePlane } from "./shape-maps.ts";
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
  /** [S, S] each, as bytes: shape-maps.ts. */
  readonly shapeMaps: Readonly<Record<ShapeMap, Uint8Array>>;
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
    // The distance as stage 2 may take it.
    const named = { ...outputs, distance: shapePlane(outputs, "distance") } satisfies Record<
      keyof Segmentation,
      unknown
    >;
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
        const map = (name: "mask" | "acrosome" | "distance") =>
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
            frameMask: bytesOf(maps.mask),
            shapeMaps: { distance: bytesOf(map("distance")), acrosome: bytesOf(maps.acrosome) },
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

/** Numbers from 0 to 1 → 0 to 255. */
const bytesOf = (map: Float32Array) => Uint8Array.from(map, (p) => Math.round(p * 255));

/** Reads a frame's probabilities at every pixel of a crop, bilinear, and cuts at one half. */
export function frameToCrop(map: Float32Array, side: number, extent: number, width: number, height: number): Mask {
  const data = new Uint8Array(width * height);
  const across = samplesOf(side, extent, width);
  const down = samplesOf(side, extent, height);
  // The frame's rows read at the crop's columns: several rows of the crop lie between the same two of them.
  const rows = new Float64Array(side * width);
  for (let v = 0; v < side; v++) {
    for (let x = across.from; x < across.to; x++) {
      const at = v * side + across.first[x]!;
      const a = across.share[x]!;
      rows[v * width + x] = map[at]! * (1 - a) + map[at + 1]! * a;
    }
  }
  for (let y = down.from; y < down.to; y++) {
    const b = down.share[y]!;
    let top = down.first[y]! * width + across.from;
    for (let i = y * width + across.from; i < y * width + across.to; i++, top++) {
      if (rows[top]! * (1 - b) + rows[top + width]! * b > 0.5) data[i] = 1;
    }
  }
  return { width, height, data };
}

/** Where the pixels of a crop along one direction lie in the frame; those of `from` to before `to` lie in it. */
function samplesOf(side: number, extent: number, count: number) {
  const step = side / extent;
  const first = new Int32Array(count);
  const share = new Float64Array(count);
  let from = count;
  let to = 0;
  for (let x = 0; x < count; x++) {
    const u = (x + 0.5 - count / 2 + extent / 2) * step - 0.5;
    if (u < -0.5 || u > side - 0.5) continue;
    first[x] = Math.max(0, Math.min(side - 2, Math.floor(u)));
    share[x] = u - first[x]!;
    from = Math.min(from, x);
    to = x + 1;
  }
  return { first, share, from, to };
}
