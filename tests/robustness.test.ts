/** The command on a finished cross-validation of drawn crops, and what it refuses. */
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ALTERATION_NAMES } from "../src/evaluation/index.ts";
import { encodePng } from "../src/index.ts";
import { androscope, drawnCrop, json, TINY, temporary, write } from "./support.ts";

let folder = "";
let crops = "";
const run = (name = "run") => join(folder, name);

interface Row {
  name: string;
  kind: string;
  accuracy: number;
  changed: number;
  interval: { low: number; high: number };
}
interface Document {
  images: number;
  plain: { accuracy: number };
  rows: Row[];
  report?: string;
}

beforeAll(async () => {
  folder = await temporary();
  crops = join(folder, "crops");
  const files: Record<string, Uint8Array | string> = { "Round/broken.png": "no picture" };
  for (let i = 0; i < 6; i++) {
    files[`Round/${i}.png`] = await encodePng(drawnCrop(1.1, i));
    files[`Long/${i}.png`] = await encodePng(drawnCrop(2, i));
  }
  await write(crops, files);
  json(await androscope(["crossval", crops, "--k=2", "--out", run(), "--json", ...TINY]));
});

describe("robustness", () => {
  test("tests every alteration on images that each network never saw, and the report shows it", async () => {
    const before = await readFile(join(run(), "report.html"), "utf8");
    const found: Document = json(await androscope(["robustness", run(), crops, "--json"]));
    expect(found.images).toBe(12);
    expect(found.rows.map(({ name }) => name)).toEqual(ALTERATION_NAMES);
    const metrics = JSON.parse(await readFile(join(run(), "metrics.json"), "utf8"));
    expect(found.plain.accuracy).toBe(metrics.accuracy);
    for (const { accuracy, changed, interval } of found.rows) {
      expect(Number.isInteger(Math.round(accuracy * 12 * 1e9) / 1e9)).toBe(true);
      expect(changed).toBeGreaterThanOrEqual(Math.abs(accuracy - found.plain.accuracy) - 1e-9);
      expect(interval.low).toBeLessThanOrEqual(accuracy);
    }
    const after = await readFile(join(run(), "report.html"), "utf8");
    expect(before).not.toContain('id="robustness"');
    expect(after).toContain('<section id="robustness"><h2>Altered images');
    // Nothing else of it has changed, and it can be drawn again.
    const without = (html: string) =>
      html
        .replace(/<section id="robustness">.*?<\/section>\n?/s, "")
        .replace(/<li><a href="#robustness">[^<]*<\/a><\/li>/, "");
    expect(without(after)).toBe(before);
    await androscope(["report", run()]);
    expect(await readFile(join(run(), "report.html"), "utf8")).toBe(after);
    await androscope(["crossval", crops, "--k=2", "--out", run(), "--resume", ...TINY]);
    expect(await readFile(join(run(), "report.html"), "utf8")).toContain('<section id="robustness">');
    const saved = JSON.parse(await readFile(join(run(), "robustness.json"), "utf8"));
    expect(saved.rows).toEqual(found.rows);
  });

  test("some alterations alone, as a person reads it", async () => {
    const { stdout, status } = await androscope(["robustness", run(), crops, "--only=grey,background-only"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/As they are: [\d.]+ % of 12 images right/);
    expect(stdout).toMatch(/grey +[\d.]+ % right/);
    expect(stdout).not.toContain("blurred");
    expect(stdout).toContain("Research use only");
  });

  test.each([
    ["no run", ["nowhere"], "run/not-a-run", 1],
    ["an alteration that does not exist", ["run", "--only=upside-down"], "usage/bad-value", 2],
    ["no dataset", [], "usage/missing-argument", 2],
  ] as const)("%s: refused", async (_, args, code, status) => {
    const [name, ...rest] = args;
    const outcome = await androscope(["robustness", ...(name ? [run(name), crops] : [run()]), ...rest]);
    expect(outcome.stderr).toContain(`[${code}]`);
    expect(outcome.status).toBe(status);
  });

  test("other images than the run's are refused, a missing model too", async () => {
    const other = join(folder, "other");
    await cp(crops, other, { recursive: true });
    await rm(join(other, "Long/0.png"));
    const wrong = await androscope(["robustness", run(), other]);
    expect(wrong.stderr).toContain("[run/different]");
    await cp(run(), run("half"), { recursive: true });
    await rm(join(run("half"), "models", "fold-2.onnx"));
    const half = await androscope(["robustness", run("half"), crops]);
    expect(half.stderr).toContain("[run/not-a-run]");
  });
});
