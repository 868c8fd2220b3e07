import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { silent } from "../../runs/index.ts";
import { folder } from "../fixtures.ts";
import { SCIAN_CLASSES } from "../scian-votes.ts";
import { PHANTOM_CLASSES, shapeArea } from "./shapes.ts";
import { shapeOf, standInOf, writeStandIns } from "./stand-ins.ts";

const [NORMAL, TAPERED, , SMALL, AMORPHOUS] = [0, 1, 2, 3, 4];
const row = (n: number, raters: number[], side = 35) => ({
  name: `ch00_p1-pl1-sample1-sperm${n}.tif`,
  label: raters[0]!,
  raters,
  width: side,
  height: side,
});
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const shapes = (raters: number[]) => Array.from({ length: 60 }, (_, n) => shapeOf(1, row(n, raters)));

test("phantoms have SCIAN's classes in SCIAN's order", () => {
  expect(PHANTOM_CLASSES).toEqual(SCIAN_CLASSES);
});

test("the same seed and row give the same picture, whatever stands beside it; another seed or name another", () => {
  const pixels = (seed: number, n: number) => [...standInOf(seed, row(n, [NORMAL, NORMAL, TAPERED])).grey.data].join();
  expect(pixels(1, 1)).toBe(pixels(1, 1));
  expect(new Set([pixels(1, 1), pixels(2, 1), pixels(1, 2)]).size).toBe(3);
});

test("split votes give a head between those of the classes, nearer to the majority's", () => {
  const areas = [
    [SMALL, SMALL, SMALL],
    [SMALL, SMALL, NORMAL],
    [SMALL, NORMAL, NORMAL],
    [NORMAL, NORMAL, NORMAL],
  ].map((votes) => mean(shapes(votes).map((shape) => shapeArea(shape, 200))));
  expect(areas).toEqual([...areas].sort((a, b) => a - b));
  const elongation = [
    [NORMAL, NORMAL, NORMAL],
    [NORMAL, NORMAL, TAPERED],
    [TAPERED, TAPERED, NORMAL],
    [TAPERED, TAPERED, TAPERED],
  ].map((votes) => mean(shapes(votes).map(({ length, width }) => length / width)));
  expect(elongation).toEqual([...elongation].sort((a, b) => a - b));
});

test("a dark head on a light ground, in the middle of the crop", () => {
  for (const [n, side] of [35, 30, 31].entries()) {
    const { grey } = standInOf(3, row(n, [AMORPHOUS, AMORPHOUS, AMORPHOUS], side));
    expect(grey).toMatchObject({ width: side, height: side });
    const at = (i: number) => Math.hypot((i % side) - side / 2, Math.floor(i / side) - side / 2) / side;
    const inner = mean([...grey.data].filter((_, i) => at(i) < 0.12));
    const outer = mean([...grey.data].filter((_, i) => at(i) > 0.48));
    expect(outer - inner).toBeGreaterThan(40);
  }
});

test("a folder holds TIFF files of the rows' names and sizes, the votes, and says in three places that it is drawn", async () => {
  const csv =
    "image,label,expert1,expert2,expert3,fold,total_agreement_fold,width,height\n" +
    "ch00_p1-pl1-sample1-sperm1.tif,1,1,1,1,F1,F1,33,34\nch00_p1-pl1-sample1-sperm2.tif,3,3,4,3,F2,,,\n";
  const root = await folder({ "votes.csv": csv });
  const out = join(root, "out");
  expect(await writeStandIns(out, { votes: join(root, "votes.csv"), seed: 1 }, silent)).toEqual({ images: 2 });
  for (const [n, width, height] of [
    [1, 33, 34],
    [2, 35, 35],
  ] as const) {
    const bytes = await readFile(join(out, `ch00_p1-pl1-sample1-sperm${n}.tif`));
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "tiff", width, height, channels: 1 });
    expect(bytes.toString("latin1")).toContain("Drawn by Androscope, not photographed");
  }
  expect(await readFile(join(out, "votes_and_folds.csv"), "utf8")).toBe(csv);
  for (const note of ["README.txt", "stand-ins.json"])
    expect(await readFile(join(out, note), "utf8")).toContain("Drawn by Androscope, not photographed");
});
