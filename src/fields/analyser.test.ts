/** The program's own detector and model on drawn photographs, whose heads are known; and a detector learned from some. */
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PhantomField, phantomDataset, phantomField } from "../datasets/index.ts";
import { type Image, resized } from "../imaging/index.ts";
import { packArrays } from "../runs/index.ts";
import { Analyser } from "./analyser.ts";
import { BUNDLED_DETECTOR, readDetector, writeDetector } from "./detection/detector-file.ts";
import { estimateHeadLength } from "./detection/head-length.ts";
import { learnFields } from "./detection/learn-fields.ts";
import type { Analysis, FoundHead } from "./head.ts";

let analyser: Analyser;
let folder = "";
beforeAll(async () => {
  analyser = await Analyser.open({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "androscope-fields-"));
});
afterAll(async () => {
  analyser.dispose();
  await rm(folder, { recursive: true });
});

/** Pixels inside an outline along pixel edges. */
function pixelsOf({ outline }: FoundHead, { width, height }: Image): Set<number> {
  const pixels = new Set<number>();
  for (const [i, [x, y]] of outline.entries()) {
    const [u, v] = outline[(i + 1) % outline.length]!;
    if (x !== u) continue;
    for (let row = Math.max(0, Math.min(y, v)); row < Math.min(height, Math.max(y, v)); row++)
      for (let column = 0; column < Math.min(width, x); column++) {
        const at = row * width + column;
        // An edge to the right toggles everything on its left.
        if (!pixels.delete(at)) pixels.add(at);
      }
  }
  return pixels;
}

function overlapOf(a: ReadonlySet<number>, b: Int32Array): number {
  let both = 0;
  for (const i of b) if (a.has(i)) both++;
  return both / (a.size + b.length - both);
}

/** Of the true heads that are whole and large enough the share that is found, and how many of what is found is none. */
function scores({ image, heads }: PhantomField, found: Analysis) {
  const taken = found.heads.filter(
    ({ state, reason }) => state === "head" || (state === "refused" && reason === "mask"),
  );
  const masks = taken.map((head) => pixelsOf(head, image));
  const areas = heads.map(({ pixels }) => pixels.length).sort((a, b) => a - b);
  const usual = areas[areas.length >> 1]!;
  const wanted = heads.filter(({ cut, pixels }) => !cut && pixels.length > 0.65 * usual);
  const hits = wanted.filter(({ pixels }) => masks.some((mask) => overlapOf(mask, pixels) >= 0.5)).length;
  const wrong = masks.filter((mask) => heads.every(({ pixels }) => overlapOf(mask, pixels) < 0.5)).length;
  return { wanted: wanted.length, hits, wrong };
}

test("finds drawn heads it has never seen, apart where they touch, and tells debris from them", async () => {
  const total = { wanted: 0, hits: 0, wrong: 0 };
  for (let index = 0; index < 4; index++) {
    const field = phantomField({ seed: 1, heads: 12, touching: 2 }, index);
    const found = await analyser.field(field.image, await estimateHeadLength([field.image]));
    const { wanted, hits, wrong } = scores(field, found);
    total.wanted += wanted;
    total.hits += hits;
    total.wrong += wrong;
  }
  expect(total.hits / total.wanted).toBeGreaterThan(0.9);
  expect(total.wrong).toBeLessThanOrEqual(3);
});

test("what the border cuts is told apart, numbers run in reading order, and all of it is in the picture's pixels", async () => {
  const { image, heads } = phantomField({ seed: 4, heads: 12 });
  const found = await analyser.field(image, await estimateHeadLength([image]));
  const cut = heads.find((head) => head.cut)!;
  const same = found.heads.filter((head) => overlapOf(pixelsOf(head, image), cut.pixels) >= 0.5);
  expect(same.map(({ state }) => state)).toEqual(["cut"]);
  expect(found.heads.map(({ number }) => number)).toEqual(found.heads.map((_, i) => i + 1));
  for (const [i, { centre }] of found.heads.entries())
    if (i > 0) expect(centre[1]).toBeGreaterThanOrEqual(found.heads[i - 1]!.centre[1]);
  for (const { centre, axis, state, probabilities } of found.heads) {
    expect(centre[0] > 0 && centre[0] < image.width && centre[1] > 0 && centre[1] < image.height).toBe(true);
    expect(Math.hypot(...axis)).toBeCloseTo(1, 3);
    if (state === "head") expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    if (state === "cut") expect(probabilities).toEqual([]);
  }
});

