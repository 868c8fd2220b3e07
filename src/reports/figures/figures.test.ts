import { describe, expect, test } from "vitest";
import type { CoveragePoint } from "../data.ts";
import { exampleReport } from "../fixtures.ts";
import { confusionMatrix } from "./confusion.ts";
import { coverageFigure } from "./coverage.ts";
import { dotWhisker, WHISKER } from "./dot-whisker.ts";
import { binCounts, histogram } from "./histogram.ts";
import { foldLegend, learningCurves, meanCurve } from "./learning-curves.ts";
import { RELIABILITY_FRAME, reliabilityDiagram } from "./reliability.ts";
import { FRAME, linear, ticks } from "./svg.ts";

/** The attributes of every element with this tag and class. */
function elements(markup: string, tag: string, className: string): Record<string, string>[] {
  return [...markup.matchAll(new RegExp(`<${tag} ([^>]*)>`, "g"))]
    .map(([, attributes]) =>
      Object.fromEntries([...attributes!.matchAll(/([\w-]+)="([^"]*)"/g)].map((m) => [m[1], m[2]])),
    )
    .filter((e) => e.class?.split(" ").includes(className));
}

const pointsOf = ({ points }: Record<string, string>) =>
  points!.split(" ").map((p) => p.split(",").map(Number) as [number, number]);

describe("scales", () => {
  test("a linear scale meets both ends and the middle", () => {
    const scale = linear([2, 6], [100, 0]);
    expect([scale(2), scale(4), scale(6)]).toEqual([100, 50, 0]);
  });

  test.each([
    [[0, 1] as const, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[0.6, 1] as const, [0.6, 0.7, 0.8, 0.9, 1]],
    [[0, 43] as const, [0, 10, 20, 30, 40]],
    [[0, 0] as const, [0]],
  ])("ticks of %j are round", (domain, expected) => {
    expect(ticks(domain)).toEqual(expected);
  });
});

describe("reliability diagram", () => {
  const bins = [
    { from: 0.5, to: 0.6, confidence: 0.55, value: 0.25, low: 0.1, high: 0.5, count: 12 },
    { from: 0.8, to: 0.9, confidence: 0.85, value: 1, low: 0.7, high: 1, count: 24 },
    { from: 0.9, to: 1, confidence: 0, value: 0, low: 0, high: 1, count: 0 },
  ];
  const { left, right, top, bottom, width, height } = RELIABILITY_FRAME;
  const x = (v: number) => left + v * (width - left - right);
  const y = (v: number) => height - bottom - v * (height - top - bottom);
  const drawing = reliabilityDiagram(bins);

  test("dots lie at (confidence, accuracy), whiskers span the interval, empty bins are left out", () => {
    const dots = elements(drawing, "circle", "dot");
    expect(dots.map((d) => [Number(d.cx), Number(d.cy)])).toEqual([
      [expect.closeTo(x(0.55), 0), expect.closeTo(y(0.25), 0)],
      [expect.closeTo(x(0.85), 0), expect.closeTo(y(1), 0)],
    ]);
    expect(elements(drawing, "line", "whisker").map((w) => [Number(w.y1), Number(w.y2)])).toEqual([
      [expect.closeTo(y(0.1), 0), expect.closeTo(y(0.5), 0)],
      [expect.closeTo(y(0.7), 0), expect.closeTo(y(1), 0)],
    ]);
  });

  test("the diagonal runs from 0 to 1 on both axes", () => {
    const [diagonal] = elements(drawing, "polyline", "diagonal");
    expect(pointsOf(diagonal!)).toEqual([
      [x(0), y(0)],
      [x(1), y(1)],
    ]);
  });

  test("bars of the counts are as wide as their bin and as high as their share of the largest", () => {
    const [half, full] = elements(drawing, "rect", "bar").map((b) => ({ w: Number(b.width), h: Number(b.height) }));
    expect(half!.h / full!.h).toBeCloseTo(0.5, 2);
    expect(half!.w).toBeCloseTo(x(0.6) - x(0.5) - 2, 0);
    expect(drawing).toContain(">12</text>");
    expect(drawing).toContain(">24</text>");
  });
});

test("a whisker's dot and ends follow the scale from 0 to 100 %", () => {
  const drawing = dotWhisker({ value: 0.5, low: 0.25, high: 1 }, { reference: 0 });
  const inner = WHISKER.width - WHISKER.left - WHISKER.right;
  expect(Number(elements(drawing, "circle", "dot")[0]!.cx)).toBe(WHISKER.left + inner / 2);
  const [whisker] = elements(drawing, "line", "whisker");
  expect([Number(whisker!.x1), Number(whisker!.x2)]).toEqual([WHISKER.left + inner / 4, WHISKER.left + inner]);
  expect(Number(elements(drawing, "line", "mean")[0]!.x1)).toBe(WHISKER.left);
});

describe("histogram", () => {
  test("every value falls into one bin, 1 into the last", () => {
    expect(binCounts([0, 0.1, 0.5, 0.99, 1, 1], 4)).toEqual([2, 0, 1, 3]);
  });

  test("the areas of the bars are proportional to the counts", () => {
    const drawing = histogram([0.1, 0.6, 0.6, 0.6], "x", { bins: 2, mark: 0.5 });
    const heights = elements(drawing, "rect", "bar").map((b) => Number(b.height));
    expect(heights[1]! / heights[0]!).toBeCloseTo(3, 1);
    const middle = (FRAME.left + FRAME.width - FRAME.right) / 2;
    expect(Number(elements(drawing, "line", "median")[0]!.x1)).toBeCloseTo(middle, 1);
  });

  test("ticks of counts are whole, and no value draws nothing", () => {
    const drawing = histogram([0.5], "x");
    expect([...drawing.matchAll(/text-anchor="end">([^<]*)</g)].map((m) => m[1])).toEqual(["0", "1"]);
    expect(histogram([], "x")).toBe("");
  });
});

describe("learning curves", () => {
  const curves = [
    { name: "a", points: [1, 2, 3].map((step) => ({ step, value: step })) },
    { name: "b", points: [1, 2].map((step) => ({ step, value: 3 * step })) },
  ];

  test("the mean covers the steps that all folds have", () => {
    expect(meanCurve(curves)).toEqual([
      { step: 1, value: 2 },
      { step: 2, value: 4 },
    ]);
  });

  test("draws one line per fold and the mean, inside the frame", () => {
    const drawing = learningCurves([...curves, { name: "empty", points: [] }], "loss");
    expect(elements(drawing, "polyline", "fold")).toHaveLength(2);
    expect(elements(drawing, "polyline", "bold")).toHaveLength(1);
    for (const [x, y] of elements(drawing, "polyline", "fold").flatMap(pointsOf)) {
      expect(x).toBeGreaterThanOrEqual(FRAME.left);
      expect(x).toBeLessThanOrEqual(FRAME.width - FRAME.right);
      expect(y).toBeGreaterThanOrEqual(FRAME.top);
      expect(y).toBeLessThanOrEqual(FRAME.height - FRAME.bottom);
    }
    expect(learningCurves([{ name: "empty", points: [] }], "loss")).toBe("");
  });

  test("eighteen folds look different", () => {
    const names = Array.from({ length: 18 }, (_, i) => `${i}`);
    const looks = [...foldLegend(names).matchAll(/class="(fold [^"]*)"/g)].map((m) => m[1]);
    expect(new Set(looks).size).toBe(18);
  });
});

describe("coverage", () => {
  const { coverage } = exampleReport();

  test("the line ends at full coverage, and the band holds it", () => {
    const drawing = coverageFigure(coverage);
    const line = pointsOf(elements(drawing, "polyline", "bold")[0]!);
    expect(line.at(-1)![0]).toBe(FRAME.width - FRAME.right);
    const band = pointsOf(elements(drawing, "polygon", "band")[0]!);
    expect(band).toHaveLength(2 * line.length);
    for (const [i, [x, y]] of line.entries()) {
      expect(band[i]![0]).toBe(x);
      expect(band[i]![1]).toBeLessThanOrEqual(y);
      expect(band[2 * line.length - 1 - i]![1]).toBeGreaterThanOrEqual(y);
    }
  });

  test("nothing to draw, and a single image", () => {
    expect(coverageFigure([])).toBe("");
    const one: CoveragePoint = { share: 1, count: 1, confidence: 0.9, value: 1, low: 0.2, high: 1 };
    expect(coverageFigure([one])).not.toContain("NaN");
  });
});

describe("confusion matrix", () => {
  test("cells hold counts and shares of the row, the margins the sums", () => {
    const markup = confusionMatrix(
      [
        [3, 1],
        [0, 0],
      ],
      ["a", "b"],
    );
    expect([...markup.matchAll(/<b>(\d+)<\/b><small>(\d+)/g)].map((m) => [Number(m[1]), Number(m[2])])).toEqual([
      [3, 75],
      [1, 25],
      [0, 0],
      [0, 0],
    ]);
    expect([...markup.matchAll(/class="sum">(\d+)</g)].map((m) => Number(m[1]))).toEqual([4, 0, 3, 1, 4]);
    expect(markup.match(/class="right"/g)).toHaveLength(2);
  });
});
