/** `androscope field` through the real command, on drawn photographs. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { phantomField } from "../src/datasets/index.ts";
import { encodePng } from "../src/index.ts";
import { expectTidy, stopped } from "./killing.ts";
import { androscope, failure, json, temporary } from "./support.ts";

let smear = "";
let out = "";
const field = (index: number) => phantomField({ seed: 31, size: 400, heads: 7 }, index).image;
beforeAll(async () => {
  [smear, out] = [await temporary(), await temporary()];
  for (const index of [0, 1, 2]) await writeFile(join(smear, `f${index}.png`), await encodePng(field(index)));
  await mkdir(join(smear, "again"));
  // The same name in another folder, and two that cannot be read.
  await writeFile(join(smear, "again", "f0.png"), await encodePng(field(3)));
  await writeFile(join(smear, "cut.png"), (await readFile(join(smear, "f0.png"))).subarray(0, 5000));
  await writeFile(join(smear, "text.jpg"), "no picture");
});

const count = (to: string, ...more: string[]) => ["field", smear, "--out", to, "--head-length=48", "--json", ...more];

/** Every file below a folder but the log, with its bytes. */
async function filesIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    if (name !== "events.jsonl" && (await stat(path)).isFile()) found.set(name, await readFile(path, "base64"));
  }
  return found;
}

describe("a count", () => {
  let result: Awaited<ReturnType<typeof json>>;
  let run = "";
  beforeAll(async () => {
    run = join(out, "whole");
    result = json(await androscope(count(run, "--um-per-px=0.09")));
  });

  test("tells of pictures that cannot be used, and counts the others", async () => {
    const codes = result.problems.map(({ path, code }: { path: string; code: string }) => [
      path.slice(smear.length + 1),
      code,
    ]);
    expect(codes.sort()).toEqual([
      ["cut.png", "image/truncated"],
      ["text.jpg", "image/unknown-format"],
    ]);
    const { statistics } = result;
    expect(statistics.counted).toBeGreaterThan(8);
    const shares = statistics.classes.map(({ share }: { share: number }) => share);
    expect(shares.reduce((a: number, b: number) => a + b, 0)).toBeCloseTo(1, 9);
    expect(statistics.normal.corrected.interval.low).toBeLessThanOrEqual(statistics.normal.corrected.share);
    expect(statistics.warnings.map(({ code }: { code: string }) => code)).toContain("few-heads");
  });

  test("writes what its documents say, and they agree with each other", async () => {
    const names = [...(await filesIn(run)).keys()];
    for (const stem of ["f0", "f1", "f2", "f0~2"]) {
      expect(names).toEqual(
        expect.arrayContaining([`overlays/${stem}.jpg`, `geojson/${stem}.geojson`, `pictures/${stem}.json`]),
      );
    }
    const rows = (await readFile(join(run, "heads.csv"), "utf8")).trim().split("\n");
    const coco = JSON.parse(await readFile(join(run, "coco.json"), "utf8"));
    expect(coco.images).toHaveLength(4);
    expect(coco.annotations).toHaveLength(rows.length - 1);
    const { counted, refused, cut } = result.statistics;
    expect(counted + refused.total + cut).toBe(rows.length - 1);
    expect(rows[0]).toContain("length_um");
    const summary = await readFile(join(run, "summary.txt"), "utf8");
    for (const words of ["Research use only", `${counted} heads counted in 4 pictures`, "asks for at least 200"])
      expect(summary).toContain(words);
    const { width, height } = await sharp(join(run, "overlays/f1.jpg")).metadata();
    expect([width, height]).toEqual([400, 400]);
  });

  test("is not begun twice in one folder, and not continued with another model's answers", async () => {
    failure(await androscope(count(run)), "run/exists");
    failure(
      await androscope(["field", smear, "--out", run, "--head-length=50", "--resume", "--json"]),
      "run/different",
    );
  });

  test("without a calibration has no micrometres, and without a known scale estimates it", async () => {
    const to = join(out, "plain");
    const { headLength } = json(await androscope(["field", smear, "--out", to, "--no-overlays", "--json"]));
    expect(headLength).toBeGreaterThan(35);
    expect(headLength).toBeLessThan(65);
    const csv = await readFile(join(to, "heads.csv"), "utf8");
    expect(csv.split("\n")[0]).not.toContain("_um");
    expect(await readdir(to)).not.toContain("overlays");
  });

  test("of the same sample once more agrees with it", async () => {
    const { replicates } = json(await androscope(count(join(out, "second"), "--replicate", run)));
    expect(replicates).toMatchObject({ difference: 0, acceptable: true });
    failure(await androscope(count(join(out, "third"), "--replicate", smear)), "file/not-found");
  });

  test("killed at any moment goes on, and comes out the same", async () => {
    const to = join(out, "killed");
    const command = count(to, "--um-per-px=0.09");
    for (const [i, moment] of ["after f0.json 1", "before f1.jpg 1", "after f1.json 1", "before coco.json 1"].entries())
      await stopped(i === 0 ? command : [...command, "--resume"], `${moment} SIGKILL group`);
    const again = json(await androscope([...command, "--resume"]));
    await expectTidy(to);
    expect(again.statistics).toEqual(result.statistics);
    expect(await filesIn(to)).toEqual(await filesIn(run));
  });
});

describe("wrong use", () => {
  test.each([
    ["no photograph", () => ["field", "--out", join(out, "x")], "usage/missing-argument"],
    ["a folder without any", async () => ["field", await temporary(), "--out", join(out, "x")], "data/empty"],
    ["a scale of nothing", () => ["field", smear, "--out", join(out, "x"), "--head-length=0"], "usage/bad-value"],
    [
      "criteria that are none",
      () => ["field", smear, "--out", join(out, "x"), "--criteria", join(smear, "text.jpg")],
      "criteria/unreadable",
    ],
    [
      "a detector that is none",
      () => ["field", smear, "--out", join(out, "x"), "--detector", join(smear, "text.jpg")],
      "detector/not-a-detector",
    ],
    [
      "a class that the model lacks",
      () => ["field", smear, "--out", join(out, "x"), "--normal=Round"],
      "field/no-normal-class",
    ],
    [
      "photographs smaller than a head",
      () => ["field", smear, "--out", join(out, "y"), "--head-length=900"],
      undefined,
    ],
  ] as const)("%s", async (_, args, code) => {
    const outcome = await androscope([...(await args()), "--json"]);
    if (code) return void failure(outcome, code);
    expect(outcome.status).toBe(1);
    const { problems } = JSON.parse(outcome.stdout);
    expect(problems.map((problem: { code: string }) => problem.code)).toContain("field/too-small");
  });
});

test("a detector is learned from a folder, told of by its file, and found with", async () => {
  const file = join(out, "own.detector");
  const { training, problems } = json(
    await androscope([
      "field",
      "learn",
      smear,
      "--out",
      file,
      "--head-length=48",
      "--threads=1",
      "--steps=80",
      "--json",
    ]),
  );
  expect(training.images).toBe(4);
  expect(problems.map(({ code }: { code: string }) => code).sort()).toEqual([
    "image/truncated",
    "image/unknown-format",
  ]);
  const { statistics } = json(await androscope(count(join(out, "own"), "--detector", file, "--no-overlays")));
  expect(statistics.counted + statistics.refused.total).toBeGreaterThan(8);
});
