import { expect, test } from "vitest";
import type { Sample } from "../../../src/server/api.ts";
import { isBlindNow } from "./blind.ts";

const reading = (id: number, role: "open" | "blind", decided: number): Sample["readings"][number] => ({
  ...{ reader: { id, name: `Reader ${id}` }, role, decided },
  ...{ created: "2026-01-01T00:00:00.000Z", changedAfterReveal: 0, lastAt: null },
});

test("blind is who was put to the sample so and has heads left, whatever others have", () => {
  const readings = [reading(1, "open", 3), reading(2, "blind", 7), reading(3, "blind", 8)];
  const sample = { readings, heads: 8 };
  expect([1, 2, 3, 4].map((id) => isBlindNow(sample, { id }))).toEqual([false, true, false, false]);
  // A head was added since.
  expect(isBlindNow({ readings, heads: 9 }, { id: 3 })).toBe(true);
});
