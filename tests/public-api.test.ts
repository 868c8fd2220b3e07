/** The public API: its list of exports, and the examples of its documentation, run as a program that depends on it. */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as autodiff from "../src/autodiff/index.ts";
import * as androscope from "../src/index.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

test("the exports of androscope", () => {
  expect(Object.keys(androscope).sort().join(" ")).toBe(
    [
      "ACCEPTED_RELIABILITY Analyser AndroscopeError BUNDLED_DETECTOR BUNDLED_MODEL ERROR_CODES MODEL_FORMAT MODEL_OUTPUTS Model PARTS PHANTOM_CLASSES",
      "PUBLIC_SETS Random adaptLastLayer compareModels computeMetrics configSchema contrast countSample crossValidate decodeImage defaultConfig",
      "describeDataset drawFolds encodeMaskPng encodePng estimateFrom frameToCrop generatePhantom generatePhantoms",
      "importPublicSet intersectionOverUnion isAndroscopeError lastLayer learnFields licenceOf loadConfig mcnemar morphometry",
      "openDataset outlines parts phantomDataset phantomField pose predictFiles pseudoMask publishedFolds readImage resolveConfig silent",
      "terminalProgress train vacuoles version wilson withLastLayer writeDetector writePhantomDataset",
    ].join(" "),
  );
});

test("androscope/autodiff has what its users and its example need", () => {
  // Operators come and go with the method; the way from a graph to a trained and exported network stays.
  const kept = ["compile", "grad", "InferenceRunner", "input", "readModel", "Scope", "TrainingSession", "trainingStep"];
  expect(Object.keys(autodiff)).toEqual(expect.arrayContaining(kept));
});

test("the package has these two entry points and no other", async () => {
  const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  expect(exports).toEqual({ ".": "./src/index.ts", "./autodiff": "./src/autodiff/index.ts" });
});

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "androscope-api-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(ROOT, join(folder, "node_modules/androscope"), "dir");
  await androscope.writePhantomDataset(join(folder, "crops"), { count: 10, seed: 1 }, androscope.silent);
  await copyFile(join(folder, "crops/images/Normal/phantom_0000.png"), join(folder, "new.png"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The ts blocks of a file's doc comments, or of a Markdown file. */
async function examples(path: string): Promise<string[]> {
  const text = await readFile(join(ROOT, path), "utf8");
  return [...text.matchAll(/^( \* )?```ts\n([\s\S]*?)^(?: \* )?```$/gm)].map((match) =>
    match[1] ? match[2]!.replaceAll(/^ \* ?/gm, "") : match[2]!,
  );
}

test.each([
  ["src/index.ts", 7],
  ["src/autodiff/index.ts", 1],
  ["README.md", 1],
])(
  "the examples of %s run",
  async (path, count) => {
    const found = await examples(path);
    expect(found).toHaveLength(count);
    for (const [i, code] of found.entries()) {
      expect(code).toMatch(/from "androscope(\/autodiff)?"/);
      const file = join(folder, `${path.replaceAll("/", "-")}-${i}.ts`);
      // Whether they run does not depend on how long they train, nor on the size of the network.
      const tiny = "network: { widths: [8, 8, 8, 8], viewSize: 32 }, distill: { steps: 1 }, tune: { steps: 1 }";
      await writeFile(
        file,
        code
          .replace(/const config = \{ .* \};/, `const config = { ${tiny} };`)
          .replace("train({ dataset:", `train({ config: { ${tiny} }, dataset:`)
          .replaceAll('"runs/', `"runs ${path.replaceAll("/", " ")}/`),
      );
      const { status, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
      expect(status, `${code}\n${stderr}`).toBe(0);
    }
  },
  600_000,
);
