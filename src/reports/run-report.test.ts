import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { exampleReport } from "./fixtures.ts";
import { escapeHtml, interval, median, percent, table } from "./html.ts";
import { renderRunReport } from "./run-report.ts";
import { coverageRows } from "./sections/certainty.ts";
import { spread } from "./sections/folds.ts";
import { viewOf } from "./sections/pictures.ts";
import { readable } from "./sections/repeat.ts";
import { STYLE } from "./style.ts";

const HOSTILE = "<script>alert(1)</script>";
const QUOTED = `a "quoted" & 'odd' name --> ]]> \u0000 \uD800.png`;

/** Parses XML strictly: sharp reads SVG with libxml2, which refuses whatever is not well-formed. */
async function parseXml(content: string): Promise<void> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><desc>${content}</desc></svg>`;
  await sharp(Buffer.from(svg), { unlimited: true }).raw().toBuffer();
}

const body = (html: string) => html.replace("<!doctype html>", "");

function hostileReport() {
  const data = exampleReport({
    classes: [HOSTILE, `"${QUOTED}"`, "Small"],
    folds: [HOSTILE, "b", "c"],
    skill: 0.6,
    id: QUOTED,
  });
  return {
    ...data,
    title: HOSTILE,
    version: HOSTILE,
    command: `androscope crossval "${HOSTILE}"`,
    optimisticAccuracy: 0.9,
    protocol: { ...data.protocol, text: HOSTILE, split: HOSTILE, transductive: true },
    problems: [{ id: QUOTED, code: HOSTILE, message: HOSTILE }],
    changed: [{ key: HOSTILE, value: HOSTILE, usual: undefined }],
    config: { [HOSTILE]: [HOSTILE] },
    environment: { [HOSTILE]: HOSTILE },
    curves: { ...data.curves, testAccuracy: data.curves.trainingAccuracy },
    mistakes: data.mistakes.map((m) => ({ ...m, notes: [HOSTILE], picture: `"><script>alert(2)</script>` })),
  };
}

describe("what comes from data", () => {
  test("is escaped wherever it stands", () => {
    const html = renderRunReport(hostileReport());
    expect(html).not.toContain("<script");
    expect(html).not.toMatch(/\son\w+=/);
    expect(html).toContain("&#60;script&#62;alert(1)&#60;/script&#62;");
    expect(html).toContain("a &#34;quoted&#34; &#38; &#39;odd&#39; name");
  });

  test("cannot break the document", async () => {
    await parseXml(body(renderRunReport(hostileReport())));
  });

  test("escapeHtml keeps what may stay and replaces what no document may hold", () => {
    expect(escapeHtml("a\tb\nc 正 😀")).toBe("a\tb\nc 正 😀");
    expect(escapeHtml("\u0000\u001b\uFFFF")).toBe("  \uFFFD");
    expect(escapeHtml("\uDC00x\uD800")).toBe("\uFFFDx\uFFFD");
  });
});

