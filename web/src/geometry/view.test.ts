import fc from "fast-check";
import { expect, test } from "vitest";
import { fitted, reveal, toImage, toScreen, zoom } from "./view.ts";

const IMAGE = { width: 2000, height: 1000 };
const FRAME = { width: 800, height: 600 };

test("the whole image lies in the middle of the frame", () => {
  expect(fitted(IMAGE, FRAME)).toEqual({ scale: 0.4, x: 0, y: 100 });
  expect(fitted({ width: 10, height: 10 }, FRAME)).toEqual({ scale: 8, x: 360, y: 260 });
});

test("zooming leaves the point under the pointer where it is", () => {
  const coordinate = fc.double({ min: 0, max: 800, noNaN: true });
  fc.assert(
    fc.property(coordinate, coordinate, fc.double({ min: 0.2, max: 5, noNaN: true }), (x, y, factor) => {
      const before = fitted(IMAGE, FRAME);
      const after = zoom(before, factor, [x, y], IMAGE, FRAME);
      const [px, py] = toScreen(after, toImage(before, [x, y]));
      expect(px).toBeCloseTo(x, 6);
      expect(py).toBeCloseTo(y, 6);
    }),
  );
});

test("a point that is in view moves nothing; another comes in by the shortest way", () => {
  const view = { scale: 2, x: 0, y: 0 };
  expect(reveal(view, [100, 100], FRAME, 50)).toEqual(view);
  expect(reveal(view, [1000, 100], FRAME, 50)).toEqual({ scale: 2, x: -1250, y: 0 });
});
