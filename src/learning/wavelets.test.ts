/** Against the convolutions written out in two dimensions, in float64; and what a scattering transform is for. */
import { describe, expect, test } from "vitest";
import { InferenceRunner, input } from "../autodiff/index.ts";
import { Random } from "../runs/index.ts";
import { mirrorOrder, scattering, waveletCount } from "./wavelets.ts";

const SIDE = 16;
const CELLS = SIDE / 8;
const random = Random.seeded(3).stream("wavelets");

async function seen(views: Float32Array, side = SIDE): Promise<Float32Array[]> {
  const runner = await InferenceRunner.create(
    { rows: scattering(input("views", [-1, 3, side, side])) },
    { threads: 1 },
  );
  const { rows } = await runner.run({ views });
  runner.dispose();
  const width = waveletCount(side);
  return Array.from({ length: rows!.data.length / width }, (_, i) =>
    (rows!.data as Float32Array).slice(i * width, (i + 1) * width),
  );
}

/** A map of samples that lie `step` pixels apart. */
interface Samples {
  step: number;
  values: number[][];
}

const places = (step: number) => Array.from({ length: SIDE / step }, (_, i) => (i + 0.5) * step - 0.5);
const bell = (x: number, y: number, width: number) =>
  Math.exp(-(x * x + y * y) / (2 * width ** 2)) / (2 * Math.PI * width ** 2);

/** The sum over all samples, each as much as the pixels it stands for, at every place of a grid. */
function filtered({ step, values }: Samples, to: number, weigh: (dx: number, dy: number) => number): number[][] {
  const from = places(step);
  return places(to).map((y) =>
    places(to).map((x) =>
      from.reduce(
        (total, v, row) =>
          total + from.reduce((sum, u, column) => sum + step ** 2 * values[row]![column]! * weigh(x - u, y - v), 0),
        0,
      ),
    ),
  );
}

function modulus(map: Samples, size: number, angle: number): Samples {
  const [width, frequency] = [0.8 * 2 ** size, (0.75 * Math.PI) / 2 ** size];
  const phase = (dx: number, dy: number) => frequency * (dx * Math.cos(angle) + dy * Math.sin(angle));
  const share = Math.exp(-((width * frequency) ** 2) / 2);
  const real = filtered(map, 2 ** size, (dx, dy) => bell(dx, dy, width) * (Math.cos(phase(dx, dy)) - share));
  const imaginary = filtered(map, 2 ** size, (dx, dy) => bell(dx, dy, width) * Math.sin(phase(dx, dy)));
  return { step: 2 ** size, values: real.map((row, y) => row.map((re, x) => Math.hypot(re, imaginary[y]![x]!))) };
}

const cells = (map: Samples) => filtered(map, 8, (dx, dy) => bell(dx, dy, 6.4)).flat();
const logarithms = (map: Samples) => cells(map).map((value) => Math.log(value + 0.003));

test("is the moduli of two layers of Morlet wavelets over cells, as the convolutions say", async () => {
  const view = Float32Array.from({ length: 3 * SIDE ** 2 }, () => random.normal());
  const grey: Samples = {
    step: 1,
    values: Array.from({ length: SIDE }, (_, y) =>
      Array.from({ length: SIDE }, (_, x) =>
        [0.3, 0.59, 0.11].reduce((sum, part, c) => sum + part * view[c * SIDE ** 2 + y * SIDE + x]!, 0),
      ),
    ),
  };
  const angles = [0, 45, 90, 135].map((degrees) => (degrees * Math.PI) / 180);
  const first = [0, 1, 2].map((size) => angles.map((angle) => modulus(grey, size, angle)));
  const second = [
    [0, 1],
    [0, 2],
    [1, 2],
  ].flatMap(([fine, coarse]) => angles.flatMap((angle) => first[fine!]!.map((map) => modulus(map, coarse!, angle))));
  const wanted = [...cells(grey), ...[...first.flat(), ...second].flatMap(logarithms)];
  const [found] = await seen(view);
  expect(found).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(Math.abs(found![i]! - value)).toBeLessThan(1e-3);
});

describe("sees", () => {
  const PATHS = 1 + 12 + 48;
  const squared = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + (v - b[i]!) ** 2, 0);

  test("the mirror image as the same in mirrored cells, 45 and 135 degrees in each other's place", async () => {
    const view = Float32Array.from({ length: 3 * SIDE ** 2 }, () => random.normal());
    const mirror = view.map((_, i) => view[i - (i % SIDE) + SIDE - 1 - (i % SIDE)]!);
    const [row, other] = await seen(Float32Array.of(...view, ...mirror));
    const direction = [0, 3, 2, 1];
    const partner = (path: number) => {
      if (path === 0) return 0;
      if (path <= 12) return path - ((path - 1) % 4) + direction[(path - 1) % 4]!;
      const [block, coarse, fine] = [Math.floor((path - 13) / 16), Math.floor((path - 13) / 4) % 4, (path - 13) % 4];
      return 13 + 16 * block + 4 * direction[coarse]! + direction[fine]!;
    };
    const order = mirrorOrder(SIDE);
    expect(order).toHaveLength(row!.length);
    for (let path = 0; path < PATHS; path++) {
      for (let cell = 0; cell < CELLS ** 2; cell++) {
        const across = cell - (cell % CELLS) + CELLS - 1 - (cell % CELLS);
        const [here, there] = [path * CELLS ** 2 + cell, partner(path) * CELLS ** 2 + across];
        expect(Math.abs(row![here]! - other![there]!)).toBeLessThan(1e-3);
        expect(order[here]).toBe(there);
      }
    }
  });

  test("a disc a pixel further on as nearly the same, one with stripes as another", async () => {
    const side = 32;
    const drawn = (at: number, stripes: number) =>
      Float32Array.from({ length: 3 * side ** 2 }, (_, i) => {
        const [x, y] = [i % side, Math.floor(i / side) % side];
        const inside = (x - at) ** 2 + (y - 15.5) ** 2 < 64;
        return inside ? 1 + stripes * Math.sin(2.4 * x) : 0;
      });
    const [disc, moved, striped] = await seen(
      Float32Array.of(...drawn(15, 0), ...drawn(16, 0), ...drawn(15, 0.3)),
      side,
    );
    expect(squared(disc!, moved!)).toBeLessThan(squared(disc!, striped!) / 3);
  });
});
