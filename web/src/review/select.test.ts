import { expect, test } from "vitest";
import type { Head } from "../../../src/server/api.ts";
import { EVERYTHING, type Selection, select } from "./select.ts";

const CLASSES = ["Normal", "Tapered"];

function head(id: number, some: Partial<Head> = {}): Head {
  return {
    ...{ id, image: 1, number: id, state: "head", reason: null, source: "model", score: 1, agreement: 1 },
    ...{ centre: [0, 0], axis: [1, 0], probabilities: [0.9, 0.1], modelClass: "Normal", judgedBy: "m", measures: null },
    ...{ outlineBy: "model", thumbnail: { key: "0", x: 0, y: 0, side: 10 } },
    ...{ decision: null, hidden: false, others: [], consensus: null },
    ...some,
  };
}

const by = (name: string, value: "Normal" | "Tapered" | "cut", reason = "") => ({
  reader: { id: name.length, name },
  value: value === "cut" ? ({ kind: "excluded", why: "cut" } as const) : ({ kind: "class", class: value } as const),
  ...{ reason, at: "2026-01-01T00:00:00Z", seq: 1 },
});

const HEADS = [
  head(1),
  head(2, { probabilities: [0.55, 0.45], decision: by("Ada", "Tapered", "double tail") }),
  head(3, { probabilities: [0.3, 0.7], modelClass: "Tapered", others: [by("Bo", "Normal")] }),
  head(4, { state: "cut", probabilities: [], modelClass: null, decision: by("Ada", "cut") }),
  head(5, { image: 2, number: 1, decision: by("Ada", "Normal"), others: [by("Bo", "Tapered")] }),
];
const shown = (some: Partial<Selection>) =>
  select(HEADS, { ...EVERYTHING, ...some }, CLASSES, (image) => (image === 1 ? "Slide_A.png" : "slide_b.tif"));

test("everything, by image and number", () => expect(shown({})).toEqual([1, 2, 3, 4, 5]));

test("the most uncertain first, those without probabilities before all, equal ones in their order", () => {
  expect(shown({ sort: "uncertain" })).toEqual([4, 2, 3, 1, 5]);
  expect(shown({ sort: "certain" })).toEqual([1, 5, 3, 2, 4]);
});

test("by class in the model's order, heads without one last", () => {
  expect(shown({ sort: "model" })).toEqual([1, 5, 2, 3, 4]);
  expect(shown({ sort: "mine" })).toEqual([5, 2, 1, 3, 4]);
});

test.each<[Partial<Selection>, number[]]>([
  [{ status: "undecided" }, [1, 3]],
  [{ status: "decided" }, [2, 4, 5]],
  [{ status: "excluded" }, [4]],
  [{ status: "against" }, [2]],
  [{ status: "differ" }, [5]],
  [{ state: "cut" }, [4]],
  [{ image: 2 }, [5]],
  [{ class: "Tapered" }, [2, 3]],
  [{ class: "Tapered", status: "undecided" }, [3]],
])("%o", (some, ids) => expect(shown(some)).toEqual(ids));

test.each([
  ["slide_a", [1, 2, 3, 4]],
  ["SLIDE_B", [5]],
  ["#1", [1, 5]],
  ["#1 slide_b", [5]],
  ["double", [2]],
  ["bo", [3, 5]],
  ["cut off", [4]],
  ["nothing of the kind", []],
])("search for %j", (search, ids) => expect(shown({ search })).toEqual(ids));
