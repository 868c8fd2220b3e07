import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { defaultConfig, loadConfig, resolveConfig } from "./config.ts";

/** Every leaf of the configuration as [key, default]. */
function leaves(node: object, above = ""): [string, unknown][] {
  return Object.entries(node).flatMap(([key, value]) => {
    const path = above ? `${above}.${key}` : key;
    return value !== null && typeof value === "object" && !Array.isArray(value) ? leaves(value, path) : [[path, value]];
  });
}

test("docs/method.md lists every key with its default, and no other", async () => {
  const text = await readFile(new URL("../../docs/method.md", import.meta.url), "utf8");
  const listed = [...text.matchAll(/^\| `([\w.]+)` \| `(.+?)` \|/gm)].map(([, key, value]) => [key, value]);
  expect(listed).toEqual(leaves(defaultConfig).map(([key, value]) => [key, JSON.stringify(value)]));
});

test("unknown keys and bad values are refused by name", async () => {
  expect(() => resolveConfig({ tune: { step: 3 } })).toThrow(expect.objectContaining({ code: "config/unknown-key" }));
  expect(() => resolveConfig({ tune: { steps: 0 } })).toThrow(expect.objectContaining({ code: "config/bad-value" }));
  await expect(loadConfig(undefined, ["tune.stepz=3"])).rejects.toThrow("tune.stepz");
  await expect(loadConfig(undefined, ["tune.steps"])).rejects.toMatchObject({ code: "usage/bad-value" });
});

test("later settings win and everything else keeps its default", async () => {
  const config = await loadConfig(undefined, ["tune.steps=5", "tune.steps=7", "tune.pooling=mask"]);
  expect(config).toEqual({ ...defaultConfig, tune: { ...defaultConfig.tune, steps: 7, pooling: "mask" } });
});
