import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { contrast } from "./contrast.ts";
import { ellipse, flat, shape, stained } from "./fixtures.ts";

const size = 100;
const head = ellipse(size, size, { x: 50, y: 50, a: 18, b: 12, angle: 0.5 });
const pink = [240, 170, 205];
const values = (data: Float32Array, keep: (i: number) => boolean) => [...data].filter((_, i) => keep(i));
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length;
const deviation = (list: readonly number[]) => Math.sqrt(mean(list.map((v) => (v - mean(list)) ** 2)));

describe("an even background", () => {
  test("is recognised, and stain stands out by what it takes away", () => {
    const drop = [60, 110, 50];
    const { background, plane, noise } = contrast(stained(flat(size, size, pink), head, drop));
    for (const [c, value] of background.entries()) expect(Math.abs(value - pink[c]!)).toBeLessThanOrEqual(1);
    for (const v of values(plane.data, (i) => !head.data[i])) expect(Math.abs(v)).toBeLessThan(2);
    // In grey levels of weighted channels: between the least and the most of the three drops.
    for (const v of values(plane.data, (i) => head.data[i] === 1)) {
      expect(v).toBeGreaterThan(49);
      expect(v).toBeLessThan(111);
    }
    expect(noise).toBeLessThan(1);
  });

  test("its noise is measured as it is in the plane", () => {
    const random = Random.seeded(21);
    const { plane, noise } = contrast(stained(flat(size, size, pink, 4, random), head, [60, 110, 50]));
    const outside = values(plane.data, (i) => !head.data[i]);
    expect(Math.abs(mean(outside))).toBeLessThan(1);
    expect(noise / deviation(outside)).toBeGreaterThan(0.8);
    expect(noise / deviation(outside)).toBeLessThan(1.2);
    // Three noisy channels together are less noisy than one.
    expect(noise).toBeLessThan(4);
  });
});

test.each([
  ["red", [90, 0, 0]],
  ["green", [0, 90, 0]],
  ["blue", [0, 0, 90]],
])("a stain that takes away %s alone is seen as well", (_, drop) => {
  const random = Random.seeded(22);
  const { plane, noise } = contrast(stained(flat(size, size, pink, 3, random), head, drop));
  const inside = mean(values(plane.data, (i) => head.data[i] === 1));
  expect(inside).toBeGreaterThan(40);
  expect(inside / noise).toBeGreaterThan(10);
});

test("the noisier channel counts less", () => {
  const random = Random.seeded(23);
  const image = stained(flat(size, size, pink, 2, random), head, [60, 60, 60]);
  for (let i = 0; i < size * size; i++) {
    image.data[i * 3 + 2] = Math.max(0, Math.min(255, image.data[i * 3 + 2]! + 12 * random.normal()));
  }
  const { plane } = contrast(image);
  const outside = values(plane.data, (i) => !head.data[i]);
  // The plain mean of the channels would have about 4.2.
  expect(deviation(outside)).toBeLessThan(2.5);
});

test("a slope of the light is taken away", () => {
  const image = stained(flat(size, size, pink), head, [60, 110, 50]);
  const sloped = image.data.map((v, i) => {
    const [x, y] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size)];
    return Math.round(v * (0.94 + 0.0008 * x + 0.0003 * y));
  });
  const { plane } = contrast({ ...image, data: sloped });
  const corner = (x: number, y: number) =>
    mean(values(plane.data, (i) => Math.abs((i % size) - x) < 12 && Math.abs(Math.floor(i / size) - y) < 12));
  for (const x of [12, 87]) for (const y of [12, 87]) expect(Math.abs(corner(x, y))).toBeLessThan(2);
  expect(mean(values(plane.data, (i) => head.data[i] === 1))).toBeGreaterThan(50);
});

test("the black border of a slide is no stain and changes nothing", () => {
  const image = stained(flat(size, size, pink), head, [60, 110, 50]);
  const slide = shape(size, size, { x: 50, y: 50, angle: 0 }, (u, v) => Math.hypot(u, v) < 47);
  const bordered = { ...image, data: image.data.map((v, i) => (slide.data[Math.floor(i / 3)] ? v : 3)) };
  const [plain, framed] = [contrast(image), contrast(bordered)];
  expect(framed.background).toEqual(plain.background);
  for (const [i, v] of framed.plane.data.entries()) {
    if (slide.data[i]) expect(Math.abs(v - plain.plane.data[i]!)).toBeLessThan(3);
    else expect(v).toBeLessThan(5);
  }
});

test("pictures without any stain give finite figures", () => {
  for (const colour of [
    [0, 0, 0],
    [255, 255, 255],
    [128, 128, 128],
  ]) {
    for (const [width, height] of [
      [1, 1],
      [3, 2],
      [40, 30],
    ] as const) {
      const found = contrast(flat(width, height, colour));
      expect(found.plane.data).toHaveLength(width * height);
      expect([...found.plane.data, ...found.background, found.noise].every(Number.isFinite)).toBe(true);
      expect(Math.max(...found.plane.data)).toBeLessThan(1);
    }
  }
});