test("a photograph of twice the pixels has the same heads, twice as long", async () => {
  const { image } = phantomField({ seed: 5, heads: 8 });
  const twice = await resized(image, image.width * 2, image.height * 2);
  const [one, two] = [await analyser.field(image, 48), await analyser.field(twice, 96)];
  const whole = (found: Analysis) => found.heads.filter(({ state }) => state === "head");
  // Resizing blurs, so that a doubtful head may be judged otherwise.
  expect(Math.abs(whole(two).length - whole(one).length)).toBeLessThanOrEqual(1);
  for (const head of whole(one)) {
    const other = two.heads.find(
      ({ centre }) => Math.hypot(centre[0] / 2 - head.centre[0], centre[1] / 2 - head.centre[1]) < 3,
    )!;
    expect(other.measures.lengthPx / head.measures.lengthPx / 2).toBeCloseTo(1, 1);
  }
});

test("a picture without a head has none, one smaller than a head is refused", async () => {
  const flat = (size: number): Image => ({
    width: size,
    height: size,
    data: new Uint8Array(size * size * 3).fill(200),
  });
  expect((await analyser.field(flat(300), 50)).heads).toEqual([]);
  await expect(analyser.field(flat(30), 50)).rejects.toMatchObject({ code: "field/too-small" });
});

test("of a crop the head at its centre", async () => {
  const [sample] = phantomDataset({ count: 1, seed: 2 }).samples;
  const image = await sample!.load();
  const { heads } = await analyser.crop(image);
  expect(heads).toHaveLength(1);
  expect(Math.hypot(heads[0]!.centre[0] - image.width / 2, heads[0]!.centre[1] - image.height / 2)).toBeLessThan(12);
});

describe("a detector of one's own", () => {
  test("is learned from photographs without labels, and finds the heads of others", async () => {
    const images = [...Array(6).keys()].map((index) => async () => phantomField({ seed: 21, heads: 12 }, index).image);
    const settings = { widths: [8, 16, 24, 32] as const, viewSize: 64, steps: 160, batch: 8 };
    const learned = await learnFields({
      images,
      source: "drawn",
      licence: "none",
      program: "test",
      seed: 1,
      threads: 1,
      settings,
    });
    const file = join(folder, "own.detector");
    await writeDetector(file, learned);
    const kept = await readDetector(file);
    expect(kept.training).toMatchObject({ source: "drawn", images: 6, seed: 1 });
    expect([...kept.weights.keys()]).toEqual([...learned.weights.keys()]);
    const own = await Analyser.open({ detector: file, threads: 1 });
    expect(own.description.detector).toBe(kept.hash);
    const field = phantomField({ seed: 22, heads: 12 });
    const { wanted, hits, wrong } = scores(field, await own.field(field.image, kept.training.headLength));
    own.dispose();
    expect(hits / wanted).toBeGreaterThan(0.8);
    expect(wrong).toBeLessThanOrEqual(2);
  }, 240_000);

  test("cannot be learned where nothing looks like heads", async () => {
    const flat = async (): Promise<Image> => ({
      width: 200,
      height: 200,
      data: new Uint8Array(200 * 200 * 3).fill(200),
    });
    const options = { images: [flat], source: "", licence: "", program: "", seed: 1, threads: 1 };
    await expect(learnFields(options)).rejects.toMatchObject({ code: "field/no-scale" });
    await expect(learnFields({ ...options, headLength: 50 })).rejects.toMatchObject({ code: "detector/no-lessons" });
  });

  test("other files are refused in plain words", async () => {
    const path = (name: string) => join(folder, name);
    await writeFile(path("text"), "not a detector");
    await writeFile(path("other"), packArrays({ arrays: {}, meta: { kind: "something" } }));
    await writeFile(path("newer"), packArrays({ arrays: {}, meta: { kind: "androscope detector", format: 99 } }));
    await writeFile(path("cut"), await readFile(BUNDLED_DETECTOR));
    await truncate(path("cut"), 5000);
    for (const name of ["text", "other", "cut"])
      await expect(readDetector(path(name))).rejects.toMatchObject({
        code: "detector/not-a-detector",
        where: path(name),
      });
    await expect(readDetector(path("newer"))).rejects.toMatchObject({ code: "detector/newer" });
    await expect(readDetector(path("none"))).rejects.toMatchObject({ code: "file/not-found" });
  });
});
