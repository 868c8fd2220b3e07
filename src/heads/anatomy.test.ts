import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { phantomOf } from "../datasets/phantom/index.ts";
import { PARTS, parts, pose } from "./anatomy.ts";
import { contrast } from "./contrast.ts";
import { type Ellipse, ellipse, shape, stainAlong } from "./fixtures.ts";
import { intersectionOverUnion } from "./index.ts";

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
/** Difference of two directions, 0 to π. */
const apart = (a: number, b: number) => Math.abs(Math.atan2(Math.sin(a - b), Math.cos(a - b)));

const anyHead = fc.record<Ellipse>({
  x: fc.double({ min: 55, max: 75, noNaN: true }),
  y: fc.double({ min: 45, max: 55, noNaN: true }),
  a: fc.double({ min: 16, max: 24, noNaN: true }),
  b: fc.double({ min: 8, max: 12, noNaN: true }),
  angle: fc.double({ min: -3.2, max: 3.2, noNaN: true }),
});
const [width, height] = [130, 100];

describe("pose", () => {
  test("of an ellipse that darkens towards its tail: centre, direction, size", () => {
    fc.assert(
      fc.property(anyHead, (head) => {
        const mask = ellipse(width, height, head);
        const found = pose(
          mask,
          stainAlong(width, height, head, (along) => 60 + along),
        )!;
        expect(Math.hypot(found.x - head.x, found.y - head.y)).toBeLessThan(0.4);
        expect(apart(found.angle, head.angle)).toBeLessThan(0.05);
        expect(Math.abs(found.angle)).toBeLessThanOrEqual(Math.PI);
        expect(Math.abs(found.length - 2 * head.a)).toBeLessThan(0.9);
        expect(Math.abs(found.width - 2 * head.b)).toBeLessThan(0.9);
        expect(found.confidence).toBeGreaterThan(0.99);
        // Darker at the other end: turned about.
        const back = pose(
          mask,
          stainAlong(width, height, head, (along) => 60 - along),
        )!;
        expect(apart(back.angle, head.angle + Math.PI)).toBeLessThan(0.05);
      }),
    );
  });

  test("of a rectangle: the second moments of its sides", () => {
    const mask = shape(60, 40, { x: 30, y: 20, angle: 0 }, (u, v) => Math.abs(u) < 15 && Math.abs(v) < 8);
    const found = pose(
      mask,
      stainAlong(60, 40, { x: 30, y: 20, angle: 0 }, (u) => u),
    )!;
    // A rectangle of side s has the variance s²/12; an ellipse of axis l has l²/16.
    expect(found).toMatchObject({ x: 30, y: 20 });
    expect(found.length).toBeCloseTo((4 * 30) / Math.sqrt(12), 5);
    expect(found.width).toBeCloseTo((4 * 16) / Math.sqrt(12), 5);
    expect(found.confidence).toBeCloseTo(1, 6);
    expect(found.angle).toBeCloseTo(0, 6);
  });

  test("what lies outside the mask does not count", () => {
    const head = { x: 60, y: 50, a: 18, b: 11, angle: 0.7 };
    const mask = ellipse(width, height, head);
    const inside = stainAlong(width, height, head, (along) => 60 + along);
    const debris = { ...inside, data: inside.data.map((v, i) => (mask.data[i] ? v : 1e4)) };
    expect(pose(mask, debris)).toEqual(pose(mask, inside));
  });

  test("an even stain has no direction to be sure of", () => {
    const mask = ellipse(width, height, { x: 60, y: 50, a: 18, b: 11, angle: 0.7 });
    expect(
      pose(
        mask,
        stainAlong(width, height, { x: 0, y: 0, angle: 0 }, () => 80),
      )!.confidence,
    ).toBe(0);
  });

  test("of nothing is none; of one pixel is its middle", () => {
    const empty = { width: 5, height: 4, data: new Uint8Array(20) };
    const plane = { width: 5, height: 4, data: new Float32Array(20).fill(3) };
    expect(pose(empty, plane)).toBeUndefined();
    const one = { ...empty, data: empty.data.map((_, i) => (i === 7 ? 1 : 0)) };
    expect(pose(one, plane)).toMatchObject({ x: 2.5, y: 1.5, confidence: 0 });
  });
});

describe("parts", () => {
  test("the border lies where light turns dark, across the axis", () => {
    fc.assert(
      fc.property(anyHead, fc.double({ min: -0.45, max: 0.35, noNaN: true }), (head, border) => {
        const mask = ellipse(width, height, head);
        const at = border * head.a;
        const found = parts(
          mask,
          stainAlong(width, height, head, (along) => (along < at ? 40 : 110)),
        );
        const truth = shape(width, height, head, (along) => along < at);
        let wrong = 0;
        for (let i = 0; i < mask.data.length; i++) {
          const expected = !mask.data[i] ? PARTS.background : truth.data[i] ? PARTS.acrosome : PARTS.nucleus;
          if (found.data[i] === expected) continue;
          expect(mask.data[i]).toBe(1);
          wrong++;
        }
        // A band of a pixel along the border.
        expect(wrong).toBeLessThan(2.2 * head.b);
      }),
      { numRuns: 40 },
    );
  });

  test("of nothing are none", () => {
    const found = parts(
      { width: 3, height: 3, data: new Uint8Array(9) },
      { width: 3, height: 3, data: new Float32Array(9) },
    );
    expect([...found.data]).toEqual(Array(9).fill(0));
  });
});

describe("on phantoms, given their exact mask", () => {
  const phantoms = Array.from({ length: 24 }, (_, i) => {
    const phantom = phantomOf({ count: 24, seed: 404 }, i);
    return { ...phantom, absorption: contrast(phantom.image).plane };
  });

  test("the pose is theirs, and the tail at the right end", () => {
    const errors = phantoms.map((phantom) => {
      const found = pose(phantom.mask, phantom.absorption)!;
      // The placement is the middle of the axis, the pose the centre of mass: a pear's lies off the middle.
      expect(Math.hypot(found.x - phantom.pose.x, found.y - phantom.pose.y)).toBeLessThan(5);
      return apart(found.angle, phantom.pose.angle);
    });
    expect(median(errors)).toBeLessThan(0.03);
    // An irregular shape may have its moments a little off its axis.
    expect(errors.filter((error) => error < 0.4).length).toBeGreaterThanOrEqual(23);
    expect(errors.filter((error) => error > Math.PI / 2).length).toBeLessThanOrEqual(1);
  });

  test("the acrosome is where it was painted", () => {
    const overlaps = phantoms.map((phantom) => {
      const cap = (data: Uint8Array) => ({
        ...phantom.mask,
        data: data.map((v, i) => (phantom.mask.data[i] && (v === PARTS.acrosome || v === PARTS.vacuole) ? 1 : 0)),
      });
      return intersectionOverUnion(cap(parts(phantom.mask, phantom.absorption).data), cap(phantom.parts.data));
    });
    expect(median(overlaps)).toBeGreaterThan(0.75);
  });
});
