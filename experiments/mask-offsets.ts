/**
 * How far stage 0's masks are from the experts' for want of size alone: Dice of the masks made larger or smaller, and of
 * the best of these for each head, which nobody can know without the expert. Even fields only (development half).
 *
 *   node scripts/with-node.mjs experiments/mask-offsets.ts ../shared/data/fields
 */
import { join } from "node:path";
import { pseudoMask } from "../src/heads/index.ts";
import { dilate, erode, type Mask, quantile } from "../src/imaging/index.ts";
import { writeJson } from "../src/runs/index.ts";
import { dice, fieldCrops, summarize } from "./field-crops.ts";

/** Pixels; heads are some 80 long and 53 wide. */
const OFFSETS = [-1.5, -1, 0, 1, 1.5];

const fields = process.argv[2];
if (!fields) throw new Error("usage: mask-offsets.ts FIELDS_FOLDER");
const moved = (mask: Mask, by: number) => (by > 0 ? dilate(mask, by) : by < 0 ? erode(mask, -by) : mask);
const area = ({ data }: Mask) => data.reduce((sum, inside) => sum + inside, 0);
const rows: { dice: number[]; ratio: number }[] = [];
for await (const { field, image, expert } of fieldCrops(fields)) {
  if (field % 2 === 1) continue;
  const { mask } = pseudoMask(image);
  rows.push({ dice: OFFSETS.map((by) => dice(moved(mask, by), expert)), ratio: area(mask) / area(expert) });
}
const results = {
  what: "Dice of stage 0's mask, made larger or smaller by so many pixels, with the expert's head; even fields",
  offsets: OFFSETS.map((pixels, i) => ({ pixels, ...summarize(rows.map((row) => row.dice[i]!)) })),
  bestForEachHead: summarize(rows.map((row) => Math.max(...row.dice))),
  areaRatio: [0.05, 0.25, 0.5, 0.75, 0.95].map((share) =>
    quantile(
      rows.map(({ ratio }) => ratio),
      share,
    ),
  ),
};
await writeJson(join(import.meta.dirname, "results/mask-offsets.json"), results);
console.log(JSON.stringify(results, null, 2));
