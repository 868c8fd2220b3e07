/** Altered images against what is said of them, on phantoms whose true mask is known. */
import { beforeAll, describe, expect, test } from "vitest";
import { phantomDataset } from "../datasets/index.ts";
import { pseudoMask } from "../heads/index.ts";
import { dilate, type Image } from "../imaging/index.ts";
import { Random } from "../runs/index.ts";
import { ALTERATIONS, type AlterationName, backgroundOf, quarterTurned, type Specimen } from "./alterations.ts";

let specimens: Specimen[];
beforeAll(async () => {
  specimens = [];
  for (const { label, load } of phantomDataset({ count: 10, seed: 5 }).samples) {
    const image = await load();
    specimens.push({ image, label: label!, mask: pseudoMask(image).mask });
  }
});
const altered = (name: AlterationName, specimen: Specimen, seed = 1) =>
  Promise.resolve(ALTERATIONS[name].apply(specimen, Random.seeded(seed), specimens));
const colourAt = ({ data }: Image, i: number) => [...data.subarray(i * 3, i * 3 + 3)];
const inside = ({ mask }: Specimen) => [...mask.data.keys()].filter((i) => mask.data[i]);

describe.each(Object.keys(ALTERATIONS) as AlterationName[])("%s", (name) => {
  test("keeps the size, changes the image, leaves the original alone, and is the same for a seed", async () => {
    for (const specimen of specimens.slice(0, 3)) {
      const before = specimen.image.data.slice();
      const out = await altered(name, specimen);
      expect([out.width, out.height]).toEqual([specimen.image.width, specimen.image.height]);
      expect(out.data.length).toBe(before.length);
      expect(Buffer.compare(out.data, before)).not.toBe(0);
      expect(Buffer.compare(specimen.image.data, before)).toBe(0);
      expect(Buffer.compare((await altered(name, specimen)).data, out.data)).toBe(0);
    }
  });
});

test("four quarter turns are none, two are a half turn", () => {
  const image: Image = { width: 3, height: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i) };
  expect(quarterTurned(image, 4)).toEqual(image);
  const half = quarterTurned(image, 2);
  for (let i = 0; i < 6; i++) expect(colourAt(half, i)).toEqual(colourAt(image, 5 - i));
  // Clockwise: the top left corner comes to the top right.
  const once = quarterTurned(image, 1);
  expect([once.width, once.height]).toEqual([2, 3]);
  expect(colourAt(once, 1)).toEqual(colourAt(image, 0));
});

test("mirrored twice is as before", async () => {
  const [specimen] = specimens as [Specimen];
  const image = await altered("mirrored", specimen);
  expect(await altered("mirrored", { ...specimen, image })).toEqual(specimen.image);
});

test("another stain changes absorbance by its factors and leaves the background", async () => {
  const image: Image = { width: 40, height: 40, data: new Uint8Array(4800) };
  const mask = { width: 40, height: 40, data: new Uint8Array(1600) };
  for (let i = 0; i < 1600; i++) {
    const head = Math.hypot((i % 40) - 20, Math.floor(i / 40) - 20) < 9;
    mask.data[i] = head ? 1 : 0;
    image.data.set(head ? [120, 60, 150] : [240, 200, 220], i * 3);
  }
  const specimen = { image, mask, label: 0 };
  const out = await altered("strong-stain", specimen);
  expect(colourAt(out, 0)).toEqual([240, 200, 220]);
  const expected = [120, 60, 150].map((v, c) => {
    const ground = [240, 200, 220][c]!;
    return Math.round(ground * Math.exp(1.5 * Math.log(v / ground)));
  });
  expect(colourAt(out, 20 * 40 + 20)).toEqual(expected);
});

test("without colour all channels are luminance", async () => {
  const [specimen] = specimens as [Specimen];
  const out = await altered("grey", specimen);
  for (let i = 0; i < out.data.length / 3; i += 17) {
    const [r, g, b] = colourAt(specimen.image, i) as [number, number, number];
    for (const value of colourAt(out, i))
      expect(Math.abs(value - (0.299 * r + 0.587 * g + 0.114 * b))).toBeLessThan(0.51);
  }
});

test("background only: of the head nothing is left", async () => {
  for (const specimen of specimens) {
    const out = await altered("background-only", specimen);
    const ground = [...backgroundOf(specimen.image, specimen.mask)];
    for (const i of inside(specimen)) expect(colourAt(out, i)).toEqual(ground);
  }
});

test("outline only: two greys, the same for all, and they are the mask", async () => {
  for (const specimen of specimens) {
    const out = await altered("outline-only", specimen);
    for (let i = 0; i < specimen.mask.data.length; i++) {
      expect(out.data[i * 3]).toBe(specimen.mask.data[i] ? 110 : 205);
    }
  }
});

test("other background: the head stays pixel for pixel, around it is an image of another class", async () => {
  for (const [k, specimen] of specimens.entries()) {
    const out = await altered("other-background", specimen, k);
    for (const i of inside(specimen)) expect(colourAt(out, i)).toEqual(colourAt(specimen.image, i));
    const near = dilate(specimen.mask, 2).data;
    const corner = colourAt(out, 0);
    const donors = specimens.filter(
      (s) => s.label !== specimen.label && String(colourAt(s.image, 0)) === String(corner),
    );
    expect(near[0]).toBe(0);
    expect(donors).toHaveLength(1);
  }
  // Of one class alone there is nothing to borrow.
  const alone = specimens.filter((s) => s.label === specimens[0]!.label);
  expect(ALTERATIONS["other-background"].apply(alone[0]!, Random.seeded(1), alone)).toBe(alone[0]!.image);
});
