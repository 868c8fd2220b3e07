import { describe, expect, test } from "vitest";
import type { Mask } from "../imaging/index.ts";
import { Random } from "../runs/index.ts";
import { PARTS, parts } from "./anatomy.ts";
import { circumference, type Ellipse, ellipse, shape, stainAlong } from "./fixtures.ts";
import { morphometry, perimeter } from "./morphometry.ts";
import { vacuoles } from "./vacuoles.ts";

const size = 140;
/** Ellipses at any place between pixels and at any angle. */
function heads(a: number, b: number, count: number): Ellipse[] {
  const random = Random.seeded(10).stream(a, b);
  return Array.from({ length: count }, () => ({
    x: 70 + random.uniform(),
    y: 70 + random.uniform(),
    a,
    b,
    angle: random.uniform(-3, 3),
  }));
}
const measured = (mask: Mask, of: Ellipse, parts: Mask = mask) =>
  morphometry(
    mask,
    parts,
    stainAlong(size, size, of, (along) => 60 + along),
  )!;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;

describe("ellipses have their closed forms", () => {
  test.each([
    [18, 12],
    [20, 10],
    [13, 9],
    [40, 25],
  ])("half axes %d and %d px", (a, b) => {
    const found = heads(a, b, 30).map((head) => ({ head, ...measured(ellipse(size, size, head), head) }));
    for (const m of found) {
      // One by one within what a grid of pixels allows; on average without bias.
      expect(Math.abs(m.areaPx / (Math.PI * a * b) - 1)).toBeLessThan(0.025);
      expect(Math.abs(m.lengthPx - 2 * a)).toBeLessThan(1);
      expect(Math.abs(m.widthPx - 2 * b)).toBeLessThan(1);
      expect(Math.abs(m.perimeterPx / circumference(a, b) - 1)).toBeLessThan(0.03);
      expect(m.ellipticity).toBeCloseTo(m.lengthPx / m.widthPx, 10);
      expect(m.elongation).toBeCloseTo((m.lengthPx - m.widthPx) / (m.lengthPx + m.widthPx), 10);
      expect(Math.abs(m.ellipticity / (a / b) - 1)).toBeLessThan(0.06);
      expect(Math.abs(m.rugosity / ((4 * Math.PI * Math.PI * a * b) / circumference(a, b) ** 2) - 1)).toBeLessThan(
        0.07,
      );
      expect(Math.abs(m.regularity - 1)).toBeLessThan(0.06);
      expect(m.symmetry).toBeGreaterThan(0.94);
      expect(Math.hypot(m.centreX - m.head.x, m.centreY - m.head.y)).toBeLessThan(0.2);
      const turn = ((m.angleDeg - (m.head.angle * 180) / Math.PI + 540) % 360) - 180;
      expect(Math.abs(turn)).toBeLessThan(3);
    }
    expect(Math.abs(mean(found.map((m) => m.areaPx)) / (Math.PI * a * b) - 1)).toBeLessThan(0.005);
    expect(Math.abs(mean(found.map((m) => m.lengthPx)) - 2 * a)).toBeLessThan(0.2);
    expect(Math.abs(mean(found.map((m) => m.widthPx)) - 2 * b)).toBeLessThan(0.3);
    expect(Math.abs(mean(found.map((m) => m.perimeterPx)) / circumference(a, b) - 1)).toBeLessThan(0.025);
    expect(Math.abs(mean(found.map((m) => m.regularity)) - 1)).toBeLessThan(0.03);
  });

  test("a disk: as long as wide, and as compact as can be", () => {
    for (const head of heads(16, 16, 20)) {
      const m = measured(ellipse(size, size, head), head);
      expect(Math.abs(m.ellipticity - 1)).toBeLessThan(0.04);
      expect(Math.abs(m.elongation)).toBeLessThan(0.02);
      expect(Math.abs(m.rugosity - 1)).toBeLessThan(0.03);
      expect(Math.abs(m.perimeterPx - 2 * Math.PI * 16)).toBeLessThan(2);
    }
  });
});

