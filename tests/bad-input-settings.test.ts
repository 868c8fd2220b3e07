/** Settings and model files that are not what they should be. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type ErrorCode, loadConfig, Model } from "../src/index.ts";
import { androscope, failure, temporary, tinyModel, twoClasses, write } from "./support.ts";

let root = "";
let out = "";
let model = "";
beforeAll(async () => {
  [root, out, model] = [await twoClasses(2), await temporary(), await tinyModel()];
});

const train = (...options: string[]) => androscope(["train", root, "--out", join(out, "no"), "--json", ...options]);

describe("settings", () => {
  test.each<[string, ErrorCode, string]>([
    ["tune.stepz=3", "config/unknown-key", "tune.stepz"],
    ["colors=absolute", "config/unknown-key", "colors"],
    ["tune.steps.many=3", "config/bad-value", "expected number"],
    ["tune.steps=0", "config/bad-value", ">=1"],
    ["tune.steps=many", "config/bad-value", "expected number"],
    ["distill.augmentation.zoom=[2,1]", "config/bad-value", "exceed"],
    ["tune=5", "config/bad-value", "expected object"],
    ["tune.steps", "usage/bad-value", "tune.steps"],
    ["=3", "usage/bad-value", "=3"],
    ["__proto__.polluted=1", "config/unknown-key", "__proto__.polluted"],
    ["__proto__=1", "config/unknown-key", "__proto__"],
    ["tune.__proto__.polluted=1", "config/unknown-key", "tune.__proto__.polluted"],
    ['tune={"__proto__":{"polluted":1}}', "config/unknown-key", "__proto__"],
    ["constructor.prototype.polluted=1", "config/unknown-key", "constructor"],
    ["toString.call.polluted=1", "config/unknown-key", "toString"],
  ])("--set %s is refused", async (setting, code, found) => {
    // In this process, where a polluted prototype would show.
    const refusal = { code, found: expect.stringContaining(found) };
    await expect(loadConfig(undefined, [setting])).rejects.toMatchObject(refusal);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect((Object as { polluted?: unknown }).polluted).toBeUndefined();
    expect((Function.prototype.call as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("the commands refuse them too, before they make a folder", async () => {
    failure(await train("--set=__proto__.polluted=1"), "config/unknown-key");
    failure(await train("--set=constructor.prototype.polluted=1"), "config/unknown-key");
    const args = ["crossval", root, "--k=2", "--set=tune.stepz=3", "--out", join(out, "no"), "--json"];
    failure(await androscope(args), "config/unknown-key");
    expect(existsSync(join(out, "no"))).toBe(false);
  });

  test("a configuration file with an unknown key, of another kind, or missing", async () => {
    const files: Record<string, [string, ErrorCode, string]> = {
      "unknown.json": ['{"tune": {"stepz": 3}}', "config/unknown-key", "tune.stepz"],
      "proto.json": ['{"tune": {"__proto__": {"polluted": 1}}}', "config/unknown-key", "__proto__"],
      "wrong.json": ['{"tune": {"steps": "3"}}', "config/bad-value", "expected number"],
      "list.json": ["[1]", "config/unreadable", "else"],
      "null.json": ["null", "config/unreadable", "else"],
      "text.json": ["tune.steps = 3", "config/unreadable", "JSON"],
    };
    for (const [name, [content, code, found]] of Object.entries(files)) {
      await write(out, { [name]: content });
      const refusal = { code, where: join(out, name), found: expect.stringContaining(found) };
      await expect(loadConfig(join(out, name))).rejects.toMatchObject(refusal);
    }
    failure(await train("--config", join(out, "unknown.json")), "config/unknown-key");
    failure(await train("--config", join(out, "nowhere.json")), "file/not-found");
    expect(failure(await train("--config", root), "file/unreadable").found).toContain("a folder");
  });

  test("numbers out of range", async () => {
    for (const option of ["--seed=-1", "--seed=1.5", "--threads=0", "--agreement=maybe"]) {
      failure(await train(option), "usage/bad-value");
    }
    for (const value of ["0", "Infinity", "wide"]) {
      const args = ["masks", root, "--out", join(out, "m"), `--um-per-px=${value}`, "--json"];
      failure(await androscope(args), "usage/bad-value");
    }
  });
});

describe("model files", () => {
  const predict = (path: string) => androscope(["predict", "--model", path, root, "--json"]);

  /** A copy of the good model with some of its bytes changed. */
  async function changed(name: string, change: (bytes: Buffer) => Uint8Array): Promise<string> {
    const path = join(out, name);
    await writeFile(path, change(Buffer.from(await readFile(model))));
    return path;
  }

  /** Replaces text of the description by text of the same length: lengths stand before it. */
  const replaced = (bytes: Buffer, from: string, to: string) => {
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    expect(to).toHaveLength(from.length);
    bytes.write(to, at, "latin1");
    return bytes;
  };

  const refused = (path: string, code: ErrorCode, found = "") =>
    expect(Model.load(path, { threads: 1 })).rejects.toMatchObject({
      code,
      where: path,
      found: expect.stringContaining(found),
    });

  test("not a model, an empty file, a folder, nothing", async () => {
    for (const content of ["no model", "", "\x08\x07", new Uint8Array(1000).fill(255)]) {
      await writeFile(join(out, "text.onnx"), content);
      await refused(join(out, "text.onnx"), "model/not-a-model");
    }
    failure(await predict(join(root, "Round/0.png")), "model/not-a-model");
    failure(await predict(root), "file/unreadable");
    failure(await predict(join(out, "nowhere.onnx")), "file/not-found");
  });

  test("truncated anywhere", async () => {
    for (const share of [0.01, 0.1, 0.5, 0.9, 0.999]) {
      const path = await changed("cut.onnx", (bytes) => bytes.subarray(0, Math.floor(bytes.length * share)));
      await refused(path, "model/not-a-model");
    }
    failure(await predict(join(out, "cut.onnx")), "model/not-a-model");
  });

  test("of a newer version, with a damaged description, or of another program", async () => {
    const newer = await changed("newer.onnx", (bytes) => replaced(bytes, '"format":1', '"format":9'));
    expect(failure(await predict(newer), "model/newer").found).toBe("format 9");
    const damaged = await changed("damaged.onnx", (bytes) => replaced(bytes, '{"format":1', '{"format";1'));
    await refused(damaged, "model/not-a-model", "damaged description");
    const missing = await changed("missing.onnx", (bytes) => replaced(bytes, '"viewSize"', '"sizeView"'));
    await refused(missing, "model/not-a-model", "viewSize");
    const absurd = await changed("absurd.onnx", (bytes) => replaced(bytes, ':40,"height":40,', ':4e9,"height":4,'));
    await refused(absurd, "model/not-a-model");
    const renamed = await changed("renamed.onnx", (bytes) => {
      // Every mention: as the output of its node and of the graph.
      for (let at = bytes.indexOf("agreement"); at >= 0; at = bytes.indexOf("agreement", at + 1)) bytes.write("x", at);
      return bytes;
    });
    await refused(renamed, "model/not-a-model");
  });

  test("the same for a model that androscope report is given", async () => {
    failure(await androscope(["report", root, "--json"]), "run/not-a-run");
    failure(await androscope(["report", model, "--json"]), "run/not-a-run");
  });
});
