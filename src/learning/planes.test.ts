/** Prediction's views, plane by plane, against the ones that training reads. */
import { expect, test } from "vitest";
import { constant, InferenceRunner, input, type Tensor } from "../autodiff/index.ts";
import { Random } from "../runs/index.ts";
import {
  cropPlanes,
  halfTurn,
  keptRegion,
  mirrored,
  readCropPlanes,
  readFramePlanes,
  viewPositions,
} from "./planes.ts";
import { crop, readCrops, readFrame, suppressBackground, UNPERTURBED, viewMap, viewPixels } from "./views.ts";

const [COUNT, WIDTH, HEIGHT, SIDE] = [2, 21, 17, 32];
const random = Random.seeded(3);
const pixels = Float32Array.from({ length: COUNT * WIDTH * HEIGHT * 3 }, () => Math.floor(random.uniform(0, 256)));
const maps = Float32Array.from({ length: COUNT * SIDE * SIDE }, () => random.uniform());
// The second crop is smaller than its canvas.
const sizes = [WIDTH, HEIGHT, 15, 12];
const EXTENT = 18;

/** Views that lie partly outside the crops. */
const thetas = [0, 1].map((i) =>
  [0.3, 2].map((rotation) =>
    viewMap({ ...crop(sizes[2 * i]!, sizes[2 * i + 1]!), axisX: 0.6, axisY: 0.8 }, 20, { ...UNPERTURBED, rotation }),
  ),
);

async function values(tensors: Record<string, Tensor>): Promise<Record<string, number[]>> {
  const runner = await InferenceRunner.create(tensors, { threads: 1 });
  const out = await runner.run({ pixels, maps });
  runner.dispose();
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

/** [N, S, S, C] → [N, C, S, S]. */
function asPlanes(data: readonly number[], channels: number): number[] {
  const area = SIDE * SIDE;
  return data.map((_, i) => {
    const [n, c, at] = [Math.floor(i / (channels * area)), Math.floor(i / area) % channels, i % area];
    return data[(n * area + at) * channels + c]!;
  });
}

const largestDifference = (a: readonly number[], b: readonly number[]) => {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
};

const canvas = input("pixels", [COUNT, HEIGHT, WIDTH, 3]);
const frames = input("maps", [COUNT, SIDE, SIDE, 1]);
const sizesOf = constant(sizes, [COUNT, 2]);
const canvasSize = constant([WIDTH, HEIGHT]);

test("crops and maps read as in training, two views at once", async () => {
  const positions = viewPositions(constant(thetas.flat(2), [COUNT, 2, 2, 3]), SIDE);
  const crops = { planes: cropPlanes(canvas), canvasSize, sizes: sizesOf };
  const at = [0, 1].map((view) =>
    viewPixels(
      constant(
        thetas.flatMap((views) => [...views[view]!]),
        [COUNT, 2, 3],
      ),
      SIDE,
    ),
  );
  const out = await values({
    seen: readCropPlanes(crops, positions, SIDE),
    mask: readFramePlanes(input("maps", [COUNT, 1, SIDE, SIDE]), EXTENT, sizesOf, positions, SIDE),
    seen0: readCrops(canvas, canvasSize, sizesOf, at[0]!),
    seen1: readCrops(canvas, canvasSize, sizesOf, at[1]!),
  });
  const masks = await values({
    mask0: readFrame(frames, EXTENT, sizesOf, at[0]!),
    mask1: readFrame(frames, EXTENT, sizesOf, at[1]!),
    unused: canvas,
  });
  const interleaved = (views: readonly number[][], size: number) =>
    [0, 1].flatMap((n) => views.flatMap((view) => view.slice(n * size, (n + 1) * size)));
  const colours = [out.seen0!, out.seen1!].map((view) => asPlanes(view, 3));
  // Of 255 grey levels.
  expect(largestDifference(out.seen!, interleaved(colours, 3 * SIDE * SIDE))).toBeLessThan(2e-3);
  expect(largestDifference(out.mask!, interleaved([masks.mask0!, masks.mask1!], SIDE * SIDE))).toBeLessThan(1e-5);
});

test.each([0, 1, 5])("a margin of %i pixels keeps what training keeps", async (margin) => {
  const one = constant(1, [COUNT, SIDE, SIDE, 1]);
  const margins = constant(
    Array.from({ length: 9 }, (_, k) => (k === margin ? 1 : 0)),
    [1, 9],
  );
  const { kept } = await values({
    kept: keptRegion(input("maps", [COUNT, 1, SIDE, SIDE]), margin),
    unused: canvas,
  });
  const { expected } = await values({ expected: suppressBackground(one, frames, margins), unused: canvas });
  expect(kept).toEqual(expected);
});

test("mirrored and turned", async () => {
  const planes = input("maps", [COUNT, 1, SIDE, SIDE]);
  const out = await values({ mirrored: mirrored(planes), turned: halfTurn(planes), unused: canvas });
  const at = (n: number, y: number, x: number) => maps[(n * SIDE + y) * SIDE + x];
  for (const [n, y, x] of [
    [0, 0, 0],
    [1, 5, 9],
    [1, 31, 0],
  ] as const) {
    expect(out.mirrored![(n * SIDE + y) * SIDE + x]).toBe(at(n, y, SIDE - 1 - x));
    expect(out.turned![(n * SIDE + y) * SIDE + x]).toBe(at(n, SIDE - 1 - y, SIDE - 1 - x));
  }
});
