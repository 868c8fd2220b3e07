/** The model file, and what predict and masks write. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as native from "onnxruntime-node";
import * as web from "onnxruntime-web";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng, type Image, isAndroscopeError, Model, readImage } from "../src/index.ts";
import { BUNDLED_MODEL } from "../src/learning/index.ts";
import { parseCsv } from "../src/runs/index.ts";
import { androscope, drawnCrop, json, TINY, temporary, write } from "./support.ts";

const CLASSES = ["Amorphous", "Normal", "Pyriform", "Small", "Tapered"];
const PREDICT_COLUMNS = [
  ...["path", "class", "refused"],
  ...CLASSES.map((name) => `prob_${name}`),
  ...["reliability", "length_px", "width_px", "area_px", "acrosome_share", "angle_deg"],
];
const MASK_COLUMNS = [
  ...["path", "reliability", "accepted", "area_px", "length_px", "width_px", "angle_deg", "acrosome_share"],
  ...["perimeter_px", "ellipticity", "elongation", "rugosity", "regularity", "symmetry", "mask"],
];
const MICROMETRES = ["length_um", "width_um", "area_um2"];

/** Phantoms cross-validated in two folds: models, and what each said of the phantoms it had not seen. */
let phantoms = "";
let run = "";
let model = "";
let out = "";
beforeAll(async () => {
  out = await temporary();
  phantoms = join(out, "phantoms");
  run = join(out, "run");
  json(await androscope(["data", "phantoms", "--n=10", "--out", phantoms, "--json"]));
  json(await androscope(["crossval", phantoms, "--k=2", "--out", run, "--json", ...TINY]));
  model = join(run, "models/fold-1.onnx");
});

const table = async (path: string) => parseCsv(await readFile(path, "utf8"));

/** The fold-1 rows of the cross-validation: what its model said of images it had not seen. */
const ownPredictions = async () =>
  (await table(join(run, "predictions.csv"))).rows.map(({ cells }) => cells).filter(({ fold }) => fold === "1");