test("other shapes differ as they should", () => {
  const place = { x: 70.3, y: 69.8, a: 20, b: 12, angle: 0.6 };
  const oval = measured(ellipse(size, size, place), place);
  const box = measured(
    shape(size, size, place, (u, v) => Math.abs(u) < 20 && Math.abs(v) < 12),
    place,
  );
  // A rectangle fills its own box: πLW/4A is π/4; and 4πA/P² is πab/(a + b)², a little more with its corners rounded.
  expect(Math.abs(box.regularity - Math.PI / 4)).toBeLessThan(0.04);
  expect(Math.abs(box.rugosity - (Math.PI * 20 * 12) / 32 ** 2)).toBeLessThan(0.07);
  // A lobe on one side: mirrored, it covers no head.
  const lobed = measured(
    shape(size, size, place, (u, v) => (u / 20) ** 2 + (v / 12) ** 2 <= 1 || Math.hypot(u + 5, v - 12) < 8),
    place,
  );
  expect(lobed.symmetry).toBeLessThan(0.93);
  expect(oval.symmetry).toBeGreaterThan(0.96);
});

test("the acrosome's share counts its vacuoles", () => {
  const head = { x: 70, y: 70, a: 20, b: 12, angle: 0 };
  const mask = ellipse(size, size, head);
  const part = (u: number) => (u < -10 ? PARTS.vacuole : u < 0 ? PARTS.acrosome : PARTS.nucleus);
  const parts = { ...mask, data: mask.data.map((v, i) => (v ? part((i % size) + 0.5 - 70) : 0)) };
  expect(measured(mask, head, parts).acrosomeShare).toBeCloseTo(0.5, 10);
  expect(measured(mask, head, { ...mask, data: mask.data.map((v) => v * PARTS.nucleus) }).acrosomeShare).toBe(0);
});

test("vacuole candidates are counted, and their discs' share of the head", () => {
  const head = { x: 70, y: 70, a: 26, b: 17, angle: 0.5 };
  const mask = ellipse(size, size, head);
  const stain = stainAlong(size, size, head, (u, v) => (Math.hypot(u + 12, v) < 3 ? 40 : 80));
  const m = morphometry(mask, parts(mask, stain), stain)!;
  expect(m.vacuoles).toBe(1);
  expect(m.vacuoleShare).toBeCloseTo(vacuoles(mask, stain).map.data.reduce((a, b) => a + b, 0) / m.areaPx, 12);
});

test("what is larger measures larger, in proportion", () => {
  const [small, large] = [1, 2].map((scale) => {
    const head = { x: 70, y: 70, a: 15 * scale, b: 10 * scale, angle: 1.1 };
    return measured(ellipse(size, size, head), head);
  });
  expect(large!.lengthPx / small!.lengthPx).toBeCloseTo(2, 1);
  expect(large!.areaPx / small!.areaPx).toBeCloseTo(4, 1);
  expect(Math.abs(large!.ellipticity - small!.ellipticity)).toBeLessThan(0.06);
});

describe("at the limits", () => {
  test("an empty mask has no measures", () => {
    const empty = { width: 4, height: 4, data: new Uint8Array(16) };
    expect(morphometry(empty, empty, { width: 4, height: 4, data: new Float32Array(16) })).toBeUndefined();
    expect(perimeter(empty)).toBe(0);
  });

  test("a pixel, a line, a full picture: finite figures", () => {
    const plane = { width: 6, height: 5, data: new Float32Array(30).fill(1) };
    for (const inside of [(i: number) => i === 8, (i: number) => i >= 6 && i < 12, () => true]) {
      const mask = { width: 6, height: 5, data: Uint8Array.from({ length: 30 }, (_, i) => (inside(i) ? 1 : 0)) };
      const m = morphometry(mask, mask, plane)!;
      expect(Object.values(m).every(Number.isFinite)).toBe(true);
      expect(m.areaPx).toBe(mask.data.reduce((a, b) => a + b, 0));
    }
  });

  test("the perimeter is the outer one: holes do not count", () => {
    const head = { x: 70, y: 70, a: 25, b: 25, angle: 0 };
    const ring = shape(size, size, head, (u, v) => Math.hypot(u, v) <= 25 && Math.hypot(u, v) > 12);
    expect(perimeter(ring)).toBeCloseTo(perimeter(ellipse(size, size, head)), 10);
  });
});
