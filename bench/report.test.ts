import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { comparisonTable, DOCUMENT, filled, type Recorded, withResults } from "./report.ts";
import { fromBusyMachine, merged, resultsFile, rounded } from "./results.ts";

const entries: Recorded[] = JSON.parse(readFileSync(resultsFile(), "utf8"));

test("docs/performance.md says what bench/results says", () => {
  const document = readFileSync(DOCUMENT, "utf8");
  expect(withResults(document)).toBe(document);
});

const around = (median: number) => ({ median, low: 0.9 * median, high: 1.25 * median });

function example(name: string, peer: string, ratio: number): Recorded {
  const [ours, theirs] = [100 * ratio, 100];
  return {
    name,
    peer,
    ours,
    theirs,
    ratio,
    unit: "images/s",
    version: `${peer} 1.2`,
    cpuRatio: 1.5,
    spread: { ours: around(ours), theirs: around(theirs), ratio: around(ratio), cpuRatio: around(1.5) },
    threads: 2,
    rounds: 9,
    load: { before: 0.1, after: 1.9 },
    date: "2026-11-24",
    machine: "A processor, 2 cores, linux",
  };
}

test("the table has a row for each result, with its ratio and range", () => {
  const table = comparisonTable([example("a/b", "PyTorch", 1.25), { ...example("c", "jax", 0.8), note: "Slow." }]);
  expect(table).toContain(
    "| `a/b` | PyTorch 1.2 | 125 | 100 | images/s | **1.25** | 1.13 to 1.56 | 1.50 | 2 | 9 | 0.1, 1.9 |",
  );
  expect(table).toContain("| `c` | jax 1.2 | 80.0 | 100 | images/s | **0.80** |");
  expect(table).toContain("Measured on: A processor, 2 cores, linux (2026-11-24).");
  expect(table).toContain("- `c`, jax: Slow.");
  expect(comparisonTable([])).not.toContain("|");
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

test("nothing measured on a busy machine is on record", () => {
  for (const entry of entries) {
    const cores = Number(/(\d+) cores/.exec(entry.machine)![1]);
    expect(fromBusyMachine(entry, cores), entry.name).toBe(false);
  }
  expect(fromBusyMachine({ load: { before: 3.3, after: 0 } }, 2)).toBe(true);
  expect(fromBusyMachine({ load: { before: 3.3, after: 0 } }, 4)).toBe(false);
});

test("new results take the place of old ones of the same name and peer", () => {
  const [first, other] = [example("a", "PyTorch", 1), example("a", "another", 1)];
  expect(merged([first, other], [{ ...first, ratio: 2 }]).map(({ peer, ratio }) => [peer, ratio])).toEqual([
    ["PyTorch", 2],
    ["another", 1],
  ]);
  expect(rounded({ value: 1.23456789, count: 3 })).toEqual({ value: 1.2346, count: 3 });
});
