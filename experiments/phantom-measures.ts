/**
 * Phantoms beside HuSHeM, measured alike by stage 0: the tables of docs/phantoms.md.
 *
 *   node scripts/with-node.mjs experiments/phantom-measures.ts ../shared/data/hushem
 */
import { type Dataset, generatePhantoms, openDataset, phantomDataset } from "../src/datasets/index.ts";
import { contrast, morphometry, PARTS, parts, pseudoMask } from "../src/heads/index.ts";
import type { Image, Mask } from "../src/imaging/index.ts";

const COUNT = 500;

interface Row {
  kind: string;
  measures: number[];
}
const COLUMNS = ["length px", "width px", "length / width", "area px", "acrosome share", "symmetry"];
const COLOURS = [
  "background R",
  "G",
  "B",
  "nucleus absorbance R",
  "G",
  "B",
  "acrosome absorbance R",
  "G",
  "B",
  "noise",
];

/** Mean absorbance ln(background / value) of red, green and blue over the pixels of a part, away from its border. */
function absorbance(image: Image, background: readonly number[], map: Mask, part: number): number[] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let i = 0; i < map.data.length; i++) {
    if (map.data[i] !== part) continue;
    const near = [-3, 3, -3 * map.width, 3 * map.width].every((step) => map.data[i + step] === part);
    if (!near) continue;
    count++;
    for (let c = 0; c < 3; c++) sums[c]! += Math.log(background[c]! / Math.max(1, image.data[i * 3 + c]!));
  }
  return sums.map((sum) => sum / count);
}

async function measure(dataset: Dataset): Promise<{ shapes: Row[]; colours: Row[]; rejected: number }> {
  const shapes: Row[] = [];
  const colours: Row[] = [];
  let rejected = 0;
  for (const sample of dataset.samples) {
    const kind = dataset.classes[sample.label!]!;
    const image = await sample.load();
    const head = pseudoMask(image);
    const map = parts(head.mask, head.contrast.plane);
    const m = morphometry(head.mask, map, head.contrast.plane);
    if (!head.accepted || !m) {
      rejected++;
      continue;
    }
    const shape = [m.lengthPx, m.widthPx, m.ellipticity, m.areaPx, m.acrosomeShare, m.symmetry];
    shapes.push({ kind, measures: shape });
    const { background, noise } = contrast(image);
    const dye = [PARTS.nucleus, PARTS.acrosome].flatMap((part) => absorbance(image, background, map, part));
    if (dye.every(Number.isFinite)) colours.push({ kind: "all", measures: [...background, ...dye, noise] });
  }
  return { shapes, colours, rejected };
}

function table(title: string, columns: readonly string[], rows: readonly Row[], digits: (column: number) => number) {
  const lines = [`| ${title} | n | ${columns.join(" | ")} |`, `|${"---|".repeat(columns.length + 2)}`];
  for (const kind of new Set(rows.map((row) => row.kind))) {
    const own = rows.filter((row) => row.kind === kind);
    const cells = columns.map((_, c) => {
      const values = own.map(({ measures }) => measures[c]!);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
      return `${mean.toFixed(digits(c))} ± ${spread.toFixed(digits(c))}`;
    });
    lines.push(`| ${kind} | ${own.length} | ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

/** The exact masks and parts of the phantoms, measured by the same function. */
function exact(): Row[] {
  return [...generatePhantoms({ count: COUNT, seed: 1 })].map(({ kind, image, mask, parts: map }) => {
    const m = morphometry(mask, map, contrast(image).plane)!;
    return { kind, measures: [m.lengthPx, m.widthPx, m.ellipticity, m.areaPx, m.acrosomeShare, m.symmetry] };
  });
}

const shapeDigits = (c: number) => (c === 3 ? 0 : c < 2 ? 1 : 2);
const hushem = await measure(await openDataset(process.argv[2] ?? "../shared/data/hushem"));
const phantoms = await measure(phantomDataset({ count: COUNT, seed: 1 }));
for (const [name, { shapes, colours, rejected }] of Object.entries({ HuSHeM: hushem, phantoms })) {
  console.log(`${name}, ${rejected} not accepted\n`);
  console.log(`${table(name, COLUMNS, shapes, shapeDigits)}\n`);
  console.log(`${table(name, COLOURS, colours, (c) => (c < 3 ? 0 : c === 9 ? 1 : 2))}\n`);
}
console.log(table("phantoms, exact", COLUMNS, exact(), shapeDigits));
