/**
 * The encoder that starts from ImageNet against PyTorch's float64 from the same files:
 * scripts/mobilenet-reference.py wrote the narrow network and what comes out of both. And what is wrong with files.
 */
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { InferenceRunner, input, Scope } from "../autodiff/index.ts";
import { Random } from "../runs/index.ts";
import { type Config, resolveConfig } from "./config.ts";
import { type EncoderInit, networkOfInit, readInit, requireInit } from "./imagenet.ts";
import { encode } from "./network.ts";

const FIXTURES = fileURLToPath(new URL("fixtures/mobilenet/", import.meta.url));

async function stored<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(FIXTURES, name), "utf8"));
}

async function networkIn(folder: string, viewSize: number): Promise<Config["network"]> {
  return resolveConfig({ network: { ...(await networkOfInit(folder)), viewSize } }).network;
}

/** The maps of a drawn image whose colours were normalised as those of a training are; folded as in prediction, or not. */
async function mapsOf(network: Config["network"], { weights }: EncoderInit, mode: "frozen" | "eval") {
  const side = network.viewSize;
  const colours = { colourMean: [0.62, 0.5, 0.71], colourDeviation: 0.17 } as const;
  const draw = Random.seeded(11).stream("image");
  const view = Float32Array.from(
    { length: side * side * 3 },
    (_, i) => (Math.floor(256 * draw.uniform()) / 255 - colours.colourMean[i % 3]!) / colours.colourDeviation,
  );
  const scope = mode === "frozen" ? Scope.frozenWith(weights) : new Scope("eval");
  const maps = encode(scope.sub("encoder"), input("view", [1, side, side, 3]), network, colours);
  const runner = await InferenceRunner.create(Object.fromEntries(maps.map((map, i) => [`map${i}`, map])), {
    threads: 1,
  });
  const given = mode === "frozen" ? [] : [...weights].map(([name, { data }]) => [slotOf(name), data]);
  const out = await runner.run({ view, ...Object.fromEntries(given) });
  runner.dispose();
  return maps.map(({ shape }, i) => ({ shape, data: out[`map${i}`]!.data as Float32Array }));
}

const slotOf = (name: string) => `${/mean$|variance$/.test(name) ? "buffer" : "param"}/${name}`;

describe("features as PyTorch has them", () => {
  test.each(["frozen", "eval"] as const)("of a narrow network with random weights, %s", async (mode) => {
    const { side, widths, maps } = await stored<{ side: number; widths: number[]; maps: number[][] }>("features.json");
    const network = await networkIn(FIXTURES, side);
    expect(network).toMatchObject({ backbone: "mobilenet", widths, blocks: [1, 2, 2, 6] });
    const found = await mapsOf(network, await readInit(FIXTURES, network), mode);
    expect(found.map(({ shape }) => shape.slice(1))).toEqual(
      widths.map((c, i) => [side >> (i + 1), side >> (i + 1), c]),
    );
    // Values lie between 0 and 6; what each layer rounds the next ones magnify.
    for (const [i, { data }] of found.entries()) expect(largestGap(data, maps[i]!), `map ${i}`).toBeLessThan(2e-4);
  });

  const weights =
    process.env.ANDROSCOPE_DATA && join(process.env.ANDROSCOPE_DATA, "../weights/mobilenet_v1_0.25_224_tfjs");
  test.skipIf(!weights || !existsSync(weights))(
    "of Google's weights (needs ANDROSCOPE_DATA, and weights beside it)",
    async () => {
      interface Probe {
        shape: number[];
        sum: number;
        at: number[];
        values: number[];
      }
      const { side, maps } = await stored<{ side: number; maps: Probe[] }>("imagenet.json");
      const network = await networkIn(weights!, side);
      expect(network.widths).toEqual([16, 32, 64, 128]);
      const found = await mapsOf(network, await readInit(weights!, network), "frozen");
      for (const [i, { shape, sum, at, values }] of maps.entries()) {
        const { data } = found[i]!;
        expect(found[i]!.shape.slice(1)).toEqual(shape);
        expect(
          largestGap(
            at.map((k) => data[k]!),
            values,
          ),
          `map ${i}`,
        ).toBeLessThan(2e-4);
        expect(data.reduce((total, value) => total + value, 0) / sum, `map ${i}`).toBeCloseTo(1, 5);
      }
    },
  );
});

