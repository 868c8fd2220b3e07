/**
 * Finding heads in whole photographs against experts' outlines: `node scripts/with-node.mjs experiments/field-detection.ts
 * FIELDS DETECTOR [learn|skip-quarter]`. Thresholds were settled on every fourth field, so those are told apart.
 */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { wilson } from "../src/evaluation/index.ts";
import { squareAround } from "../src/fields/detection/scale.ts";
import { Analyser, estimateFrom } from "../src/fields/index.ts";
import { contrast, morphometry, parts } from "../src/heads/index.ts";
import { decodeImage, type Mask } from "../src/imaging/index.ts";
import { match, trueFields } from "./field-truth.ts";

const [folder, detector] = process.argv.slice(2) as [string, string | undefined];
const only =
  process.argv[4] === "dev"
    ? (i: number) => i % 4 === 0
    : process.argv[4] === "test"
      ? (i: number) => i % 4 !== 0
      : () => true;
const names = (await readdir(join(folder, "images"))).sort();
const headLength = await estimateFrom(
  names
    .filter((_, i) => only(i))
    .map((name) => async () => decodeImage(await readFile(join(folder, "images", name)), name)),
);
const analyser = await Analyser.open({ threads: 2, ...(detector ? { detector } : {}) });
let [found, missed, wrong, touching, separated, cutFound] = [0, 0, 0, 0, 0, 0];
const dices: number[] = [];
const errors: Record<string, number[]> = { length: [], width: [], acrosome: [] };
const times: number[] = [];
let byModel = 0;
let classified = 0;
for await (const field of trueFields(folder, only)) {
  const begun = performance.now();
  const analysis = await analyser.field(field.image, headLength);
  times.push(performance.now() - begun);
  const { width, height } = field.image;
  // Whether the model knows a head's class is another question than whether it is a head.
  const heads = analysis.heads.filter(
    ({ state, probabilities }) => state === "head" || state === "cut" || probabilities.length > 0,
  );
  const pixels = heads.map(({ outline }) => insideOf(outline, width, height));
  const { of } = match(pixels, field);
  const seen = new Set<number>();
  for (const [k, truth] of of.entries()) {
    const head = heads[k]!;
    if (!truth) {
      if (head.state !== "cut") wrong++;
      continue;
    }
    const real = field.heads[truth.head]!;
    if (real.cut) {
      cutFound++;
      continue;
    }
    if (seen.has(truth.head)) continue;
    seen.add(truth.head);
    if (head.state === "cut") continue;
    found++;
    classified++;
    if (head.state === "refused") byModel++;
    dices.push(truth.dice);
    if (real.touching) separated++;
    const { image, left, top } = squareAround(field.image, head.centre[0], head.centre[1], 200);
    const mask: Mask = { width: 200, height: 200, data: new Uint8Array(200 * 200) };
    for (const i of real.pixels) {
      const [x, y] = [(i % width) - left, Math.floor(i / width) - top];
      if (x >= 0 && y >= 0 && x < 200 && y < 200) mask.data[y * 200 + x] = 1;
    }
    const { plane } = contrast(image);
    const expert = morphometry(mask, parts(mask, plane), plane)!;
    errors.length!.push(Math.abs(head.measures.lengthPx / expert.lengthPx - 1));
    errors.width!.push(Math.abs(head.measures.widthPx / expert.widthPx - 1));
    errors.acrosome!.push(Math.abs(head.measures.acrosomeShare - real.acrosome / real.pixels.length));
  }
  for (const [k, real] of field.heads.entries()) {
    if (real.cut) continue;
    if (real.touching) touching++;
    if (!seen.has(k)) {
      missed++;
      console.error("missed", real.id);
    }
  }
}
analyser.dispose();
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
console.log(
  JSON.stringify(
    {
      headLength,
      found,
      missed,
      wrong,
      precision: found / (found + wrong),
      recall: found / (found + missed),
      recallInterval: wilson(found, found + missed),
      f1: (2 * found) / (2 * found + wrong + missed),
      touching: `${separated} of ${touching}`,
      cutFound,
      dice: median(dices),
      length: median(errors.length!),
      width: median(errors.width!),
      acrosome: median(errors.acrosome!),
      refusedByModel: byModel / classified,
      milliseconds: median(times),
    },
    null,
    1,
  ),
);

/** Pixels inside a closed outline along pixel edges, by crossings of each row's middle. */
function insideOf(outline: readonly (readonly [number, number])[], width: number, height: number): number[] {
  const rows = new Map<number, number[]>();
  for (const [i, [x, y]] of outline.entries()) {
    const [u, v] = outline[(i + 1) % outline.length]!;
    if (x !== u) continue;
    for (let row = Math.min(y, v); row < Math.max(y, v); row++) rows.set(row, [...(rows.get(row) ?? []), x]);
  }
  const pixels: number[] = [];
  for (const [row, crossings] of rows) {
    if (row < 0 || row >= height) continue;
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2)
      for (let x = Math.max(0, crossings[k]!); x < Math.min(width, crossings[k + 1]!); x++)
        pixels.push(row * width + x);
  }
  return pixels;
}
