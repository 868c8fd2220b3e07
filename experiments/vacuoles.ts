/**
 * Vacuole candidates against experts' part maps of whole fields: in how many heads with and without a vacuole by the experts
 * image processing finds one, and how many of either's spots are the other's. The experts' outline is the mask, so that
 * nothing but the spots is in question. Even fields are those that the detector's numbers were settled on; the others tell.
 * Then drawn heads, whose vacuoles are known, and HuSHeM's, of which nobody says it.
 *
 *   node scripts/with-node.mjs experiments/vacuoles.ts ../shared/data/fields ../shared/data/hushem
 *
 * Two minutes. Writes experiments/results/vacuoles.json.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { openDataset, phantomOf } from "../src/datasets/index.ts";
import { contrast, PARTS, pseudoMask, vacuoles } from "../src/heads/index.ts";
import { decodeImage, type Image, type Mask, regions } from "../src/imaging/index.ts";
import { writeJson } from "../src/runs/index.ts";

const SIDE = 160;
const DRAWN = { count: 400, seed: 11 };
const [folder, hushem] = process.argv.slice(2);
if (!folder || !hushem) throw new Error("usage: vacuoles.ts FIELDS_FOLDER HUSHEM_FOLDER");

class Tally {
  readonly heads = { with: 0, foundThere: 0, without: 0, foundWithout: 0 };
  readonly spots = { theirs: 0, theirsFound: 0, ours: 0, oursTheirs: 0 };
  /** Shares of the head, theirs and ours, where they drew a vacuole. */
  readonly shares: [number, number][] = [];

  /** @param truth a part map, whose head is vacuole, acrosome and nucleus */
  add(image: Image, truth: Mask): void {
    const isHead = (part: number) => part >= PARTS.vacuole && part <= PARTS.nucleus;
    const found = vacuoles({ ...truth, data: truth.data.map((part) => (isHead(part) ? 1 : 0)) }, contrast(image).plane);
    const drawn = { ...truth, data: truth.data.map((part) => (part === PARTS.vacuole ? 1 : 0)) };
    const [theirs, ours] = [regions(drawn), regions(found.map)];
    const { heads, spots } = this;
    if (theirs.length > 0) {
      heads.with++;
      if (ours.length > 0) heads.foundThere++;
      const area = truth.data.filter(isHead).length;
      const share = (map: Mask) => map.data.reduce((sum, value) => sum + value, 0) / area;
      this.shares.push([share(drawn), share(found.map)]);
    } else {
      heads.without++;
      if (ours.length > 0) heads.foundWithout++;
    }
    const meets = (region: (typeof ours)[number], map: Mask) => [...region.pixels].some((i) => map.data[i] !== 0);
    spots.theirs += theirs.length;
    spots.theirsFound += theirs.filter((region) => meets(region, found.map)).length;
    spots.ours += ours.length;
    spots.oursTheirs += ours.filter((region) => meets(region, drawn)).length;
  }

  result() {
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
    return {
      heads: this.heads,
      spots: this.spots,
      medianShare: { theirs: median(this.shares.map(([a]) => a)), ours: median(this.shares.map(([, b]) => b)) },
    };
  }
}

const halves = [new Tally(), new Tally()];
const instances = await readdir(join(folder, "instances"));
for (const [index, name] of (await readdir(join(folder, "images"))).sort().entries()) {
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
    const truth = { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE) };
    for (let y = 0; y < SIDE; y++) {
      const from = (top + y) * width + left;
      crop.data.set(image.data.subarray(from * 3, (from + SIDE) * 3), y * SIDE * 3);
      truth.data.set(map.subarray(from, from + SIDE), y * SIDE);
    }
    halves[index % 2]!.add(crop, truth);
  }
}

const drawn = new Tally();
for (let i = 0; i < DRAWN.count; i++) {
  const { image, parts } = phantomOf(DRAWN, i);
  drawn.add(image, parts);
}

const unknown = { heads: 0, found: 0 };
for (const sample of (await openDataset(hushem)).samples) {
  const { mask, contrast: stain } = pseudoMask(await sample.load());
  unknown.heads++;
  if (vacuoles(mask, stain.plane).count > 0) unknown.found++;
}

const result = { development: halves[0]!.result(), test: halves[1]!.result(), drawn: drawn.result(), hushem: unknown };
console.log(JSON.stringify(result, null, 2));
await writeJson(new URL("results/vacuoles.json", import.meta.url).pathname, result);
