/**
 * Vacuole candidates against experts' part maps of whole fields: in how many heads with and without a vacuole by the experts
 * image processing finds a light spot. The experts' outline is the mask, so that nothing but the spots is in question.
 *
 *   node scripts/with-node.mjs experiments/vacuoles.ts ../shared/data/fields
 *
 * A minute. Writes experiments/results/vacuoles.json.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { contrast, morphometry, PARTS, parts } from "../src/heads/index.ts";
import { decodeImage, type Mask } from "../src/imaging/index.ts";
import { writeJson } from "../src/runs/index.ts";

const SIDE = 160;
const folder = process.argv[2];
if (!folder) throw new Error("usage: vacuoles.ts FIELDS_FOLDER");

const counts = { withVacuole: 0, foundThere: 0, without: 0, foundWithout: 0 };
/** Stain of the experts' vacuoles over that of the acrosome around them, medians of each head. */
const ratios: number[] = [];
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

const instances = await readdir(join(folder, "instances"));
for (const name of (await readdir(join(folder, "images"))).sort()) {
  const image = await decodeImage(await readFile(join(folder, "images", name)), name);
  const { width, height } = image;
  for (const file of instances.filter((instance) => instance.startsWith(`${name.replace(/\.[^.]*$/, "")}-`))) {
    const map = await sharp(join(folder, "instances", file))
      .extractChannel(0)
      .raw()
      .toBuffer();
    const inside: number[] = [];
    for (const [i, part] of map.entries()) if (part >= PARTS.vacuole && part <= PARTS.nucleus) inside.push(i);
    if (inside.length === 0) continue;
    const [xs, ys] = [inside.map((i) => i % width), inside.map((i) => Math.floor(i / width))];
    const middle = (values: number[]) => {
      const sorted = values.toSorted((a, b) => a - b);
      return Math.round((sorted[0]! + sorted.at(-1)!) / 2);
    };
    const [left, top] = [middle(xs) - SIDE / 2, middle(ys) - SIDE / 2];
    if (left < 0 || top < 0 || left + SIDE > width || top + SIDE > height) continue;
    const crop = { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE * 3) };
    const truth = new Uint8Array(SIDE * SIDE);
    for (let y = 0; y < SIDE; y++) {
      const from = (top + y) * width + left;
      crop.data.set(image.data.subarray(from * 3, (from + SIDE) * 3), y * SIDE * 3);
      truth.set(map.subarray(from, from + SIDE), y * SIDE);
    }
    const mask: Mask = { width: SIDE, height: SIDE, data: truth.map((part) => (part >= 1 && part <= 3 ? 1 : 0)) };
    const { plane } = contrast(crop);
    const measured = morphometry(mask, parts(mask, plane), plane);
    if (!measured) continue;
    const found = measured.vacuoles > 0;
    const stainOf = (part: number) => [...plane.data].filter((_, i) => truth[i] === part);
    const [vacuole, acrosome] = [stainOf(PARTS.vacuole), stainOf(PARTS.acrosome)];
    if (vacuole.length > 0) {
      counts.withVacuole++;
      if (found) counts.foundThere++;
      if (acrosome.length > 0) ratios.push(median(vacuole) / median(acrosome));
    } else {
      counts.without++;
      if (found) counts.foundWithout++;
    }
  }
}
const result = {
  ...counts,
  stainOfVacuoles: median(ratios),
  lighter: ratios.filter((r) => r < 0.8).length,
  of: ratios.length,
};
console.log(result);
await writeJson(new URL("results/vacuoles.json", import.meta.url).pathname, result);
