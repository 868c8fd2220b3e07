/** Text on its ground: 4.5 to 1 or more in both themes (WCAG 2.2, success criterion 1.4.3); parts of controls 3 to 1 (1.4.11). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const THEME = readFileSync(new URL("theme.css", import.meta.url), "utf8");
const COLOURS = new Map(
  [...THEME.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name!,
    { light: light!, dark: dark! },
  ]),
);

/** Relative luminance of sRGB. */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

const CLASSES = Array.from({ length: 8 }, (_, i) => `c${i}`);
const TEXT: [string, string[]][] = [
  ["fg", ["bg", "card", "raised", "select"]],
  ["soft", ["bg", "card", "select"]],
  ["accent", ["bg", "card"]],
  ["trouble", ["bg", "card"]],
  ["on-accent", ["accent"]],
  // The digit of a class, on its colour and, undecided, in it.
  ["bg", [...CLASSES, "soft"]],
  ...CLASSES.map((name): [string, string[]] => [name, ["bg", "card", "select"]]),
];

test("black on white is 21 to 1, and a grey of WCAG's own examples 4.54 to 1", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 9);
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
});

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  const of = (name: string) => COLOURS.get(name)![theme];
  test.each(TEXT)("%s is read on %j", (text, grounds) => {
    for (const ground of grounds) expect(contrast(of(text), of(ground)), `on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });
  test("borders of controls and the mark of the focus are seen", () => {
    for (const line of ["border", "accent"]) {
      for (const ground of ["bg", "card"]) expect(contrast(of(line), of(ground)), ground).toBeGreaterThanOrEqual(3);
    }
  });
});
