/** Pixels inside an outline, against every pixel asked alone; and back from the outlines of masks. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { outlines } from "../../imaging/index.ts";
import { withoutStraights } from "../analysis/networks.ts";
import { filled, measureOutline } from "./outline.ts";

type Point = [number, number];

/** By the angle that the outline turns about a point: independent of crossings of a row. */
function winds(outline: readonly Point[], x: number, y: number): boolean {
  let turn = 0;
  for (const [i, [x1, y1]] of outline.entries()) {
    const [x2, y2] = outline[(i + 1) % outline.length]!;
    const [ax, ay, bx, by] = [x1 - x, y1 - y, x2 - x, y2 - y];
    turn += Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
  }
  // Even-odd: twice around is outside again.
  return Math.round(turn / (2 * Math.PI)) % 2 !== 0;
}

// Corners off the lattice of pixel centres and of their halves: no centre lies on an edge.
const coordinate = fc.integer({ min: 0, max: 200 }).map((n) => n / 10 + 0.0371);

test("a pixel is inside where the outline winds about its centre", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 12 }), (corners) => {
      const mask = filled(corners, { left: 2, top: 1, width: 17, height: 18 });
      for (let y = 0; y < 18; y++) {
        for (let x = 0; x < 17; x++) {
          expect(mask.data[y * 17 + x]).toBe(winds(corners, 2 + x + 0.5, 1 + y + 0.5) ? 1 : 0);
        }
      }
    }),
    { numRuns: 200, seed: 3 },
  );
});

test("the outline of a mask without holes, less the points between corners, holds the mask's pixels again", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 8, maxLength: 8 }), (rows) => {
      // Rows that overlap their neighbours: one region without holes.
      const [width, height] = [14, rows.length];
      const data = new Uint8Array(width * height);
      for (const [y, [left, right]] of rows.entries()) data.fill(1, y * width + 1 + left, y * width + 8 + right);
      const [polygon, ...more] = outlines({ width, height, data });
      expect(more).toEqual([]);
      const corners = withoutStraights(polygon!);
      expect(corners.length).toBeLessThanOrEqual(polygon!.length);
      expect(filled(corners, { left: 0, top: 0, width, height }).data).toEqual(data);
    }),
    { numRuns: 200, seed: 4 },
  );
});

test("measures of a box are those of arithmetic, in a crop and in a photograph alike", () => {
  const box: Point[] = [
    [300, 200],
    [330, 200],
    [330, 218],
    [300, 218],
  ];
  for (const [width, height] of [
    [400, 300],
    [1200, 900],
  ] as const) {
    const image = { width, height, data: new Uint8Array(width * height * 3).fill(220) };
    for (let y = 200; y < 218; y++) image.data.fill(90, (y * width + 300) * 3, (y * width + 330) * 3);
    const found = measureOutline(image, box);
    expect(found).toMatchObject({ areaPx: 540, centreX: 315, centreY: 209, symmetry: 1 });
    // Extents of pixel centres and half a pixel: src/heads/morphometry.ts.
    expect(found.lengthPx).toBeCloseTo(29.5, 9);
    expect(found.widthPx).toBeCloseTo(17.5, 9);
  }
});