function largestGap(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return Math.max(...expected.map((value, k) => Math.abs(value - found[k]!)));
}

describe("weights that cannot be used", () => {
  /** A copy of the narrow network's files. */
  async function copied(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "androscope-weights-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(FIXTURES, folder, { recursive: true });
    return folder;
  }
  type Manifest = {
    weightsManifest: { paths: string[]; weights: { name: string; shape: number[]; dtype: string }[] }[];
  };
  async function changed(change: (manifest: Manifest) => unknown): Promise<string> {
    const folder = await copied();
    const manifest = await stored<Manifest>("model.json");
    change(manifest);
    await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
    return folder;
  }
  const read = async (folder: string) => readInit(folder, await networkIn(FIXTURES, 32));

  test("a file that is missing, cut short, or no manifest", async () => {
    const folder = await copied();
    await truncate(join(folder, "group2-shard1of1"), 4000);
    await expect(read(folder)).rejects.toMatchObject({ code: "weights/truncated", found: "4000" });
    await rm(join(folder, "group2-shard1of1"));
    await expect(read(folder)).rejects.toMatchObject({ code: "file/not-found" });
    await writeFile(join(folder, "model.json"), "{");
    await expect(read(folder)).rejects.toMatchObject({ code: "weights/unreadable" });
    await writeFile(join(folder, "model.json"), "[]");
    await expect(read(folder)).rejects.toMatchObject({ code: "weights/unreadable" });
    await rm(join(folder, "model.json"));
    await expect(read(folder)).rejects.toMatchObject({ code: "file/not-found" });
  });

  test("numbers of another kind, or none", async () => {
    const other = await changed(({ weightsManifest: [group] }) => (group!.weights[0]!.dtype = "int32"));
    await expect(read(other)).rejects.toMatchObject({ code: "weights/unreadable" });
    const quantised = await changed(({ weightsManifest: [group] }) =>
      Object.assign(group!.weights[3]!, { quantization: { dtype: "uint8", scale: 1, min: 0 } }),
    );
    await expect(read(quantised)).rejects.toMatchObject({ code: "weights/unreadable" });
    const folder = await copied();
    const file = join(folder, "group2-shard1of1");
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(0xff, 0, 4));
    await expect(read(folder)).rejects.toMatchObject({ code: "weights/unreadable" });
  });

  test("files beyond the folder are not read", async () => {
    for (const path of ["../model.json", "/etc/hostname", "..", "a\\b"]) {
      const folder = await changed(({ weightsManifest }) => (weightsManifest[1]!.paths = [path]));
      await expect(read(folder)).rejects.toMatchObject({ code: "weights/unreadable" });
    }
  });

  test("weights of another network", async () => {
    const nameless = await changed(({ weightsManifest: [group] }) => (group!.weights[0]!.name = "other/kernel"));
    await expect(read(nameless)).rejects.toMatchObject({ code: "weights/mismatch" });
    await expect(networkOfInit(await changed((manifest) => (manifest.weightsManifest = [])))).rejects.toMatchObject({
      code: "weights/mismatch",
    });
    const network = await networkIn(FIXTURES, 32);
    const wide = { ...network, widths: [16, 32, 64, 128] as Config["network"]["widths"] };
    await expect(readInit(FIXTURES, wide)).rejects.toMatchObject({ code: "weights/mismatch" });
    await expect(readInit(FIXTURES, { ...network, backbone: undefined })).rejects.toMatchObject({
      code: "weights/mismatch",
    });
  });

  test("none where the configuration asks for some", () => {
    const config = resolveConfig({ tune: { initialise: "imagenet" } });
    expect(() => requireInit(config, undefined)).toThrow(expect.objectContaining({ code: "weights/required" }));
    expect(() => requireInit(resolveConfig({}), undefined)).not.toThrow();
  });
});
