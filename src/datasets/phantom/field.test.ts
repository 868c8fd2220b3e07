import { expect, test } from "vitest";
import { phantomField } from "./field.ts";

test("the same seed and place in the set give the same photograph, others another", () => {
  const bytes = (seed: number, index: number) =>
    Buffer.from(phantomField({ seed, size: 200, heads: 3 }, index).image.data);
  expect(bytes(1, 0).equals(bytes(1, 0))).toBe(true);
  expect(bytes(1, 0).equals(bytes(1, 1))).toBe(false);
  expect(bytes(1, 0).equals(bytes(2, 0))).toBe(false);
});

test("heads are darker than the ground, lie apart, and those that are to touch do", () => {
  const { image, heads } = phantomField({ seed: 4, heads: 12, touching: 2 });
  const { width, data } = image;
  const owner = new Int16Array(width * image.height);
  for (const [k, { pixels }] of heads.entries()) for (const i of pixels) owner[i] = k + 1;
  const green = (pixels: Iterable<number>) => {
    const values = [...pixels].map((i) => data[i * 3 + 1]!);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const ground = green([...owner.keys()].filter((i) => owner[i] === 0));
  for (const { pixels } of heads) expect(green(pixels)).toBeLessThan(ground - 20);
  const neighbours = new Set<string>();
  for (const [k, { pixels }] of heads.entries()) {
    for (const i of pixels) {
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) {
          const other = owner[i + dy * width + dx];
          if (other && other !== k + 1) neighbours.add([k, other - 1].sort().join());
        }
    }
  }
  expect([...neighbours].sort()).toEqual(["0,1", "1,2"]);
});

test("a head over the border is said to be cut", () => {
  const { heads } = phantomField({ seed: 4, heads: 12 });
  expect(heads.filter(({ cut }) => cut)).toHaveLength(1);
});
