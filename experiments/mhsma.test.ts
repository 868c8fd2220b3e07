/** Structures out of combined classes, against what can be added up by hand. */
import { expect, test } from "vitest";
import { combinedClasses } from "../src/datasets/index.ts";
import type { StudyEntry, StudyResults } from "../src/evaluation/index.ts";
import { mhsmaTables, structureMetrics } from "./mhsma.ts";
import { mhsmaSearchSection, reliabilitySection } from "./mhsma-search-section.ts";

const CLASSES = combinedClasses("head").map((_, c) => `${c}`);

/** Probabilities as a study packs them. */
function entry(row: string, seed: number, probabilities: readonly (readonly number[])[]): StudyEntry {
  const packed = Uint16Array.from(probabilities.flatMap((each) => each.map((p) => Math.round(65535 * p))));
  return { row, seed, probabilities: Buffer.from(packed.buffer).toString("base64") } as StudyEntry;
}

/** Head 1, acrosome 2, vacuole 4: a normal one, one with an abnormal head, one with acrosome and vacuole. */
const images = [0, 1, 6].map((label, i) => ({ id: `${i}`, label, fold: "test" }));
const certain = [
  [0.6, 0.4, 0, 0, 0, 0, 0, 0],
  // The largest class is normal, but the classes with an abnormal head have 0.6 together.
  [0.4, 0.2, 0, 0.2, 0, 0.2, 0, 0],
  [0.2, 0, 0.3, 0, 0.1, 0, 0.4, 0],
];
const results: StudyResults = {
  study: "s",
  dataset: { kind: "mhsma", hash: "h" },
  classes: CLASSES,
  images,
  entries: [entry("chosen", 1, certain), entry("chosen", 2, [certain[1]!, certain[1]!, certain[2]!])],
};

test("a structure's share is the sum over the classes in which it is abnormal", () => {
  const of = (structure: Parameters<typeof structureMetrics>[2]) =>
    structureMetrics(results, [results.entries[0]!], structure);
  expect(of("head").confusion).toEqual([
    [2, 0],
    [0, 1],
  ]);
  expect(of("acrosome").confusion).toEqual([
    [2, 0],
    [0, 1],
  ]);
  expect(of("head").brier).toBeCloseTo((2 * (0.4 ** 2 + 0.4 ** 2 + 0 ** 2)) / 3, 4);
});

test("several seeds: their mean probabilities", () => {
  // The second seed calls the first head abnormal with 0.6; with the first seed's 0.4 that is one half.
  const both = structureMetrics(results, results.entries, "head");
  expect(both.brier).toBeCloseTo((2 * (0.5 ** 2 + 0.4 ** 2)) / 3, 4);
});

test("the tables hold the frequent class, what is published, means and the seeds together", () => {
  const text = mhsmaTables(
    [{ results, rows: [{ name: "chosen", what: "ours" }] }],
    [{ structure: "head", who: "others", accuracy: "84.0 %" }],
  );
  expect(text).toContain("| always normal | 66.7 % |  | 50.0 % | 0 | 0.5 | 0.714 |");
  expect(text).toContain("| others | 84.0 % |");
  expect(text).toContain("| ours, mean of 2 seeds ± deviation | 83.3 % ± 23.6 |");
  expect(text).toContain("| ours, the seeds' mean probabilities |");
  expect(text).not.toContain("NaN");
});

test("the search: each recipe's figures, and its difference from the first", () => {
  const rows = ["chosen", "other", "missing"].map((name) => ({ name, what: `${name} recipe` }));
  const third = [0.2, 0, 0.2, 0, 0.2, 0, 0.4, 0];
  const chosen = entry("chosen", 1, [certain[0]!, certain[1]!, third]);
  // The second head is called normal by the other recipe, and its acrosome and vacuoles stay as they were.
  const other = entry("other", 1, [certain[0]!, certain[0]!, third]);
  const lines = mhsmaSearchSection({ ...results, entries: [chosen, other] }, rows).split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[2]).toBe("| `chosen` | chosen recipe | 100.0 %, 1.000 | 100.0 %, 1.000 | 100.0 %, 1.000 | 1.000 |");
  expect(lines[3]).toMatch(
    /^\| `other` \| other recipe \| 66\.7 %, −33\.3 \(−100\.0 to \+0\.0\), 0\.750 \| 100\.0 %, \+0\.0/,
  );
  expect(mhsmaSearchSection({ ...results, entries: [] }, rows)).toBe("Not computed yet.");
});

test("a line for each fifth: how reliable, how many, and each structure's shares", () => {
  const fifth = {
    images: 4,
    reliability: [0, 0.649] as [number, number],
    abnormal: [0.5, 0.25, 0],
    right: [0.75, 1, 0.5],
  };
  expect(reliabilitySection([fifth]).split("\n")).toEqual([
    "| reliability of the pseudo-mask | images | head: right, abnormal | acrosome: right, abnormal | vacuole: right, abnormal |",
    "|---|---|---|---|---|",
    "| 0.00 to 0.65 | 4 | 75.0 %, 50.0 % | 100.0 %, 25.0 % | 50.0 %, 0.0 % |",
  ]);
});
