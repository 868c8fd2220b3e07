import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { comparisonTable, DOCUMENT, filled, type Recorded, withResults } from "./report.ts";
import { merged, resultsFile, rounded } from "./results.ts";

const entries: Recorded[] = JSON.parse(readFileSync(resultsFile(), "utf8"));

test("docs/performance.md says what bench/results says", () => {
  const document = readFileSync(DOCUMENT, "utf8");
  expect(withResults(document)).toBe(document);
});

test("the table has a row for each result, with its ratio", () => {
  const table = comparisonTable(entries);
  for (const { name, version, ratio } of entries) {
    const row = table.split("\n").find((line) => line.includes(`\`${name}\` | ${version} |`));
    expect(row, name).toContain(`**${ratio!.toFixed(2)}**`);
  }
});

test("a result agrees with its own spread, and one pair of name and peer has one result", () => {
  for (const { name, ours, theirs, ratio, spread } of entries) {
    expect([ours, theirs, ratio], name).toEqual([spread!.ours.median, spread!.theirs.median, spread!.ratio.median]);
  }
  expect(new Set(entries.map(({ name, peer }) => `${name} ${peer}`)).size).toBe(entries.length);
});

test("only what stands between the markers is replaced", () => {
  const document = "before\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nafter\n";
  expect(filled(document, "x", "new")).toBe("before\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\nafter\n");
  expect(() => filled(document, "y", "new")).toThrow("bench:y");
});

test("new results take the place of old ones of the same name and peer", () => {
  const [first] = entries;
  const other = { ...first!, peer: "another" };
  const newer = { ...first!, ratio: 2 };
  expect(merged([first!, other], [newer]).map(({ peer, ratio }) => [peer, ratio])).toEqual(
    [newer, other].map(({ peer, ratio }) => [peer, ratio]).sort(),
  );
  expect(rounded({ value: 1.23456789, count: 3 })).toEqual({ value: 1.2346, count: 3 });
});
