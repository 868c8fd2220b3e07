/**
 * A folder as it comes from a microscope: good crops among damaged and odd ones. Every command does what it can, lists
 * what it cannot use with a code, and says by its exit status whether anything was left.
 */
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng, readImage } from "../src/index.ts";
import {
  androscope,
  drawnCrop,
  failure,
  json,
  shell,
  TINY,
  temporary,
  tinyModel,
  twoClasses,
  write,
} from "./support.ts";

/** What is wrong with a file, by its name. */
const UNUSABLE = {
  "Round/broken-link.png": "file/not-found",
  "Round/empty.png": "image/unknown-format",
  "Round/huge.png": "image/too-large",
  "Round/text.png": "image/unknown-format",
  "Round/truncated.jpg": "image/truncated",
  "Round/truncated.png": "image/truncated",
  "Tapered/\uFFFD.png": "file/unreadable",
};
const ODD = ["Round/alpha.png", "Round/black.png", "Round/blank.png", "Round/cmyk.jpg", "Round/one-pixel.png"];
const NO_HEAD = ["Round/black.png", "Round/blank.png", "Round/one-pixel.png"];

/** A PNG of one colour. */
const flat = (side: number, [r, g, b]: [number, number, number]) =>
  sharp({ create: { width: side, height: side, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();

/** The same file with another size in its header. */
function claimSize(png: Uint8Array, width: number, height: number): Uint8Array {
  const out = Buffer.from(png);
  out.writeUInt32BE(width, 16);
  out.writeUInt32BE(height, 20);
  out.writeUInt32BE(crc32(out.subarray(12, 29)), 29);
  return out;
}

async function mixedFolder(): Promise<string> {
  const root = await twoClasses(3);
  const good = await encodePng(drawnCrop(2, 7));
  const jpeg = await sharp(good).jpeg().toBuffer();
  await write(root, {
    "Round/alpha.png": await sharp(good).ensureAlpha(0.5).png().toBuffer(),
    "Round/black.png": await flat(40, [0, 0, 0]),
    "Round/blank.png": await flat(40, [225, 210, 220]),
    "Round/cmyk.jpg": await sharp(good).toColourspace("cmyk").jpeg().toBuffer(),
    "Round/empty.png": "",
    "Round/huge.png": claimSize(good, 20_000, 20_000),
    "Round/one-pixel.png": await flat(1, [9, 9, 9]),
    "Round/text.png": "These are not the pixels you are looking for.",
    "Round/truncated.jpg": jpeg.subarray(0, jpeg.length >> 1),
    "Round/truncated.png": good.subarray(0, good.length >> 1),
  });
  await symlink("nowhere.png", join(root, "Round/broken-link.png"));
  const latin = Buffer.concat([Buffer.from(join(root, "Tapered/")), Buffer.from([0xe4]), Buffer.from(".png")]);
  await writeFile(latin, good);
  return root;
}

let root = "";
let out = "";
let model = "";
beforeAll(async () => {
  [root, out, model] = [await mixedFolder(), await temporary(), await tinyModel()];
});

const codes = (problems: { id?: string; path?: string; code: string }[]) =>
  Object.fromEntries(problems.map(({ id, path, code }) => [id ?? path!.slice(root.length + 1), code]));
const names = (rows: { path: string }[]) => rows.map(({ path }) => path.slice(root.length + 1));

describe("good crops among bad ones", () => {
  test("train uses the good ones and lists the others", async () => {
    const run = join(out, "train");
    const result = json(await androscope(["train", root, "--out", run, "--json", ...TINY]));
    expect(result).toMatchObject({ images: 6 + ODD.length, skipped: Object.keys(UNUSABLE).length });
    const { problems } = JSON.parse(await readFile(join(run, "metrics.json"), "utf8"));
    expect(codes(problems)).toEqual(UNUSABLE);
    for (const { message } of problems) expect(message).not.toContain(root);
  });

  test("crossval predicts the good ones and counts the others", async () => {
    const run = join(out, "crossval");
    const result = json(await androscope(["crossval", root, "--k=2", "--out", run, "--json", ...TINY]));
    expect(result.dataset).toMatchObject({ images: 6 + ODD.length, skipped: Object.keys(UNUSABLE).length });
    const lines = (await readFile(join(run, "predictions.csv"), "utf8")).trim().split("\n");
    const paths = lines.slice(1).map((line) => line.split(",")[0]);
    expect(paths).toEqual(expect.arrayContaining(ODD));
    expect(paths).toHaveLength(6 + ODD.length);
  });

  test("predict classifies the good ones, without measures where there is no head", async () => {
    const { predictions, problems } = json(await androscope(["predict", "--model", model, root, "--json"]));
    expect(codes(problems)).toEqual(UNUSABLE);
    expect(names(predictions)).toEqual(expect.arrayContaining(ODD));
    expect(predictions).toHaveLength(6 + ODD.length);
    for (const row of predictions) {
      expect(row.prob_Round + row.prob_Tapered).toBeCloseTo(1, 3);
      expect(row.length_px === null || row.length_px > 0).toBe(true);
    }
  });

  test("masks outlines the good ones and accepts none where there is no head", async () => {
    const folder = join(out, "masks");
    const { masks, problems } = json(await androscope(["masks", root, "--out", folder, "--json"]));
    expect(codes(problems)).toEqual(UNUSABLE);
    expect(masks).toHaveLength(6 + ODD.length);
    for (const [i, name] of names(masks).entries()) {
      const { accepted, mask, area_px, length_px } = masks[i];
      if (NO_HEAD.includes(name))
        expect({ name, accepted, length_px }).toEqual({ name, accepted: false, length_px: null });
      else expect({ name, accepted }).toEqual({ name, accepted: true });
      const { width, height, data } = await readImage(join(folder, mask));
      const { width: inputWidth, height: inputHeight } = await readImage(join(root, name));
      expect([width, height]).toEqual([inputWidth, inputHeight]);
      expect(data.filter((v) => v === 255).length / 3).toBe(area_px ?? 0);
    }
  });

  test("data describe lists them too", async () => {
    const { problems, images } = json(await androscope(["data", "describe", root, "--json"]));
    expect(codes(problems)).toEqual(UNUSABLE);
    expect(images).toBe(6 + ODD.length);
  });
});

describe("three images, one of them broken", () => {
  const three = () => ["Round/0.png", "Round/truncated.png", "Tapered/0.png"].map((name) => join(root, name));

  test("predict: two rows, the broken one on the list, exit 0", async () => {
    const file = join(out, "three.csv");
    const { status, stdout } = await androscope(["predict", "--model", model, ...three(), "--out", file]);
    expect(status).toBe(0);
    expect(stdout).toContain("2 of 3 classified");
    expect(stdout).toMatch(/skipped: .*truncated\.png: .*\[image\/truncated\]/);
    expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(3);
  });

  test("masks: two rows, the broken one on the list, exit 0", async () => {
    const folder = join(out, "three");
    const { status, stdout } = await androscope(["masks", ...three(), "--out", folder]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/skipped: .*truncated\.png: .*\[image\/truncated\]/);
    expect((await readFile(join(folder, "masks.csv"), "utf8")).trim().split("\n")).toHaveLength(3);
    expect((await readdir(folder)).sort()).toEqual(
      ["0.mask.png", "0.overlay.png", "0~2.mask.png", "0~2.overlay.png", "masks.csv"].sort(),
    );
  });

  test("the help says so", async () => {
    for (const command of ["predict", "masks"]) {
      expect((await androscope([command, "--help"])).stdout).toContain("the exit status is 1 only where none is left");
    }
  });
});

describe("nothing usable at all", () => {
  const broken = () => join(root, "Round/truncated.png");

  test("predict and masks: the list, a table without rows, exit 1", async () => {
    const file = join(out, "none.csv");
    const predicted = await androscope(["predict", "--model", model, broken(), "--out", file, "--json"]);
    expect(predicted.status).toBe(1);
    expect(JSON.parse(predicted.stdout).problems).toMatchObject([{ code: "image/truncated" }]);
    expect(await readFile(file, "utf8")).toMatch(
      /^path,class,refused,prob_Round,prob_Tapered,reliability,length_px,[a-z_,]*\n$/,
    );
    const outlined = await androscope(["masks", broken(), "--out", join(out, "none"), "--json"]);
    expect(outlined.status).toBe(1);
    expect(JSON.parse(outlined.stdout)).toMatchObject({ masks: [], problems: [{ code: "image/truncated" }] });
    expect(await readFile(join(out, "none", "masks.csv"), "utf8")).toMatch(/^path,reliability,accepted,area_px,.*\n$/);
  });

  test("an empty folder, and a name that does not exist", async () => {
    const empty = await temporary();
    const commands = [
      ["train", empty, "--out", join(out, "a")],
      ["crossval", empty, "--out", join(out, "b")],
      ["predict", "--model", model, empty],
      ["masks", empty, "--out", join(out, "c")],
      ["data", empty],
    ];
    for (const command of commands) {
      expect(failure(await androscope([...command, "--json"]), "data/empty").where).toBe(empty);
      const missing = command.map((word) => (word === empty ? join(empty, "x") : word));
      expect(failure(await androscope([...missing, "--json"]), "file/not-found").where).toBe(join(empty, "x"));
    }
    expect(await readdir(out)).not.toContain("a");
  });

  test("a dataset whose every image is damaged", async () => {
    const all = await write(await temporary(), { "A/1.png": "x", "A/2.png": "x", "B/1.png": "x", "B/2.png": "x" });
    const trained = await androscope(["train", all, "--out", join(out, "d"), "--json", ...TINY]);
    expect(failure(trained, "data/empty").found).toContain("4 problems");
    const validated = await androscope(["crossval", all, "--k=2", "--out", join(out, "e"), "--json", ...TINY]);
    failure(validated, "data/empty");
  });
});

test("a photograph among crops is left out, not the measure of all", async () => {
  const mixed = await twoClasses(3);
  await write(mixed, { "Round/field.png": await encodePng(drawnCrop(2, 1, 600)) });
  const run = join(out, "field");
  json(await androscope(["train", mixed, "--out", run, "--json", ...TINY]));
  const { problems } = JSON.parse(await readFile(join(run, "metrics.json"), "utf8"));
  expect(problems).toMatchObject([{ id: "Round/field.png", code: "image/not-a-crop" }]);
  // For masks and prediction only what no crop can be is refused: 600 pixels may be a crop of a high magnification.
  const photograph = join(await write(await temporary(), { "big.png": await flat(2100, [220, 210, 220]) }), "big.png");
  const { problems: refused } = json(
    await androscope(["masks", photograph, join(root, "Round/0.png"), "--out", join(out, "big"), "--json"]),
  );
  expect(refused).toMatchObject([{ path: photograph, code: "image/not-a-crop" }]);
});

test("a name that is not UTF-8, given by itself, is a missing file", async () => {
  const { status, stderr } = await shell(`"$BIN" masks $'Tapered/\\xe4.png' --out "${join(out, "latin")}"`, root);
  expect(status).toBe(1);
  expect(stderr).toContain("[file/not-found]");
});
