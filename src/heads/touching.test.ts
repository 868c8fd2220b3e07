import { describe, expect, test } from "vitest";
import type { Mask } from "../imaging/index.ts";
import { ellipse, shape } from "./fixtures.ts";
import { splitTouching } from "./touching.ts";

const size = 120;
const SADDLE = 0.85;
const union = (...masks: Mask[]): Mask => ({
  ...masks[0]!,
  data: masks[0]!.data.map((_, i) => (masks.some((mask) => mask.data[i]) ? 1 : 0)),
});
const disk = (x: number, y: number, r: number) => ellipse(size, size, { x, y, a: r, b: r, angle: 0 });
const at = (labels: Int32Array, x: number, y: number) => labels[Math.floor(y) * size + Math.floor(x)]!;

function expectLabels(mask: Mask, { labels, count }: { labels: Int32Array; count: number }): void {
  for (let i = 0; i < labels.length; i++) {
    if (!mask.data[i]) expect(labels[i]).toBe(0);
    else expect(labels[i]! >= 1 && labels[i]! <= count).toBe(true);
  }
  expect(new Set([...labels].filter((label) => label > 0)).size).toBe(count);
}

describe("touching heads are cut apart", () => {
  test.each([0, 0.4, 1.1, 2.3])("two equal disks at %f rad: along the middle", (angle) => {
    const [dx, dy] = [14 * Math.cos(angle), 14 * Math.sin(angle)];
    const mask = union(disk(60 - dx, 60 - dy, 16), disk(60 + dx, 60 + dy, 16));
    const found = splitTouching(mask, SADDLE);
    expect(found.count).toBe(2);
    expectLabels(mask, found);
    const [first, second] = [at(found.labels, 60 - dx, 60 - dy), at(found.labels, 60 + dx, 60 + dy)];
    expect(first).not.toBe(second);
    // The cut is straight: whatever lies more than two pixels off the middle has its own disk's label.
    const length = Math.hypot(dx, dy);
    for (let i = 0; i < mask.data.length; i++) {
      if (!mask.data[i]) continue;
      const side = (((i % size) + 0.5 - 60) * dx + (Math.floor(i / size) + 0.5 - 60) * dy) / length;
      if (Math.abs(side) > 2) expect(found.labels[i]).toBe(side < 0 ? first : second);
    }
  });

  test("a small one beside a large one, with the cut at the neck", () => {
    const mask = union(disk(50, 60, 24), disk(81, 60, 11));
    const found = splitTouching(mask, SADDLE);
    expect(found.count).toBe(2);
    expectLabels(mask, found);
    const small = found.labels.reduce((n, label) => n + (label === at(found.labels, 82, 60) ? 1 : 0), 0);
    expect(small / (Math.PI * 11 ** 2)).toBeGreaterThan(0.75);
    expect(small / (Math.PI * 11 ** 2)).toBeLessThan(1.25);
  });

  test("three in a row, and two that do not touch", () => {
    const row = union(disk(30, 60, 15), disk(57, 60, 15), disk(84, 60, 15));
    expect(splitTouching(row, SADDLE).count).toBe(3);
    const separate = union(disk(30, 30, 12), disk(80, 80, 12));
    const found = splitTouching(separate, SADDLE);
    expect(found.count).toBe(2);
    expect(at(found.labels, 30, 30)).not.toBe(at(found.labels, 80, 80));
  });
});

describe("one head stays one", () => {
  test.each([
    ["a disk", disk(60, 60, 20)],
    ["an oval", ellipse(size, size, { x: 60, y: 60, a: 22, b: 13, angle: 0.7 })],
    ["a long oval", ellipse(size, size, { x: 60, y: 60, a: 30, b: 10, angle: 2 })],
    ["a pear", union(disk(50, 60, 15), ellipse(size, size, { x: 66, y: 60, a: 16, b: 9, angle: 0 }))],
    [
      "a taper",
      shape(size, size, { x: 60, y: 60, angle: 1 }, (u, v) => Math.abs(u) < 22 && Math.abs(v) < 13 - 0.3 * u),
    ],
    ["two disks that are nearly one", union(disk(56, 60, 16), disk(64, 60, 16))],
    ["a pixel", disk(60.5, 60.5, 0.4)],
  ])("%s", (_, mask) => {
    const found = splitTouching(mask, SADDLE);
    expect(found.count).toBe(1);
    expectLabels(mask, found);
  });

  test("whatever the shape, where no pass is too low", () => {
    const mask = union(disk(46, 60, 16), disk(74, 60, 16));
    expect(splitTouching(mask, 0).count).toBe(1);
  });
});

test("nothing has no heads", () => {
  const found = splitTouching({ width: 4, height: 3, data: new Uint8Array(12) }, SADDLE);
  expect(found.count).toBe(0);
  expect([...found.labels]).toEqual(Array(12).fill(0));
});
