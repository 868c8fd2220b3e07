import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { type Ellipse, ellipse, shape, stainAlong } from "./fixtures.ts";
import { vacuoles } from "./vacuoles.ts";

const size = 140;
interface Disc {
  u: number;
  v: number;
  r: number;
}
const oval: Ellipse = { x: 70, y: 70, a: 26, b: 17, angle: 0.5 };

/** A light cap in front, a dark nucleus behind, and discs that take up less stain than what is around them. */
function drawn(head: Ellipse, discs: readonly Disc[], lighter = 0.5) {
  const inDisc = (u: number, v: number) => discs.some((disc) => Math.hypot(u - disc.u, v - disc.v) < disc.r);
  // As wide a passage from cap to nucleus as the head is large.
  const around = (u: number) => 80 + 30 * Math.tanh((u / 6) * (oval.a / head.a));
  const stain = stainAlong(size, size, head, (u, v) => (inDisc(u, v) ? lighter : 1) * around(u));
  const mask = ellipse(size, size, head);
  return { mask, stain, discs: shape(size, size, head, inDisc), found: vacuoles(mask, stain) };
}

const DISCS: Disc[][] = [
  [{ u: -12, v: 0, r: 4 }],
  [{ u: 10, v: 0, r: 3 }],
  [
    { u: -12, v: -5, r: 3.5 },
    { u: -9, v: 6, r: 4 },
  ],
  [
    { u: -16, v: 0, r: 3.2 },
    { u: -5, v: -8, r: 3.2 },
    { u: 9, v: 5, r: 3.2 },
  ],
];

describe("where they are known", () => {
  test.each(DISCS.map((discs) => [discs]))("as many as are drawn, where they are drawn: %j", (discs) => {
    const { found, discs: truth } = drawn(oval, discs);
    expect(found.count).toBe(discs.length);
    for (const { u, v } of discs) {
      const [cos, sin] = [Math.cos(oval.angle), Math.sin(oval.angle)];
      const at = Math.floor(70 + u * sin + v * cos) * size + Math.floor(70 + u * cos - v * sin);
      expect(found.map.data[at]).toBe(1);
    }
    const both = truth.data.filter((inside, i) => inside && found.map.data[i]).length;
    const either = truth.data.filter((inside, i) => inside || found.map.data[i]).length;
    expect(both / either).toBeGreaterThan(0.5);
  });

  test("wherever the head lies and whichever way it points; half as large as well", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -3.2, max: 3.2, noNaN: true }),
        fc.double({ min: 0.5, max: 1.5, noNaN: true }),
        fc.constantFrom(...DISCS),
        (angle, scale, discs) => {
          const head = { x: 69.3, y: 71.8, a: 26 * scale, b: 17 * scale, angle };
          const scaled = discs.map(({ u, v, r }) => ({ u: u * scale, v: v * scale, r: r * scale }));
          expect(drawn(head, scaled).found.count).toBe(discs.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("the picture's strength does not matter", () => {
    const { mask, stain, found } = drawn(oval, DISCS[2]!);
    const faint = { ...stain, data: stain.data.map((value) => 0.25 * value) };
    expect(vacuoles(mask, faint).count).toBe(found.count);
  });
});

describe("none", () => {
  test("where stain changes from one end to the other alone", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (steep, across) => {
          const stain = stainAlong(size, size, oval, (u, v) => 80 + steep * u + across * v);
          expect(vacuoles(ellipse(size, size, oval), stain).count).toBe(0);
        },
      ),
    );
    expect(drawn(oval, []).found.count).toBe(0);
  });

  test("where a spot is dark, or lies in the blur of the outline", () => {
    expect(drawn(oval, DISCS[0]!, 1.25).found.count).toBe(0);
    expect(drawn(oval, [{ u: 0, v: 16, r: 2.5 }]).found.count).toBe(0);
  });

  test("in a pixel's noise", () => {
    const random = Random.seeded(7).stream(1);
    const { mask, stain } = drawn(oval, []);
    const noisy = { ...stain, data: stain.data.map((value) => value + random.normal(0, 4)) };
    expect(vacuoles(mask, noisy).count).toBe(0);
  });

  test("in a head without stain, an empty mask, a pixel", () => {
    const plane = { width: size, height: size, data: new Float32Array(size * size) };
    expect(vacuoles(ellipse(size, size, oval), plane).count).toBe(0);
    const empty = { width: size, height: size, data: new Uint8Array(size * size) };
    expect(vacuoles(empty, plane)).toEqual({ count: 0, map: empty });
    const one = { ...empty, data: empty.data.map((_, i) => (i === 5000 ? 1 : 0)) };
    expect(vacuoles(one, { ...plane, data: plane.data.map(() => 50) }).count).toBe(0);
  });
});

test("what lies outside the mask does not count", () => {
  const { mask, stain, found } = drawn(oval, DISCS[3]!);
  const debris = { ...stain, data: stain.data.map((value, i) => (mask.data[i] ? value : 1e4)) };
  expect(vacuoles(mask, debris)).toEqual(found);
});
