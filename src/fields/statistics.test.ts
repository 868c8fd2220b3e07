import { describe, expect, test } from "vitest";
import { sampleStatistics } from "./statistics.ts";

const sample = (counts: readonly number[]) => ({
  classes: ["01_Normal", "02_Tapered"],
  counts,
  refused: { detector: 4, mask: 2, size: 1 },
  cut: 5,
  excluded: 3,
});
const CONFUSION = [
  [53, 1],
  [3, 50],
];
const codes = ({ warnings }: ReturnType<typeof sampleStatistics>) => warnings.map(({ code }) => code);

test("shares with Wilson's intervals, and everything that was not counted", () => {
  const found = sampleStatistics(sample([8, 192]), { confusion: CONFUSION });
  expect(found).toMatchObject({
    counted: 200,
    refused: { detector: 4, mask: 2, size: 1, total: 7 },
    cut: 5,
    excluded: 3,
    normal: { name: "01_Normal", count: 8, share: 0.04 },
  });
  // Wilson's interval of 8 of 200, worked out by hand: 2.04 % to 7.69 %.
  expect(found.normal.interval.low).toBeCloseTo(0.0204, 4);
  expect(found.normal.interval.high).toBeCloseTo(0.0769, 4);
  expect(codes(found)).toEqual([]);
  // Rogan and Gladen: (0.04 + 50/53 - 1) / (53/54 + 50/53 - 1) is below 0: the false Normals alone would explain more.
  expect(found.normal.corrected!.share).toBeCloseTo(0, 5);
  expect(found.normal.corrected!.interval.high).toBeGreaterThan(0.02);
  expect(found.classes.reduce((sum, { corrected }) => sum + corrected!.share, 0)).toBeCloseTo(1, 9);
});

test("the class that counts as normal is a matter of choice", () => {
  expect(sampleStatistics(sample([8, 192]), { normal: "02_tapered" }).normal.count).toBe(192);
  expect(() => sampleStatistics(sample([8, 192]), { normal: "Oval" })).toThrow(
    expect.objectContaining({ code: "field/no-normal-class" }) as Error,
  );
});

describe("warnings", () => {
  test("fewer than 200 heads", () => {
    expect(codes(sampleStatistics(sample([8, 191]), { confusion: CONFUSION }))).toEqual(["few-heads"]);
  });

  test("no confusion matrix, or one that tells nothing", () => {
    expect(codes(sampleStatistics(sample([8, 192])))).toEqual(["not-corrected"]);
    const blind = sampleStatistics(sample([8, 192]), {
      confusion: [
        [1, 1],
        [1, 1],
      ],
    });
    expect(codes(blind)).toEqual(["inseparable"]);
    expect(blind.normal.corrected).toBeUndefined();
  });

  test("counts that the confusion matrix cannot explain", () => {
    // Of Tapered 15 % are called Normal: of 1000 heads some must be, whatever they are.
    const confusion = [
      [90, 10],
      [15, 85],
    ];
    expect(codes(sampleStatistics(sample([0, 1000]), { confusion }))).toEqual(["implausible"]);
    expect(codes(sampleStatistics(sample([150, 850]), { confusion }))).toEqual([]);
  });

  test("no head at all: no share, and every share is possible", () => {
    const none = sampleStatistics(sample([0, 0]), { confusion: CONFUSION });
    expect(codes(none)).toEqual(["few-heads"]);
    expect(none.normal).toEqual({ name: "01_Normal", count: 0, share: null, interval: { low: 0, high: 1 } });
  });
});
