import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { defaultConfig, resolveConfig, tunedNetwork } from "./config.ts";
import { loadConfig } from "./load-config.ts";

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

test("an encoder of stage 2's own cannot start from stage 1's, and stage 1 keeps its network where weights are given", async () => {
  const own = { widths: [8, 8, 8, 8], blocks: [1, 1, 1, 1] };
  expect(() => resolveConfig({ tune: { network: own } })).toThrow("tune.initialise");
  const settings = [`tune.network=${JSON.stringify(own)}`, "tune.initialise=imagenet"];
  const config = await loadConfig(undefined, settings, { widths: [16, 32, 64, 128] });
  expect(config.network).toEqual(defaultConfig.network);
  expect(tunedNetwork(config)).toEqual({ ...own, viewSize: defaultConfig.network.viewSize });
  const closer = resolveConfig({ tune: { viewSize: 96 } });
  expect(tunedNetwork(closer)).toEqual({ ...defaultConfig.network, viewSize: 96 });
});

test("no channel is a map that stage 1 does not learn", () => {
  for (const [map, task] of [
    ["distance", "distance"],
    ["acrosome", "parts"],
  ] as const) {
    const config = (weight: number) => ({ distill: { tasks: { [task]: weight } }, tune: { shapeMaps: [map] } });
    expect(() => resolveConfig(config(0))).toThrow("tune.shapeMaps");
    expect(resolveConfig(config(0.1)).tune.shapeMaps).toEqual([map]);
  }
});

test("later settings win and everything else keeps its default", async () => {
  const config = await loadConfig(undefined, ["tune.steps=5", "tune.steps=7", "tune.pooling=mask"]);
  expect(config).toEqual({ ...defaultConfig, tune: { ...defaultConfig.tune, steps: 7, pooling: "mask" } });
});

test("wavelets stand beside the network unless they are refused, heads are not turned, or another probe is there", () => {
  const wavelets = (tune: object) => resolveConfig({ tune }).tune.wavelets;
  const usual = defaultConfig.tune.wavelets!;
  expect(wavelets({ steps: 7 })).toEqual(usual);
  expect(wavelets({ wavelets: { ridge: 1 } })).toEqual({ ...usual, ridge: 1 });
  const network = { widths: [8, 8, 8, 8], blocks: [1, 1, 1, 1] };
  for (const without of [{ wavelets: null }, { pose: false }, { probe: { network } }]) {
    expect(wavelets(without)).toBe(null);
    // What a run records is complete: read again, it is the same.
    const config = resolveConfig({ tune: without });
    expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  }
});
