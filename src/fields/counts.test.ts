import { describe, expect, test } from "vitest";
import { countHeads, normalClassOf } from "./counts.ts";
import { foundHead } from "./fixtures.ts";

describe("which class counts as normal", () => {
  test.each([
    [["Amorphous", "Normal"], 1],
    [["01_Normal", "02_Tapered"], 0],
    [["Abnormal", "3 - NORMAL"], 1],
    [["tapered", "normal_01"], 1],
  ])("%j", (classes, expected) => expect(normalClassOf(classes)).toBe(expected));

  test("the one that is named, in any case; the exact name before others", () => {
    expect(normalClassOf(["oval", "Normal"], "Oval")).toBe(0);
    expect(normalClassOf(["normal", "Normal"], "Normal")).toBe(1);
  });

  test.each([
    [["Abnormal", "Pyriform"], undefined],
    [["Normal", "01_Normal"], undefined],
    [["Normal", "Pyriform"], "Oval"],
    [["normal", "NORMAL"], "Normal"],
    [[], undefined],
  ])("cannot be told of %j for %s", (classes, wanted) => {
    expect(() => normalClassOf(classes, wanted)).toThrow(
      expect.objectContaining({ code: "field/no-normal-class" }) as Error,
    );
  });
});

test("every head is counted once, as what it is", () => {
  const analysis = (...heads: ReturnType<typeof foundHead>[]) => ({
    width: 100,
    height: 100,
    heads: heads.map((head, i) => ({ ...head, number: i + 1 })),
  });
  const counts = countHeads(
    [
      {
        analysis: analysis(
          foundHead(),
          foundHead({ probabilities: [0.1, 0.9] }),
          foundHead(),
          foundHead({ state: "cut", probabilities: [] }),
        ),
        excluded: new Set([3, 4]),
      },
      {
        analysis: analysis(
          foundHead({ state: "refused", reason: "mask" }),
          foundHead({ state: "refused", reason: "size" }),
          foundHead({ state: "refused", reason: "size" }),
          foundHead({ probabilities: [0.4, 0.6] }),
        ),
      },
    ],
    ["Normal", "Pyriform"],
  );
  // A cut head that is excluded as well is cut: it would not have been counted.
  expect(counts).toEqual({
    classes: ["Normal", "Pyriform"],
    counts: [1, 2],
    refused: { detector: 0, mask: 1, size: 2 },
    cut: 1,
    excluded: 1,
  });
});

test("a head of another model is no head of these classes", () => {
  const analysis = { width: 9, height: 9, heads: [foundHead({ probabilities: [0, 0, 1] })] };
  expect(() => countHeads([{ analysis }], ["Normal", "Pyriform"])).toThrow(RangeError);
  expect(() =>
    countHeads([{ analysis: { ...analysis, heads: [foundHead({ probabilities: [] })] } }], ["Normal"]),
  ).toThrow(RangeError);
});
