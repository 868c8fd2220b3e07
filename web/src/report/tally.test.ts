import fc from "fast-check";
import { expect, test } from "vitest";
import type { Counts, Head } from "../../../src/server/api.ts";
import { against, sharesOf, spread } from "./tally.ts";

const CLASSES = ["Normal", "Tapered"];
const counts = (Normal: number, Tapered: number): Counts => ({
  classes: { Normal, Tapered },
  excluded: { "no-head": 4, cut: 0, unjudgeable: 0 },
  ...{ cut: 1, refused: 2, undecided: 3, disputed: 0 },
});

test("shares are of the heads that have a class alone", () => {
  expect(sharesOf(counts(0, 0), CLASSES)).toBeUndefined();
  const { of, shares } = sharesOf(counts(15, 5), CLASSES)!;
  expect(of).toBe(20);
  // Newcombe (1998), table I, Wilson's interval without continuity correction: 15 of 20 → 0.5313 to 0.8881.
  expect(shares[0]).toMatchObject({ count: 15, share: 0.75 });
  expect(shares[0]!.interval.low).toBeCloseTo(0.5313, 4);
  expect(shares[0]!.interval.high).toBeCloseTo(0.8881, 4);
});

test("the model against the readers: disputed, excluded and undecided heads are in no cell", () => {
  const by = (id: number, name: string | null) => ({
    reader: { id, name: `r${id}` },
    value: name ? { kind: "class", class: name } : { kind: "excluded", why: "cut" },
    ...{ reason: "", at: "", seq: 1 },
  });
  const head = (modelClass: string | null, decision: unknown, others: unknown[] = []) =>
    ({ modelClass, decision, others, consensus: null }) as unknown as Head;
  const heads = [
    head("Normal", by(1, "Normal")),
    head("Normal", by(1, "Tapered"), [by(2, "Tapered")]),
    head("Tapered", null, [by(2, "Tapered")]),
    head("Tapered", by(1, "Normal"), [by(2, "Tapered")]),
    head("Normal", by(1, null)),
    head("Normal", null),
    head(null, by(1, "Normal")),
  ];
  expect(against(heads, CLASSES)).toEqual({
    table: [
      [1, 0],
      [1, 1],
    ],
    ...{ n: 3, agreed: 2 },
  });
});

test("a spread takes different ones in their order, all where they are few", () => {
  expect(spread([1, 2, 3], 5)).toEqual([1, 2, 3]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 20 }), (n, most) => {
      const taken = spread(
        Array.from({ length: n }, (_, i) => i),
        most,
      );
      expect(taken).toHaveLength(Math.min(n, most));
      expect([...new Set(taken)].sort((a, b) => a - b)).toEqual(taken);
    }),
  );
});
