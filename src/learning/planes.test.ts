/** Views read plane by plane in the graph, against the same arithmetic in loops. */
import { expect, test } from "vitest";
import { constant, InferenceRunner, input, type Tensor } from "../autodiff/index.ts";
import { Random } from "../runs/index.ts";
import {
  blurred,
  cropPlanes,
  halfTurn,
  keptRegion,
  keptRegions,
  mirrored,
  readCropPlanes,
  readFramePlanes,
} from "./planes.ts";
import { crop, UNPERTURBED, type ViewMap, viewMap } from "./views.ts";

const [COUNT, WIDTH, HEIGHT, SIDE] = [2, 21, 17, 32];
const random = Random.seeded(3);
const pixels = Uint8Array.from({ length: COUNT * WIDTH * HEIGHT * 3 }, () => Math.floor(random.uniform(0, 256)));
const maps = Float32Array.from({ length: COUNT * SIDE * SIDE }, () => random.uniform());
/** The second crop is smaller than its canvas. */
const SIZES = [
  [WIDTH, HEIGHT],
  [15, 12],
] as const;
const EXTENT = 18;

/** Two views of each crop, which lie partly outside it. */
const views: ViewMap[][] = SIZES.map(([width, height]) =>
  [0.3, 2].map((rotation) =>
    viewMap({ ...crop(width, height), axisX: 0.6, axisY: 0.8 }, 20, { ...UNPERTURBED, rotation }),
  ),
);

async function values(tensors: Record<string, Tensor>): Promise<Record<string, number[]>> {
  const runner = await InferenceRunner.create(tensors, { threads: 1 });
  const out = await runner.run({ pixels, maps });
  runner.dispose();
  return Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

/** Every value of `of` over crops, views, channels and the pixels of a view, in the order of the planes. */
function everywhere(channels: number, of: (n: number, c: number, x: number, y: number) => number): number[] {
  const out: number[] = [];
  for (const [n, ofCrop] of views.entries()) {
    for (const [a, b, x0, c, d, y0] of ofCrop) {
      for (let channel = 0; channel < channels; channel++) {
        for (let i = 0; i < SIDE * SIDE; i++) {
          const [u, v] = [(2 * (i % SIDE) + 1) / SIDE - 1, (2 * Math.floor(i / SIDE) + 1) / SIDE - 1];
          out.push(of(n, channel, a * u + b * v + x0, c * u + d * v + y0));
        }
      }
    }
  }
  return out;
}

/** Bilinear at (x, y), where (0.5, 0.5) is the centre of the first sample. */
function bilinear(at: (x: number, y: number) => number, x: number, y: number): number {
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [a, b] = [x - 0.5 - left, y - 0.5 - top];
  const row = (line: number) => at(left, line) * (1 - a) + at(left + 1, line) * a;
  return row(top) * (1 - b) + row(top + 1) * b;
}

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

const frames = input("maps", [COUNT, 1, SIDE, SIDE]);
const canvas = input("pixels", [COUNT, HEIGHT, WIDTH, 3], "uint8");
const sizes = constant(SIZES.flat(), [COUNT, 2]);
const theta = constant(views.flat(2), [COUNT, 2, 2, 3]);

test("crops, their edge pixels repeated beyond their edges", async () => {
  const crops = { planes: cropPlanes(canvas), canvasSize: constant([WIDTH, HEIGHT]), sizes };
  const { seen } = await values({ seen: readCropPlanes(crops, theta, SIDE), unused: frames });
  const within = (i: number, length: number) => Math.max(0, Math.min(length - 1, i));
  const expected = everywhere(3, (n, c, x, y) => {
    const [width, height] = SIZES[n]!;
    const at = (i: number, j: number) => pixels[((n * HEIGHT + within(j, height)) * WIDTH + within(i, width)) * 3 + c]!;
    return bilinear(at, x, y);
  });
  // Of 255 grey levels; neighbours are unlike, and coordinates are single floats.
  expect(largestDifference(seen!, expected)).toBeLessThan(5e-3);
});

test("maps of the frame, nought beyond it", async () => {
  const { mask } = await values({ mask: readFramePlanes(frames, EXTENT, sizes, theta, SIDE), unused: canvas });
  const expected = everywhere(1, (n, _, x, y) => {
    const [width, height] = SIZES[n]!;
    const at = (i: number, j: number) =>
      i < 0 || j < 0 || i >= SIDE || j >= SIDE ? 0 : maps[(n * SIDE + j) * SIDE + i]!;
    const scale = SIDE / EXTENT;
    return bilinear(at, (x - width / 2) * scale + SIDE / 2, (y - height / 2) * scale + SIDE / 2);
  });
  expect(largestDifference(mask!, expected)).toBeLessThan(1e-4);
});

test.each([0, 1, 5])("a margin of %i pixels: the maximum over a square, as grown pixel by pixel", async (margin) => {
  const margins = constant(
    Array.from({ length: COUNT * 9 }, (_, k) => (k % 9 === margin ? 1 : 0)),
    [COUNT, 9],
  );
  const out = await values({ kept: keptRegion(frames, margin), grown: keptRegions(frames, margins), unused: canvas });
  expect(out.kept).toEqual(out.grown);
  const soft = [...maps].map((p) => Math.max(0, Math.min(1, (p - 0.5) * 4 + 0.5)));
  const expected = soft.map((_, i) => {
    const [n, y, x] = [Math.floor(i / SIDE ** 2), Math.floor(i / SIDE) % SIDE, i % SIDE];
    let most = 0;
    for (let j = Math.max(0, y - margin); j <= Math.min(SIDE - 1, y + margin); j++) {
      for (let k = Math.max(0, x - margin); k <= Math.min(SIDE - 1, x + margin); k++) {
        most = Math.max(most, soft[(n * SIDE + j) * SIDE + k]!);
      }
    }
    return most;
  });
  expect(largestDifference(out.kept!, expected)).toBeLessThan(1e-6);
});

test("out of focus: a point becomes a Gaussian, and what is the same everywhere stays so to the edges", async () => {
  const [at, deviation] = [9, 1.5];
  const point = Float32Array.from({ length: SIDE * SIDE }, (_, i) => (i === at * SIDE + at ? 1 : 0));
  const out = await values({
    point: blurred(constant(point, [1, 1, SIDE, SIDE]), deviation),
    flat: blurred(constant(7, [1, 1, SIDE, SIDE]), deviation),
    unused: canvas,
    unusedToo: frames,
  });
  const peak = 1 / (2 * Math.PI * deviation ** 2);
  const wanted = Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [(i % SIDE) - at, Math.floor(i / SIDE) - at];
    return peak * Math.exp(-(x * x + y * y) / 2 / deviation ** 2);
  });
  expect(largestDifference(out.point!, wanted)).toBeLessThan(1e-5);
  expect(largestDifference(out.flat!, new Array(SIDE * SIDE).fill(7))).toBeLessThan(1e-5);
});

test("mirrored and turned", async () => {
  const out = await values({ mirrored: mirrored(frames), turned: halfTurn(frames), unused: canvas });
  const from = (change: (x: number, y: number) => number) =>
    [...maps].map((_, i) => maps[i - (i % SIDE ** 2) + change(i % SIDE, Math.floor(i / SIDE) % SIDE)]!);
  expect(out.mirrored).toEqual(from((x, y) => y * SIDE + SIDE - 1 - x));
  expect(out.turned).toEqual(from((x, y) => (SIDE - 1 - y) * SIDE + SIDE - 1 - x));
});
