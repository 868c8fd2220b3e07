/**
 * Draws docs/images/phantoms.png, the picture at the top of the readme: phantoms of all five classes, and below each
 * the same with the outline of its exact mask.
 *
 *   node scripts/with-node.mjs scripts/readme-picture.ts [seed]
 */
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { PHANTOM_CLASSES, type Phantom, phantomOf } from "../src/datasets/index.ts";
import { encodePng } from "../src/imaging/index.ts";
import { softOutlines } from "../src/reports/index.ts";

const FILE = fileURLToPath(new URL("../docs/images/phantoms.png", import.meta.url));
/** Of a phantom's 131 pixels so many are shown, this large. */
const [SHOWN, TILE, GAP, HEAD] = [92, 200, 8, 34];
const WIDTH = PHANTOM_CLASSES.length * (TILE + GAP) - GAP;
const HEIGHT = HEAD + 2 * TILE + GAP;

async function tile({ image }: Phantom): Promise<Buffer> {
  const border = Math.floor((image.width - SHOWN) / 2);
  const window = { left: border, top: border, width: SHOWN, height: SHOWN };
  const cropped = await sharp(await encodePng(image))
    .extract(window)
    .png()
    .toBuffer();
  return sharp(cropped).resize(TILE, TILE, { kernel: "cubic" }).png().toBuffer();
}

/** The mask's outline in the tile's pixels, and the class above. */
function drawing({ mask, kind, image }: Phantom, column: number): string {
  const border = Math.floor((image.width - SHOWN) / 2);
  const left = column * (TILE + GAP);
  const scaled = softOutlines(mask).map((outline) =>
    outline.map(
      ([x, y]) => `${(((x - border) * TILE) / SHOWN).toFixed(1)},${(((y - border) * TILE) / SHOWN).toFixed(1)}`,
    ),
  );
  const polygons = scaled.map((points) => `<polygon points="${points.join(" ")}"/>`).join("");
  // A grey that can be read on white and on black.
  return `<text x="${left + TILE / 2}" y="${HEAD - 12}" text-anchor="middle" fill="#7d8590">${kind}</text><g transform="translate(${left} ${HEAD + TILE + GAP})" fill="none" stroke-linejoin="round"><g stroke="#10131a" stroke-opacity="0.5" stroke-width="4.5">${polygons}</g><g stroke="#2df5bd" stroke-width="2.2">${polygons}</g></g>`;
}

const seed = Number(process.argv[2] ?? 6);
const phantoms = PHANTOM_CLASSES.map((_, i) => phantomOf({ count: PHANTOM_CLASSES.length, seed }, i));
const tiles = await Promise.all(phantoms.map(tile));
const layers = tiles.flatMap((input, column) => {
  const left = column * (TILE + GAP);
  return [
    { input, left, top: HEAD },
    { input, left, top: HEAD + TILE + GAP },
  ];
});
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="19">${phantoms.map(drawing).join("")}</svg>`;
const picture = await sharp({
  create: { width: WIDTH, height: HEIGHT, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
})
  .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
  .png({ palette: true, colours: 200, dither: 0.6, effort: 10, compressionLevel: 9 })
  .toBuffer();
await mkdir(new URL("../docs/images/", import.meta.url), { recursive: true });
await writeFile(FILE, picture);
console.log(`docs/images/phantoms.png: ${WIDTH}×${HEIGHT}, ${Math.round(picture.length / 1000)} kB`);