describe("the document", () => {
  test("the parser of these tests refuses what is not well-formed", async () => {
    await parseXml("<p>fine</p>");
    await expect(parseXml("<p>open")).rejects.toThrow();
    await expect(parseXml("<p a=b>x</p>")).rejects.toThrow();
    await expect(parseXml("a & b")).rejects.toThrow();
  });

  test.each([2, 4, 10])("is well-formed with %i classes", async (count) => {
    const classes = Array.from({ length: count }, (_, i) => `Class ${i}`);
    await parseXml(body(renderRunReport(exampleReport({ classes }))));
  });

  test("needs nothing from elsewhere and runs nothing", () => {
    const html = renderRunReport(exampleReport());
    expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|url\(|@import|<link|<iframe/,
    );
    expect(html).toContain("default-src &#39;none&#39;");
    expect([...html.matchAll(/href="([^"]*)"/g)].every(([, to]) => /^(#|data:image\/)/.test(to!))).toBe(true);
  });

  test("has one h1, no skipped levels, named drawings, and every link's target", () => {
    const html = renderRunReport(exampleReport());
    const levels = [...html.matchAll(/<h([1-6])/g)].map((m) => Number(m[1]));
    expect(levels.filter((l) => l === 1)).toHaveLength(1);
    for (const [i, level] of levels.entries()) if (i > 0) expect(level - levels[i - 1]!).toBeLessThanOrEqual(1);
    for (const [drawing] of html.matchAll(/<svg [^>]*>/g))
      expect(drawing).toMatch(/aria-label="[^"]+"|aria-hidden="true"/);
    for (const [, id] of html.matchAll(/href="#([^"]*)"/g)) expect(html).toContain(`id="${id}"`);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((m) => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has no number that is none", () => {
    for (const options of [{}, { classes: ["a", "b"], perClass: 1, folds: ["1", "2"], skill: 1 }]) {
      expect(renderRunReport(exampleReport(options))).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe("what it says", () => {
  const text = (html: string) => html.replace(/<[^>]*>/g, " ").replaceAll("\u00a0", " ");

  test("the headline names every figure, and what it is for", () => {
    const said = text(renderRunReport(exampleReport()));
    expect(said.match(/Research use only, not for diagnosis\./g)!.length).toBeGreaterThanOrEqual(2);
    for (const name of ["accuracy", "Wilson", "balanced accuracy", "macro F1", "macro precision", "macro recall"])
      expect(said).toContain(name);
    for (const name of ["Cohen", "log-loss", "Brier score", "calibration error", "folds", "seed", "threads"])
      expect(said).toContain(name);
    expect(said).toContain("none skipped");
    expect(said).toContain("androscope crossval data/hushem");
  });

  test("an optimistic figure appears only where computed, and is called optimistic", () => {
    const data = exampleReport();
    expect(text(renderRunReport(data))).not.toContain("optimistic");
    const said = text(renderRunReport({ ...data, optimisticAccuracy: data.metrics.accuracy + 0.05 }));
    expect(said).toMatch(/optimistic\s+\d+\.\d % by the literature/);
    expect(said).toContain("5.0 percentage points more");
  });

  test.each([
    ["unknown origins", {}, "do not say which images come from one person"],
    [
      "divided groups",
      { grouping: [{ key: "group", count: 9, divided: 4 }] },
      "4 of 9 groups have images in more than",
    ],
    ["a transductive stage 1", { transductive: true }, "Transductive"],
  ])("cautions about %s", (_, protocol, caution) => {
    const data = exampleReport();
    expect(text(renderRunReport({ ...data, protocol: { ...data.protocol, ...protocol } }))).toContain(caution);
  });

  test("does not caution where no group is divided, and says what phantoms are", () => {
    const data = exampleReport();
    const grouping = [{ key: "patient", count: 4, divided: 0 }];
    expect(renderRunReport({ ...data, protocol: { ...data.protocol, grouping } })).not.toContain("Caution");
    const phantoms = renderRunReport({ ...data, dataset: { ...data.dataset, kind: "phantoms" } });
    expect(phantoms).toContain("generated phantoms, not cells");
  });

  test("says that the test fold was not looked at only if it was not", () => {
    const data = exampleReport();
    const sentence = "The test fold was not looked at while training.";
    expect(renderRunReport(data)).toContain(sentence);
    const looked = { ...data, curves: { ...data.curves, testAccuracy: data.curves.trainingAccuracy } };
    expect(renderRunReport(looked)).not.toContain(sentence);
    expect(renderRunReport(looked)).toContain("Looks at the test fold (optimistic)");
  });

  test("labels to look at again are counted and shown with what they are likely to be", () => {
    const data = exampleReport();
    const shown = text(renderRunReport(data));
    expect(shown).toContain("The 3 least believed of 30 labels");
    const { truth, likely } = data.labels!.crops[0]!;
    expect(shown.replace(/\s+/g, " ")).toContain(`given ${truth} likely ${likely}`);
    expect(renderRunReport({ ...data, labels: { count: 20, doubted: 0, crops: [] } })).toContain(
      "None: of 20 training images every label is what the heads that look alike suggest.",
    );
    expect(renderRunReport({ ...data, labels: undefined })).not.toContain("Labels to look at again");
  });

  test("a run without mistakes, curves and problems says so and leaves the rest out", () => {
    const data = exampleReport({ skill: 1 });
    const none = data.folds.map(({ name }) => ({ name, points: [] }));
    const html = renderRunReport({
      ...data,
      curves: { stage1: none, stage2: none, trainingAccuracy: none, testAccuracy: none },
    });
    expect(html).toContain("None: every image was classified as labelled.");
    expect(html).not.toContain('id="learning"');
    expect(html).toContain("No image was skipped.");
  });
});

describe("pieces", () => {
  test("numbers", () => {
    expect(percent(0.1234)).toBe("12.3\u00a0%");
    expect(interval({ low: 0.5, high: 0.75 }, 0)).toBe("50 to 75\u00a0%");
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(spread([0.5, 0.7])).toEqual({ mean: 0.6, deviation: expect.closeTo(Math.SQRT1_2 * 0.2, 12) });
    expect(spread([0.5])).toEqual({ mean: 0.5, deviation: 0 });
  });

  test("a table's first column heads its rows", () => {
    expect(table("x", [{ name: "a" }, { name: "n", number: true }], [["<", 1]])).toContain(
      '<tr><th scope="row">&#60;</th><td class="number">1</td></tr>',
    );
  });

  test("the coverage table takes the largest share that does not exceed the asked one", () => {
    const points = [0.25, 0.5, 0.75, 1].map((share, i) => ({
      share,
      count: i + 1,
      confidence: 0.9,
      value: 1,
      low: 0.5,
      high: 1,
    }));
    expect(coverageRows(points).map((p) => p.share)).toEqual([1, 0.75, 0.5]);
    expect(coverageRows([])).toEqual([]);
  });

  test("a crop is shown about its head, and never beyond its border", () => {
    const square = (x: number, y: number, side: number) =>
      [[x, y], [x + side, y], [x + side, y + side], [x, y + side]] as [number, number][]; // biome-ignore format: a square
    const crop = { id: "a", picture: "", width: 100, height: 80, outlines: [square(2, 2, 4), square(40, 30, 20)] };
    expect(viewOf(crop)).toEqual([30, 20, 40, 40]);
    expect(viewOf({ ...crop, outlines: [square(0, 0, 20)] })).toEqual([0, 0, 40, 40]);
    expect(viewOf({ ...crop, outlines: [square(10, 10, 60)] })).toEqual([0, 0, 100, 80]);
    expect(viewOf({ ...crop, outlines: [] })).toEqual([0, 0, 100, 80]);
  });

  test("the configuration reads back as it was", () => {
    const config = { a: [1, 2], b: { c: "x", d: null }, e: {} };
    expect(JSON.parse(readable(config))).toEqual(config);
    expect(readable(config)).toContain('"a": [1,2]');
  });
});

describe("contrast (WCAG 2.1)", () => {
  const themes = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map((m) => m[1]!);
  const colour = (theme: string, name: string) => {
    const hex = new RegExp(`--${name}:#([0-9a-f]{3,6})`).exec(theme)![1]!;
    return (hex.length === 3 ? [...hex].map((c) => c + c) : hex.match(/../g)!).map((c) => Number.parseInt(c, 16) / 255);
  };
  const luminance = (rgb: number[]) => {
    const [r, g, b] = rgb.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const contrast = (a: number[], b: number[]) => {
    const [low, high] = [luminance(a), luminance(b)].sort((p, q) => p - q);
    return (high! + 0.05) / (low! + 0.05);
  };

  test.each([
    ["light", 0],
    ["dark", 1],
  ])("text reaches 4.5 and lines 3 in the %s theme", (_, index) => {
    const theme = themes[index]!;
    for (const ground of ["bg", "card"]) {
      for (const ink of ["fg", "soft", "blue", "orange"])
        expect(contrast(colour(theme, ink), colour(theme, ground))).toBeGreaterThanOrEqual(4.5);
    }
    for (let i = 0; i < 6; i++) expect(contrast(colour(theme, `c${i}`), colour(theme, "bg"))).toBeGreaterThanOrEqual(3);
    // The darkest cell of the confusion matrix: its colour over the page, at the largest share.
    const deep = Number(/--deep:([.\d]+)/.exec(theme)![1]) + 0.05;
    for (const name of ["blue-cell", "orange-cell"]) {
      const cell = new RegExp(`--${name}:([\\d ]+)`)
        .exec(theme)![1]!
        .split(" ")
        .map((c) => Number(c) / 255);
      const mixed = cell.map((c, i) => deep * c + (1 - deep) * colour(theme, "bg")[i]!);
      expect(contrast(colour(theme, "fg"), mixed)).toBeGreaterThanOrEqual(4.5);
    }
  });
});
