import fc from "fast-check";
import { describe, expect, test } from "vitest";
// scipy's and scikit-image's numbers: scripts/imaging-reference.py
import reference from "./fixtures/reference.json" with { type: "json" };
import type { Mask } from "./image.ts";
import { fillHoles, outlines, regionMask, regions } from "./regions.ts";

const drawn = (...rows: string[]): Mask => ({
  width: rows[0]!.length,
  height: rows.length,
  data: Uint8Array.from(rows.join(""), (c) => (c === "#" ? 1 : 0)),
});
const fromReference = ({ width, height, data }: { width: number; height: number; data: string }): Mask => ({
  ...drawn(data),
  width,
  height,
});

const anyMask = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([width, height]) =>
    fc
      .array(fc.integer({ min: 0, max: 1 }), { minLength: width * height, maxLength: width * height })
      .map((values): Mask => ({ width, height, data: Uint8Array.from(values) })),
  );

/** Connected components by repeated relaxation: every pixel takes the smallest name around it until nothing changes. */
function names({ width, height, data }: Mask, value: 0 | 1): number[] {
  const name = Array.from(data, (v, i) => (v === value ? i : -1));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < name.length; i++) {
      if (name[i]! < 0) continue;
      const x = i % width;
      const beside = [
        x > 0 && i - 1,
        x < width - 1 && i + 1,
        i >= width && i - width,
        i < width * (height - 1) && i + width,
      ];
      for (const j of beside) {
        if (j !== false && name[j]! >= 0 && name[j]! < name[i]!) [name[i], changed] = [name[j]!, true];
      }
    }
  }
  return name;
}

/** Shoelace: positive where the polygon runs clockwise on the screen (y down). */
const signedArea = (polygon: readonly [number, number][]) =>
  polygon.reduce((sum, [x, y], i) => {
    const [u, v] = polygon[(i + 1) % polygon.length]!;
    return sum + (x * v - u * y) / 2;
  }, 0);

describe("connected regions", () => {
  test("equal a relaxation of labels, in reading order", () => {
    fc.assert(
      fc.property(anyMask, fc.constantFrom(0 as const, 1 as const), (mask, value) => {
        const name = names(mask, value);
        const found = regions(mask, value);
        expect(found.map((r) => r.pixels[0])).toEqual([...new Set(name)].filter((n) => n >= 0).sort((a, b) => a - b));
        for (const region of found) {
          const root = region.pixels[0]!;
          expect([...region.pixels].sort((a, b) => a - b)).toEqual(name.flatMap((n, i) => (n === root ? [i] : [])));
          expect(regionMask(mask, region).data).toEqual(Uint8Array.from(name, (n) => (n === root ? 1 : 0)));
        }
      }),
      { numRuns: 80 },
    );
  });

  test.each(reference.masks)("area, centre and border contact equal scikit-image's, case %#", (expected) => {
    const found = regions(fromReference(expected.mask));
    expect(found).toHaveLength(expected.regions.length);
    for (const [i, { area, x, y, touchesBorder }] of found.entries()) {
      expect({ area, touchesBorder }).toEqual({
        area: expected.regions[i]!.area,
        touchesBorder: expected.regions[i]!.touchesBorder,
      });
      expect(x).toBeCloseTo(expected.regions[i]!.x, 6);
      expect(y).toBeCloseTo(expected.regions[i]!.y, 6);
    }
  });

  test("pixels that touch only at a corner are apart", () => {
    expect(regions(drawn("#.", ".#"))).toHaveLength(2);
  });

  test("a region of a million pixels does not exhaust the stack", () => {
    const mask = { width: 1000, height: 1000, data: new Uint8Array(1e6).fill(1) };
    expect(regions(mask)).toMatchObject([{ area: 1e6, x: 500, y: 500, touchesBorder: true }]);
  });
});

describe("filling holes", () => {
  test.each(reference.masks)("equals scipy's, case %#", ({ mask, filled }) => {
    expect(fillHoles(fromReference(mask))).toEqual(fromReference(filled));
  });

  test("a bay open to the border stays; a hole and what is in it go; the input stays as it was", () => {
    const mask = drawn(
      "..........",
      ".#####.###",
      ".#...#.#.#",
      ".#.#.#.#.#",
      ".#...#.#.#",
      ".#####.#.#",
      "..........",
    );
    const before = mask.data.slice();
    expect(fillHoles(mask)).toEqual(
      drawn("..........", ".#####.###", ".#####.#.#", ".#####.#.#", ".#####.#.#", ".#####.#.#", ".........."),
    );
    expect(mask.data).toEqual(before);
  });
});

describe("outlines", () => {
  test("a rectangle, clockwise, in corners of pixels", () => {
    const [polygon, ...more] = outlines(drawn(".....", ".###.", ".###.", "....."));
    expect(more).toEqual([]);
    expect(signedArea(polygon!)).toBe(6);
    expect(polygon).toHaveLength(10);
    expect([Math.min(...polygon!.map(([x]) => x)), Math.max(...polygon!.map(([x]) => x))]).toEqual([1, 4]);
    expect([Math.min(...polygon!.map(([, y]) => y)), Math.max(...polygon!.map(([, y]) => y))]).toEqual([1, 3]);
  });

  test("a ring has an outer outline clockwise and an inner one against it", () => {
    const areas = outlines(drawn("###", "#.#", "###")).map(signedArea);
    expect(areas.sort((a, b) => a - b)).toEqual([-1, 9]);
  });

  test("whatever the mask: unit steps, area and length of its border, and even-odd filling gives it back", () => {
    fc.assert(
      fc.property(anyMask, (mask) => {
        const { width, height, data } = mask;
        const polygons = outlines(mask);
        for (const polygon of polygons) {
          for (const [i, [x, y]] of polygon.entries()) {
            const [u, v] = polygon[(i + 1) % polygon.length]!;
            expect(Math.abs(x - u) + Math.abs(y - v)).toBe(1);
          }
        }
        const pixels = data.reduce((a, b) => a + b, 0);
        expect(polygons.reduce((sum, p) => sum + signedArea(p), 0)).toBe(pixels);
        const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x]!);
        let edges = 0;
        for (let y = 0; y <= height; y++) {
          for (let x = 0; x <= width; x++) {
            if (at(x, y) !== at(x - 1, y)) edges++;
            if (at(x, y) !== at(x, y - 1)) edges++;
          }
        }
        expect(polygons.reduce((sum, p) => sum + p.length, 0)).toBe(edges);
        // A ray from a pixel to the left crosses vertical edges at its height.
        for (let i = 0; i < data.length; i++) {
          const [px, py] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
          let crossings = 0;
          for (const polygon of polygons) {
            for (const [k, [x, y]] of polygon.entries()) {
              const [, v] = polygon[(k + 1) % polygon.length]!;
              if (x < px && y !== v && Math.min(y, v) < py && Math.max(y, v) > py) crossings++;
            }
          }
          expect(crossings % 2).toBe(data[i]);
        }
      }),
      { numRuns: 80 },
    );
  });

  test("of nothing are none", () => {
    expect(outlines(drawn("...", "..."))).toEqual([]);
  });
});
