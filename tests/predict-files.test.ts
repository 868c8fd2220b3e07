/** Many image files through predict: any number of cores gives the same bytes, in the order asked for. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { encodePng, isAndroscopeError, predictFiles, readImage } from "../src/index.ts";
import { androscope, drawnCrop, failure, json, temporary, tinyModel, write } from "./support.ts";

let model = "";
let folder = "";
/** Crops of three sizes, more than three batches, with what cannot be read among them. */
const COUNT = 53;
const BAD = [3, 20];
const nameOf = (i: number) => `${String(i).padStart(2, "0")}.png`;

beforeAll(async () => {
  model = await tinyModel();
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < COUNT; i++) files[nameOf(i)] = await encodePng(drawnCrop(1 + (i % 5) / 4, i, 40 + 7 * (i % 3)));
  files[nameOf(BAD[0]!)] = Uint8Array.from({ length: 200 }, (_, i) => i);
  files[nameOf(BAD[1]!)] = files[nameOf(0)]!.subarray(0, 300);
  folder = await write(await temporary(), files);
});

test("one, two and three cores write the same bytes; bad images are told of, the others keep their order", async () => {
  const out = await temporary();
  const written: string[] = [];
  for (const threads of [1, 2, 3]) {
    const file = join(out, `${threads}.csv`);
    const { predictions, problems } = json(
      await androscope(["predict", "--model", model, folder, `--threads=${threads}`, "--out", file, "--json"]),
    );
    const good = Array.from({ length: COUNT }, (_, i) => i).filter((i) => !BAD.includes(i));
    expect(predictions.map(({ path }: { path: string }) => path)).toEqual(good.map((i) => join(folder, nameOf(i))));
    expect(problems).toMatchObject([
      { path: join(folder, nameOf(3)), code: "image/unknown-format" },
      { path: join(folder, nameOf(20)), code: "image/truncated" },
    ]);
    written.push(await readFile(file, "utf8"));
  }
  expect(written[1]).toBe(written[0]);
  expect(written[2]).toBe(written[0]);
});

test("from a program, with what is done so far", async () => {
  const paths = Array.from({ length: COUNT }, (_, i) => join(folder, nameOf(i))).toReversed();
  const seen: number[] = [];
  const { files, metadata } = await predictFiles(model, paths, { threads: 2, onProgress: (done) => seen.push(done) });
  expect(files.map(({ path }) => path)).toEqual(paths);
  expect(files.filter((file) => "problem" in file)).toHaveLength(BAD.length);
  expect(seen.at(-1)).toBe(COUNT);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(metadata.classes).toEqual(["Round", "Tapered"]);
  const [last] = files;
  if (!last || "problem" in last) throw new Error("the last crop was not predicted");
  const { width, height } = await readImage(last.path);
  expect(last.measures!.areaPx).toBeLessThanOrEqual(width * height);
});

describe("failures reach the caller from a worker thread as they would from this one", () => {
  test.each([1, 2])("a file that is no model, %i cores", async (threads) => {
    const path = join(folder, nameOf(0));
    const paths = Array.from({ length: COUNT }, () => path);
    const error = await predictFiles(path, paths, { threads }).catch((thrown: unknown) => thrown);
    if (!isAndroscopeError(error, "model/not-a-model")) throw error;
    expect(error.where).toBe(path);
  });

  test("a lying golden answer", async () => {
    const bytes = await readFile(model);
    const golden = bytes.indexOf('"probabilities":[0.');
    bytes.write("[1.", golden + '"probabilities":'.length);
    const lying = join(await temporary(), "lying.onnx");
    await writeFile(lying, bytes);
    failure(await androscope(["predict", "--model", lying, folder, "--threads=2", "--json"]), "model/golden");
  });
});
