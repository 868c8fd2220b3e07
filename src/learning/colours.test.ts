/** The colour maps of training views against what they are said to do, and the graph against plain arithmetic. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { InferenceRunner, input } from "../autodiff/index.ts";
import { Random } from "../runs/index.ts";
import { type ColourJitter, drawColourMix, recolouring } from "./colours.ts";

const MEAN = [0.9, 0.6, 0.7] as const;
const jitter = (more: Partial<ColourJitter>): ColourJitter => ({ contrast: 0, grey: 0, ...more });
const apply = ({ mix, lift }: { mix: number[]; lift: number[] }, colour: readonly number[]) =>
  [0, 1, 2].map((to) => colour.reduce((sum, value, from) => sum + mix[to * 3 + from]! * value, lift[to]!));
const seeds = fc.integer({ min: 0, max: 1e6 });
const colours = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0, max: 255, noNaN: true })));
const luminance = ([r, g, b]: readonly number[]) => 0.299 * r! + 0.587 * g! + 0.114 * b!;

test("contrast keeps the mean colour and stretches about it, by a factor within its range", () => {
  fc.assert(
    fc.property(seeds, colours, (seed, colour) => {
      const map = drawColourMix(Random.seeded(seed), jitter({ contrast: 0.5 }), MEAN);
      const mean = MEAN.map((value) => 255 * value);
      for (const [c, value] of apply(map, mean).entries()) expect(value).toBeCloseTo(mean[c]!, 6);
      const strength = map.mix[0]!;
      expect(Math.abs(Math.log(strength))).toBeLessThanOrEqual(0.5);
      for (const [c, value] of apply(map, colour).entries()) {
        expect(value - mean[c]!).toBeCloseTo(strength * (colour[c]! - mean[c]!), 6);
      }
    }),
  );
});

test("grey views show luminance, as often as asked for; others stay as they are", () => {
  const random = Random.seeded(7);
  let grey = 0;
  for (let i = 0; i < 2000; i++) {
    const [r, g, b] = apply(drawColourMix(random, jitter({ grey: 0.3 }), MEAN), [200, 100, 50]);
    if (r === 200) expect([r, g, b]).toEqual([200, 100, 50]);
    else {
      grey++;
      for (const value of [r, g, b]) expect(value).toBeCloseTo(luminance([200, 100, 50]), 6);
    }
  }
  // Five standard deviations about 600.
  expect(Math.abs(grey - 600)).toBeLessThan(103);
});

test("the graph does what the numbers say, to planes and to single colours", async () => {
  const mixing = jitter({ contrast: 0.4, grey: 0.5 });
  const random = Random.seeded(3);
  const maps = [0, 1, 2, 3].map(() => drawColourMix(random, mixing, MEAN));
  const gains = Array.from({ length: 12 }, () => random.uniform(0.7, 1.3));
  const pixels = Array.from({ length: 4 * 3 * 6 }, () => random.uniform(0, 255));
  const recolour = recolouring(4, { brightness: 0, colour: 0, jitter: mixing });
  const runner = await InferenceRunner.create({
    planes: recolour.planes(input("pixels", [4, 3, 2, 3])),
    mean: recolour.single(input("single", [4, 3])),
  });
  const single = Array.from({ length: 12 }, () => random.uniform(0, 255));
  const out = await runner.run({
    pixels: Float32Array.from(pixels),
    single: Float32Array.from(single),
    gains: Float32Array.from(gains),
    mixes: Float32Array.from(maps.flatMap(({ mix }) => mix)),
    lifts: Float32Array.from(maps.flatMap(({ lift }) => lift)),
  });
  for (let n = 0; n < 4; n++) {
    const check = (colour: number[], at: (c: number) => number) => {
      for (const [c, value] of apply(maps[n]!, colour).entries())
        expect(at(c)).toBeCloseTo(value * gains[n * 3 + c]!, 2);
    };
    for (let p = 0; p < 6; p++) {
      const place = (c: number) => (n * 3 + c) * 6 + p;
      check(
        [0, 1, 2].map((c) => pixels[place(c)]!),
        (c) => out.planes!.data[place(c)] as number,
      );
    }
    check(single.slice(n * 3, n * 3 + 3), (c) => out.mean!.data[n * 3 + c] as number);
  }
  runner.dispose();
});
