/** Limits of heads whose share beyond them can be counted. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { type Acceptance, acceptanceSchema, fitAcceptance, refusalOf } from "./acceptance.ts";

const heads = (seed: number, count: number) => {
  const random = Random.seeded(seed);
  return Array.from({ length: count }, () => ({
    agreement: 1 - Math.abs(random.normal(0, 0.05)),
    length: 50 + random.normal(0, 6),
    width: 28 + random.normal(0, 4),
  }));
};

test("of the heads that gave the limits about one in a hundred is refused, for its mask", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 100, max: 800 }), (seed, count) => {
      const known = heads(seed, count);
      const limits = fitAcceptance(known);
      expect(acceptanceSchema.parse(limits)).toEqual(limits);
      const reasons = known.map((head) => refusalOf(head, limits));
      expect(reasons.filter((reason) => reason === "mask").length).toBeLessThanOrEqual(Math.round(0.01 * (count - 1)));
      expect(reasons.filter((reason) => reason === "size").length).toBeLessThanOrEqual(0.01 * count);
    }),
    { numRuns: 50 },
  );
});

test("what is twice as long, or half as wide, or unsteady is refused; at the limits it is not", () => {
  const limits: Acceptance = { agreement: 0.9, length: [30, 80], width: [15, 45] };
  const head = { agreement: 0.95, length: 50, width: 28 };
  expect(refusalOf(head, limits)).toBeUndefined();
  expect(refusalOf({ agreement: 0.9, length: 80, width: 15 }, limits)).toBeUndefined();
  expect(refusalOf({ ...head, agreement: 0.899 }, limits)).toBe("mask");
  expect(refusalOf({ ...head, length: 100 }, limits)).toBe("size");
  expect(refusalOf({ ...head, width: 14 }, limits)).toBe("size");
  expect(refusalOf({ ...head, length: Number.NaN }, limits)).toBe("size");
  expect(refusalOf({ agreement: 0, length: 0, width: 0 }, undefined)).toBeUndefined();
});
