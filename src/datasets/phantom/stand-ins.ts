/**
 * Stand-ins for SCIAN: for every row of its file of votes a drawn crop with the row's own file name and size, so that
 * everything but the images can be tried without the images.
 *
 * **The votes decide the shape.** Of each expert's class a head is drawn, and the stand-in is the mean of the three: where
 * all agree it is a head of that class, where they do not it lies between their classes. So a vote tells more about a
 * stand-in than its label does, by construction. Whether experts disagree because of the shape is another question, which
 * stand-ins cannot answer.
 */
import { join } from "node:path";
import { encodeGreyTiff, type Image, type Mask } from "../../imaging/index.ts";
import { AndroscopeError, type Progress, Random, readText, writeFileAtomic, writeJson } from "../../runs/index.ts";
import { parseScianName, readVotes, SCIAN_CLASSES, type VoteRow } from "../scian-votes.ts";
import { DEFAULT_SIZE, generatePhantom } from "./generate.ts";
import { drawShape, meanShape, type Shape } from "./shapes.ts";

/** The file that tells drawn folders from the set. */
export const STAND_INS_MARK = "stand-ins.json";
const WHAT = "Drawn by Androscope, not photographed: a stand-in for an image of SCIAN. Research use only.";
/** Pixels of a phantom to one of SCIAN's: a normal head of 44 becomes one of 22 in 35. Set by eye. */
const SCALE = 2;
/** Side of most images of the set, where the votes do not tell. */
const USUAL_SIDE = 35;
/** Low: what is doubtful about a stand-in is what its votes say. */
const DIFFICULTY = 0.3;

export interface StandIn {
  grey: Mask;
  shape: Shape;
}

type Row = Pick<VoteRow, "name" | "label" | "raters" | "width" | "height">;

const randomOf = (seed: number, { name }: Row) => Random.seeded(seed).stream("stand-in", name);

/** The head of a row: the mean of what its experts saw. */
export function shapeOf(seed: number, row: Row): Shape {
  const random = randomOf(seed, row);
  return meanShape(
    row.raters.map((vote, i) => drawShape(random.stream("expert", i), SCIAN_CLASSES[vote]!, DIFFICULTY)),
  );
}

/** The stand-in of a row: a pure function of the seed, the file name, the size and the votes. */
export function standInOf(seed: number, row: Row): StandIn {
  const { width = USUAL_SIDE, height = USUAL_SIDE } = row;
  const shape = shapeOf(seed, row);
  const { image } = generatePhantom(randomOf(seed, row).stream("phantom"), {
    size: Math.max(DEFAULT_SIZE, Math.ceil(SCALE * Math.max(width, height))),
    difficulty: DIFFICULTY,
    kind: SCIAN_CLASSES[row.label]!,
    shape,
  });
  return { grey: greyMiddle(image, width, height), shape };
}

/** The middle of a picture in grey (ITU-R BT.601), each pixel the mean over the square that it covers. */
function greyMiddle(image: Image, width: number, height: number): Mask {
  const [columns, rows] = [shares(image.width, width), shares(image.height, height)];
  const data = Uint8Array.from({ length: width * height }, (_, i) => {
    let sum = 0;
    for (const [y, tall] of rows[Math.floor(i / width)]!) {
      for (const [x, wide] of columns[i % width]!) {
        const at = 3 * (y * image.width + x);
        sum += tall * wide * (0.299 * image.data[at]! + 0.587 * image.data[at + 1]! + 0.114 * image.data[at + 2]!);
      }
    }
    return Math.round(sum);
  });
  return { width, height, data };
}

/** For each of `count` pixels in the middle of `whole`: what it covers, and by which share of itself. */
function shares(whole: number, count: number): [index: number, share: number][][] {
  return Array.from({ length: count }, (_, i) => {
    const from = whole / 2 + (i - count / 2) * SCALE;
    const covered: [number, number][] = [];
    for (let at = Math.floor(from); at < from + SCALE; at++) {
      const share = (Math.min(at + 1, from + SCALE) - Math.max(at, from)) / SCALE;
      if (share > 0) covered.push([at, share]);
    }
    return covered;
  });
}

/**
 * Draws a folder that opens as SCIAN does: TIFF images, a copy of the votes beside them, and notes that say what it is.
 * @throws `manifest/bad-header`, `manifest/bad-row`, `data/empty`, `file/*`
 */
export async function writeStandIns(
  folder: string,
  { votes, seed }: { votes: string; seed: number },
  progress: Progress,
): Promise<{ images: number }> {
  const rows = [...(await readVotes(votes)).values()];
  if (rows.length === 0) {
    throw new AndroscopeError("data/empty", {
      expected: "a row for every image",
      found: "no row",
      where: votes,
      fix: "Name another file of votes.",
    });
  }
  for (const { name } of rows) {
    if (parseScianName(name)) continue;
    throw new AndroscopeError("manifest/bad-row", {
      expected: "file names of SCIAN, ch00_p<subject>-pl<slide>-sample<field>-sperm<n>.tif",
      found: JSON.stringify(name),
      where: votes,
      fix: "Stand-ins take the names of the set; correct the row.",
    });
  }
  progress.start("Drawing stand-ins", rows.length);
  const truth: unknown[] = [];
  // The mark first: a folder that is left unfinished must say what it is, too.
  await writeFileAtomic(
    join(folder, "README.txt"),
    `${WHAT}\nNo figure that is computed on it says anything of cells.\n`,
  );
  await writeJson(join(folder, STAND_INS_MARK), { what: WHAT, seed });
  for (const [i, row] of rows.entries()) {
    const { grey, shape } = standInOf(seed, row);
    await writeFileAtomic(join(folder, row.name), encodeGreyTiff(grey, WHAT));
    truth.push({ image: row.name, shape });
    progress.update(i + 1);
  }
  await writeFileAtomic(join(folder, "votes_and_folds.csv"), await readText(votes));
  await writeJson(join(folder, STAND_INS_MARK), { what: WHAT, seed, images: truth });
  progress.finish();
  return { images: rows.length };
}
