/** docs/results.md and its drawings say what the JSON says. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configOf } from "../src/evaluation/index.ts";
import { defaultConfig } from "../src/learning/index.ts";
import { DEFAULT } from "./aims.ts";
import {
  CARD,
  DOCUMENT,
  drawings,
  MHSMA_STUDIES,
  README,
  STUDIES,
  studySection,
  withCard,
  withReadme,
  withResults,
} from "./report.ts";
import { study as ablation } from "./studies/ablation.ts";
import { studyPlot } from "./study-plot.ts";

test("docs/results.md says what experiments/results says", () => {
  const document = readFileSync(DOCUMENT, "utf8");
  expect(withResults(document)).toBe(document);
  for (const [file, svg] of drawings()) {
    expect(existsSync(file), file).toBe(true);
    expect(readFileSync(file, "utf8"), file).toBe(svg);
  }
});

test("README.md says what was measured on HuSHeM", () => {
  const readme = readFileSync(README, "utf8");
  expect(withReadme(readme)).toBe(readme);
});

test("the card of the model says what was measured of it", () => {
  const card = readFileSync(CARD, "utf8");
  expect(withCard(card)).toBe(card);
});

test("the row whose scores are told as the default's is the default", () => {
  const row = ablation.rows.find(({ name }) => name === DEFAULT)!;
  expect(configOf(ablation, row)).toEqual(defaultConfig);
});

test.each([...STUDIES, ...MHSMA_STUDIES])(
  "every row of $name is a configuration, named once, against a row that there is",
  (study) => {
    const names = study.rows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const row of study.rows) {
      expect(row.name).toMatch(/^[a-z0-9-]+$/);
      expect(() => configOf(study, row)).not.toThrow();
      if (row.against) expect(names).toContain(row.against);
    }
  },
);

test("a table and a drawing of two rows", () => {
  const row = {
    what: "w",
    seeds: [1],
    accuracies: [0.9],
    mean: 0.9,
    deviation: Number.NaN,
    calibrationError: 0.05,
    calibratedError: 0.02,
  };
  const difference = { against: "a", seeds: 1, mean: -0.012, interval: { low: -0.05, high: 0.03 } };
  const rows = [
    { ...row, name: "a" },
    { ...row, name: "b", difference },
  ];
  const planned = ["a", "b", "c"].map((name) => ({ name, what: "w", config: {} }));
  const study = { name: "s", title: "T & T", about: "About.", seeds: [1, 2], rows: planned };
  const section = studySection(study, rows);
  expect(section).toContain("| `b` | w | **90.0 %** | 1 | 0.050, 0.020 | −1.2 (−5.0 to +3.0) against `a` |");
  expect(section).not.toContain("ensemble");
  // A column of its own as soon as one row has an ensemble.
  const ensemble = { accuracy: 0.95, interval: { low: 0.9, high: 0.99 } };
  const joined = studySection(study, [{ ...rows[0]!, ensemble }, rows[1]!]);
  expect(joined).toContain("| ensemble of the seeds |");
  expect(joined).toContain("| `a` | w | **90.0 %** | 1 | 95.0 % | 0.050, 0.020 |  |");
  expect(joined).toContain("| `b` | w | **90.0 %** | 1 |  | 0.050, 0.020 | −1.2");
  expect(section).toContain("of 3 rows and 2 seeds 2 of 6 cross-validations are there; of `c` none.");
  const svg = studyPlot(study.title, rows);
  expect(svg).toContain("T &#38; T");
  expect(svg).not.toContain("NaN");
});