describe("the model file", () => {
  /** Crops of several sizes as the model takes them: each at the top left of one canvas. */
  function asInputs(images: readonly Image[]) {
    const width = Math.max(...images.map((image) => image.width));
    const height = Math.max(...images.map((image) => image.height));
    const crops = new Uint8Array(images.length * width * height * 3);
    for (const [i, image] of images.entries()) {
      for (let y = 0; y < image.height; y++) {
        const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
        crops.set(row, (i * height + y) * width * 3);
      }
    }
    const sizes = Float32Array.from(images.flatMap((image) => [image.width, image.height]));
    return { crops, cropsShape: [images.length, height, width, 3], sizes, sizesShape: [images.length, 2] };
  }

  test.each([
    ["of a network by itself", () => model, CLASSES.length],
    ["that comes with the program, with wavelets beside its network", () => BUNDLED_MODEL, 4],
  ])(
    "gives the same on native code and on WebAssembly, and through predict, alone or among others: one %s",
    async (_, file, classes) => {
      const rows = await ownPredictions();
      const paths = rows.map(({ path }) => join(phantoms, path!));
      const images = [...(await Promise.all(paths.map(readImage))), drawnCrop(2, 1, 50), drawnCrop(1.2, 2, 90)];
      const { crops, cropsShape, sizes, sizesShape } = asInputs(images);
      const bytes = await readFile(file());
      const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
      const nativeSession = await native.InferenceSession.create(bytes, options);
      const here = await nativeSession.run({
        crops: new native.Tensor("uint8", crops, cropsShape),
        sizes: new native.Tensor("float32", sizes, sizesShape),
      });
      web.env.wasm.numThreads = 1;
      const webSession = await web.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
      const there = await webSession.run({
        crops: new web.Tensor("uint8", crops, cropsShape),
        sizes: new web.Tensor("float32", sizes, sizesShape),
      });
      const values = (found: { probabilities: { data: unknown } }) => [...(found.probabilities.data as Float32Array)];
      const expected = values(here as never);
      expect(expected).toHaveLength(images.length * classes);
      expect(largestDifference(values(there as never), expected)).toBeLessThan(1e-4);

      const loaded = await Model.load(file(), { threads: 1 });
      const together = await loaded.predict(images);
      const alone = await Promise.all(images.map(async (image) => (await loaded.predict([image]))[0]!));
      loaded.dispose();
      expect(
        largestDifference(
          together.flatMap(({ probabilities }) => probabilities),
          expected,
        ),
      ).toBeLessThan(1e-6);
      expect(
        largestDifference(
          alone.flatMap(({ probabilities }) => probabilities),
          expected,
        ),
      ).toBeLessThan(1e-5);
      await nativeSession.release();
      await webSession.release();
    },
  );

  test("predict says what the cross-validation said with the same model", async () => {
    const rows = await ownPredictions();
    const paths = rows.map(({ path }) => join(phantoms, path!));
    const { predictions } = json(await androscope(["predict", "--model", model, ...paths, "--threads=1", "--json"]));
    expect(predictions).toHaveLength(rows.length);
    for (const [i, row] of rows.entries()) {
      const probabilities = (of: Record<string, unknown>) => CLASSES.map((name) => Number(of[`prob_${name}`]));
      // Both are rounded, to five and to six digits.
      expect(largestDifference(probabilities(predictions[i]), probabilities(row))).toBeLessThan(1e-5);
      expect(predictions[i].class).toBe(row.predicted);
      expect(predictions[i].reliability).toBeCloseTo(Number(row.mask_agreement), 3);
    }
  });

  test("tells what it is and nothing of where it was made", async () => {
    const { metadata } = await Model.load(model, { threads: 1 });
    expect(metadata).toMatchObject({
      classes: CLASSES,
      training: { dataset: "manifest", images: 5, seed: 1, licence: expect.stringContaining("ask the owner") },
    });
    const bytes = await readFile(model);
    for (const secret of [out, process.cwd(), process.env.HOME ?? out]) expect(bytes.includes(secret)).toBe(false);
    expect(bytes.includes("Research use only")).toBe(true);
  });

  test("a tampered golden answer or tampered weights are caught at load", async () => {
    const good = await readFile(model);
    const golden = good.indexOf('"probabilities":[0.');
    expect(golden).toBeGreaterThan(0);
    const lying = Buffer.from(good);
    lying.write("[1.", golden + '"probabilities":'.length);
    await writeFile(join(out, "lying.onnx"), lying);
    const { status, stderr } = await androscope(["predict", "--model", join(out, "lying.onnx"), phantoms, "--json"]);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining("[model/golden]") });

    // Weights, graph or description: wherever 256 bytes are overwritten, it is noticed, or the answers stay right.
    const codes: string[] = [];
    for (let share = 0.02; share < 1; share += 0.06) {
      const bytes = Buffer.from(good);
      const at = Math.floor(bytes.length * share);
      for (let i = at; i < at + 256; i++) bytes[i] = bytes[i]! ^ 0x35;
      try {
        (await Model.from(bytes, "tampered", { threads: 1 })).dispose();
        codes.push("harmless");
      } catch (error) {
        if (!isAndroscopeError(error)) throw error;
        codes.push(error.code);
      }
    }
    expect(codes).toContain("model/golden");
    expect(codes.filter((code) => !["harmless", "model/golden", "model/not-a-model"].includes(code))).toEqual([]);
  });
});

