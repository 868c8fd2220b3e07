import fc from "fast-check";
import { expect, test } from "vitest";
import {
  circle,
  distanceToSegment,
  grow,
  type Point,
  shift,
  signedArea,
  simplify,
  within,
  withoutStairs,
} from "./outline.ts";

const SQUARE: Point[] = [
  [0, 0],
  [10, 0],
  [10, 10],
  [0, 10],
];

test("areas of a square, of its mirror image, and of a regular polygon by its closed form", () => {
  expect(signedArea(SQUARE)).toBe(100);
  expect(signedArea(SQUARE.toReversed())).toBe(-100);
  expect(signedArea(circle([3, 4], 10, 12))).toBeCloseTo(0.5 * 12 * 100 * Math.sin((2 * Math.PI) / 12), 9);
});

test("distance to a segment: beside it, beyond its ends, from a segment without length", () => {
  expect(distanceToSegment([5, 3], [0, 0], [10, 0])).toBe(3);
  expect(distanceToSegment([13, 4], [0, 0], [10, 0])).toBe(5);
  expect(distanceToSegment([3, 4], [0, 0], [0, 0])).toBe(5);
});

test("a square with points along its sides becomes its corners", () => {
  const dense: Point[] = [];
  for (let i = 0; i < 10; i++) dense.push([i, 0]);
  for (let i = 0; i < 10; i++) dense.push([10, i]);
  for (let i = 0; i < 10; i++) dense.push([10 - i, 10]);
  for (let i = 0; i < 10; i++) dense.push([0, 10 - i]);
  expect(simplify(dense, 0.1)).toEqual(SQUARE);
});

test("no corner that is left out lies farther from the outline than the tolerance", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 5, max: 20, noNaN: true }), { minLength: 8, maxLength: 80 }),
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      (radii, tolerance) => {
        const outline: Point[] = radii.map((r, i) => {
          const angle = (2 * Math.PI * i) / radii.length;
          return [r * Math.cos(angle), r * Math.sin(angle)];
        });
        const kept = simplify(outline, tolerance);
        expect(outline).toEqual(expect.arrayContaining(kept));
        for (const point of outline) {
          const off = kept.map((corner, i) => distanceToSegment(point, corner, kept[(i + 1) % kept.length]!));
          expect(Math.min(...off)).toBeLessThanOrEqual(tolerance + 1e-9);
        }
      },
    ),
  );
});

test("stairs of a diagonal become the diagonal, long sides stay where they are", () => {
  const stairs: Point[] = [[0, 0]];
  for (let i = 0; i < 10; i++) stairs.push([i + 1, i], [i + 1, i + 1]);
  stairs.push([0, 10]);
  const smooth = withoutStairs(stairs);
  // Of the 20 steps down the stairs every middle lies a quarter of a pixel's diagonal off it.
  for (const [x, y] of smooth.slice(0, 20)) expect(Math.abs(x - y)).toBe(0.5);
  for (const [x, y] of smooth.slice(20)) expect(x === 0 || y === 10).toBe(true);
  expect(smooth).toHaveLength(40);
  expect(Math.abs(signedArea(smooth))).toBeGreaterThan(Math.abs(signedArea(stairs)) - 1);
});

test("growing moves a circle's corners outwards by as much, whichever way it runs", () => {
  for (const ring of [circle([50, 50], 10), circle([50, 50], 10).toReversed()]) {
    for (const [x, y] of grow(ring, 2)) expect(Math.hypot(x - 50, y - 50)).toBeCloseTo(12, 9);
    for (const [x, y] of grow(ring, -3)) expect(Math.hypot(x - 50, y - 50)).toBeCloseTo(7, 9);
  }
});

test("outlines stay inside the image", () => {
  expect(within(shift(SQUARE, -4, 95.123), 100, 100)).toEqual([
    [0, 95.12],
    [6, 95.12],
    [6, 100],
    [0, 100],
  ]);
});
