import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outputStems } from "./names.ts";

const HARD = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constantFrom(
    "a/x.png",
    "b/x.png",
    "b/X.tif",
    "x~2",
    "x~2.png",
    "..",
    ".",
    "",
    "/",
    "con.png",
    "NUL",
    "a:b",
    "-rf",
  ),
);

describe("stems of output files", () => {
  test("are safe: no folder, no device, not hidden, short, and not the same on any disk", () => {
    fc.assert(
      fc.property(fc.array(HARD, { maxLength: 12 }), (paths) => {
        const stems = outputStems(paths);
        expect(stems.length).toBe(paths.length);
        expect(new Set(stems.map((stem) => stem.normalize("NFC").toLowerCase())).size).toBe(stems.length);
        for (const stem of stems) {
          expect(stem).toMatch(/^[^/\\:*?"<>|.\- ][^/\\:*?"<>|]*$/);
          expect(stem).not.toMatch(/[\p{Cc}\p{Cs}\p{Cf}]/u);
          expect(stem).not.toMatch(/[. ]$/);
          expect(stem).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
          expect(Buffer.byteLength(`${stem}.overlay.geojson`)).toBeLessThan(255);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("are recognised: names that are safe stay what they are", () => {
    expect(outputStems(["s/field_01.png", "s/Übersicht (2).tif", "s/a.b.jpg", "s\\x.bmp"])).toEqual([
      "field_01",
      "Übersicht (2)",
      "a.b",
      "x",
    ]);
  });

  test("of equal names are counted, and never meet one that is called so", () => {
    expect(outputStems(["a/x.png", "b/x~2.png", "b/X.png", "c/x.png"])).toEqual(["x", "x_2", "X~2", "x~3"]);
  });
});
