/** Ellipses, regions, windows and fine masks, against closed forms and each other. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Image, Mask } from "../../imaging/index.ts";
import { regionMask, regions } from "../../imaging/index.ts";
import { regionsOf } from "./candidates.ts";
import { ellipseOf } from "./ellipse.ts";
import { fineMask } from "./outline.ts";
import { squareAround } from "./scale.ts";

function drawn(side: number, inside: (x: number, y: number) => boolean): Mask {
  const data = Uint8Array.from({ length: side * side }, (_, i) =>
    inside((i % side) + 0.5, Math.floor(i / side) + 0.5) ? 1 : 0,
  );
  return { width: side, height: side, data };
}

describe("the ellipse of a region", () => {
  test.each([0, 0.4, 1.3])("has a drawn one's axes, turned by %d", (angle) => {
    const [a, b] = [30, 18];
    const mask = drawn(90, (x, y) => {
      const [u, v] = [x - 45, y - 45];
      const along = u * Math.cos(angle) + v * Math.sin(angle);
      const across = -u * Math.sin(angle) + v * Math.cos(angle);
      return (along / a) ** 2 + (across / b) ** 2 < 1;
    });
    const { length, width, filled } = ellipseOf(regions(mask)[0]!, 90);
    expect(Math.abs(length - 2 * a)).toBeLessThan(0.3);
    expect(Math.abs(width - 2 * b)).toBeLessThan(0.3);
    expect(filled).toBeCloseTo(1, 2);
  });

  test("is not filled by a bent region", () => {
    const mask = drawn(60, (x, y) => x > 10 && y > 10 && x < 50 && y < 50 && !(x > 20 && y > 20));
    expect(ellipseOf(regions(mask)[0]!, 60).filled).toBeLessThan(0.8);
  });
});

test("regions of labels are those of their masks, each with its own pixels, centre and border", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 30, maxLength: 30 }), (values) => {
      const found = regionsOf(Int32Array.from(values), 3, 6);
      for (const [k, { pixels, area, x, y, touchesBorder }] of found.entries()) {
        const own = values.flatMap((label, i) => (label === k + 1 ? [i] : []));
        expect([...pixels]).toEqual(own);
        expect(area).toBe(own.length);
        if (area === 0) continue;
        expect(x).toBeCloseTo(own.reduce((sum, i) => sum + (i % 6) + 0.5, 0) / area, 9);
        expect(y).toBeCloseTo(own.reduce((sum, i) => sum + Math.floor(i / 6) + 0.5, 0) / area, 9);
        expect(touchesBorder).toBe(own.some((i) => i % 6 === 0 || i % 6 === 5 || i < 6 || i >= 24));
      }
    }),
  );
});

describe("a fine mask", () => {
  const disc = (radius: number) => drawn(60, (x, y) => Math.hypot(x - 30, y - 30) < radius);
  const bytes = ({ data }: Mask) => data.map((value) => 255 * value);

  test("at the map's own scale is the region", () => {
    const mask = disc(14);
    const map = { width: 60, height: 60, data: bytes(mask) };
    const { pixels } = regions(mask)[0]!;
    expect(fineMask(map, pixels, { left: 0, top: 0, side: 60, scale: 1 }).data).toEqual(mask.data);
  });

  test("of twice the pixels has four times the area, at its place", () => {
    const mask = disc(14);
    const map = { width: 60, height: 60, data: bytes(mask) };
    const region = regions(mask)[0]!;
    const fine = fineMask(map, region.pixels, { left: 20, top: 24, side: 80, scale: 0.5 });
    const [found] = regions(fine);
    expect(found!.area / (4 * region.area)).toBeCloseTo(1, 2);
    expect(found!.x + 20).toBeCloseTo(60, 1);
    expect(found!.y + 24).toBeCloseTo(60, 1);
  });

  test("of two that touch takes its own only", () => {
    const both = drawn(60, (x, y) => Math.hypot(x - 20, y - 30) < 10 || Math.hypot(x - 39, y - 30) < 10);
    const left = both.data.map((value, i) => (value && i % 60 < 29 ? 1 : 0));
    const right = both.data.map((value, i) => (value && i % 60 >= 29 ? 1 : 0));
    const map = { width: 60, height: 60, data: bytes(both) };
    const window = { left: 0, top: 0, side: 60, scale: 1 };
    const of = (data: Uint8Array) =>
      fineMask(map, Int32Array.from([...data.keys()].filter((i) => data[i])), window).data;
    expect(of(left)).toEqual(left);
    expect(of(right)).toEqual(right);
  });
});

test("a square window repeats the picture's edge beyond it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -9, max: 16 }),
      fc.integer({ min: -9, max: 14 }),
      fc.integer({ min: 1, max: 9 }),
      (x, y, side) => {
        const [width, height] = [7, 5];
        const image: Image = { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => i) };
        const window = squareAround(image, x, y, side);
        const within = (value: number, most: number) => Math.min(most - 1, Math.max(0, value));
        for (let v = 0; v < side; v++)
          for (let u = 0; u < side; u++)
            for (let c = 0; c < 3; c++) {
              const at = within(window.top + v, height) * width + within(window.left + u, width);
              expect(window.image.data[(v * side + u) * 3 + c]).toBe(image.data[at * 3 + c]);
            }
      },
    ),
  );
  const mask = regionMask({ width: 2, height: 1, data: new Uint8Array(2) }, regions(drawn(2, () => true))[0]!);
  expect(mask.data.length).toBe(2);
});