const largestDifference = (a: readonly number[], b: readonly number[]) => {
  expect(a).toHaveLength(b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
};

describe("what predict writes", () => {
  const crops = () => join(phantoms, "images/Normal");
  const predict = (...options: string[]) =>
    androscope(["predict", "--model", model, crops(), "--threads=1", ...options]);

  test("CSV, JSON and the printed document: the same rows, the promised columns", async () => {
    const files = { csv: join(out, "deep/er/p.csv"), json: join(out, "p.json") };
    const printed = json(await predict("--json", "--out", files.csv));
    json(await predict("--json", "--out", files.json));
    const { header, rows } = await table(files.csv);
    expect(header).toEqual(PREDICT_COLUMNS);
    expect(Object.keys(printed.predictions[0])).toEqual(PREDICT_COLUMNS);
    expect(rows).toHaveLength(2);
    for (const [i, { cells }] of rows.entries()) {
      for (const name of PREDICT_COLUMNS) expect(cells[name]).toBe(String(printed.predictions[i][name] ?? ""));
      expect(CLASSES).toContain(cells.class);
      expect(CLASSES.reduce((sum, name) => sum + Number(cells[`prob_${name}`]), 0)).toBeCloseTo(1, 3);
    }
    expect(JSON.parse(await readFile(files.json, "utf8"))).toEqual(printed);
    expect(printed).toMatchObject({
      classes: CLASSES,
      problems: [],
      use: expect.stringContaining("not for diagnosis"),
    });
  });

  test("without --out the table is printed, with remarks a CSV reader can pass over", async () => {
    const { stdout } = await predict();
    const { header, rows } = parseCsv(
      stdout
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .join("\n"),
    );
    expect([header, rows.length]).toEqual([PREDICT_COLUMNS, 2]);
  });

  test("micrometres only where the calibration is given", async () => {
    const file = join(out, "um.csv");
    const { predictions } = json(await predict("--um-per-px=0.5", "--json", "--out", file));
    expect((await table(file)).header).toEqual([...PREDICT_COLUMNS, ...MICROMETRES]);
    for (const row of predictions) {
      expect(row.length_um).toBeCloseTo(row.length_px / 2, 1);
      expect(row.area_um2).toBeCloseTo(row.area_px / 4, 0);
    }
  });
});

describe("what masks writes", () => {
  test("a table with the promised columns, masks of 0 and 255 as large as the crop", async () => {
    const source = join(await temporary(), "crops");
    await write(source, { "wide.png": await encodePng(cropped(drawnCrop(2, 3, 50), 50, 40)) });
    const folder = join(out, "masks");
    const { masks } = json(await androscope(["masks", source, "--out", folder, "--um-per-px=0.1", "--json"]));
    const { header, rows } = await table(join(folder, "masks.csv"));
    expect(header).toEqual([...MASK_COLUMNS.slice(0, -1), ...MICROMETRES, "mask"]);
    expect(rows.map(({ cells }) => cells.path)).toEqual([join(source, "wide.png")]);
    expect(masks[0]).toMatchObject({ accepted: true, mask: "wide.mask.png" });
    expect((await readdir(folder)).sort()).toEqual(["masks.csv", "wide.mask.png", "wide.overlay.png"]);
    const mask = await sharp(join(folder, "wide.mask.png")).raw().toBuffer({ resolveWithObject: true });
    expect(mask.info).toMatchObject({ width: 50, height: 40 });
    expect([...new Set(mask.data)].sort()).toEqual([0, 255]);
    expect(mask.data.filter((value) => value === 255).length).toBe(masks[0].area_px * mask.info.channels);
    expect(await sharp(join(folder, "wide.overlay.png")).metadata()).toMatchObject({ width: 50, height: 40 });
  });

  test("without calibration no micrometres", async () => {
    const folder = join(out, "masks-px");
    json(await androscope(["masks", join(phantoms, "images/Small"), "--out", folder, "--json"]));
    expect((await table(join(folder, "masks.csv"))).header).toEqual(MASK_COLUMNS);
  });

  test("images of one name do not overwrite each other", async () => {
    const source = await temporary();
    const [long, round] = [await encodePng(drawnCrop(2, 1)), await encodePng(drawnCrop(1, 1))];
    const jpeg = await sharp(long).jpeg().toBuffer();
    await write(source, {
      ...{
        "a/head.png": long,
        "b/head.png": round,
        "a/head.jpg": jpeg,
        "a/Head.tif": await sharp(long).tiff().toBuffer(),
      },
      ...{ "a__head.png": round, "a/head~2.png": long },
    });
    const named = ["a/head.png", "b/head.png", "a/Head.tif", "a/head.jpg", "a/head~2.png"].map((n) => join(source, n));
    for (const inputs of [[source], named, [join(source, "a"), join(source, "b")]]) {
      const folder = await temporary();
      const { masks } = json(await androscope(["masks", ...inputs, "--out", folder, "--json"]));
      const names = masks.map(({ mask }: { mask: string }) => mask);
      expect(new Set(names.map((name: string) => name.toLowerCase())).size).toBe(names.length);
      expect((await readdir(folder)).filter((name) => name.endsWith(".mask.png")).sort()).toEqual([...names].sort());
      for (const { mask, area_px } of masks) {
        const { data } = await readImage(join(folder, mask));
        expect(data.filter((value) => value === 255).length / 3).toBe(area_px);
      }
    }
  });

  test("its own masks are not taken for crops the next time; a manifest says what belongs to a folder", async () => {
    const source = await temporary();
    await write(source, { "head.png": await encodePng(drawnCrop(2, 1)) });
    for (const folder of [source, join(source, "masks")]) {
      for (let time = 0; time < 2; time++) {
        expect(json(await androscope(["masks", source, "--out", folder, "--json"])).masks).toHaveLength(1);
      }
      if (folder === source) for (const kind of ["mask", "overlay"]) await rm(join(source, `head.${kind}.png`));
    }
    const { predictions } = json(await androscope(["predict", "--model", model, phantoms, "--threads=1", "--json"]));
    expect(predictions).toHaveLength(10);
  });
});

function cropped({ width, data }: Image, toWidth: number, toHeight: number): Image {
  const out = new Uint8Array(toWidth * toHeight * 3);
  for (let y = 0; y < toHeight; y++) out.set(data.subarray(y * width * 3, (y * width + toWidth) * 3), y * toWidth * 3);
  return { width: toWidth, height: toHeight, data: out };
}
