/** The probe's layer against the same regression solved the other way in float64; its part in predictions and models. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { withLinearLayer } from "../autodiff/index.ts";
import { Random, silent } from "../runs/index.ts";
import type { ClassifierParts } from "./classifier.ts";
import { type Config, networkForInit, resolveConfig } from "./config.ts";
import { phantomSet, smallConfig } from "./fixtures.ts";
import { classify, train } from "./fold.ts";
import { headFeatures } from "./head-features.ts";
import { networkOfInit, readInit, requireInit } from "./imagenet.ts";
import { lastLayer, logProbabilities, withLastLayer } from "./last-layer.ts";
import { loadConfig } from "./load-config.ts";
import { exportModel, METADATA_KEY, Model, readMetadata } from "./model.ts";
import { cropOf, type PreparedSet } from "./prepare.ts";
import { fitLayer } from "./probe.ts";
import { Segmenter } from "./segmenter.ts";

const WEIGHTS = fileURLToPath(new URL("fixtures/mobilenet/", import.meta.url));

describe.each([
  ["fewer heads than features", 20],
  ["more", 45],
])("the layer, %s", (_, HEADS) => {
  const [WIDTH, CLASSES] = [30, 3];
  const [ridge, sharpness] = [0.2, 5];
  const random = Random.seeded(5).stream("probe");
  const draw = () => Float32Array.from({ length: WIDTH }, (_, f) => (f === 4 ? 2.5 : f + (f + 1) * random.normal()));
  const rows = Array.from({ length: HEADS }, draw);
  const labels = rows.map((row) => (row[0]! > 0.3 ? 2 : row[1]! > 1.5 ? 1 : 0));
  const targets = Float32Array.from(labels.flatMap((c) => [0, 1, 2].map((k) => (k === c ? 1 : 0))));

  /** The normal equations of the features by elimination in float64. */
  function expected(asked: Float32Array): number[] {
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const columns = Array.from({ length: WIDTH }, (_, f) => rows.map((row) => row[f]!));
    const centre = columns.map(mean);
    const deviation = columns.map((column, f) => Math.sqrt(mean(column.map((v) => (v - centre[f]!) ** 2))));
    const unit = deviation.map((d) => Math.max(d, 0.1 * mean(deviation)));
    const standard = (row: Float32Array) => [...row].map((v, f) => (v - centre[f]!) / unit[f]! / Math.sqrt(WIDTH));
    const x = rows.map(standard);
    const frequency = [0, 1, 2].map((k) => labels.filter((c) => c === k).length / HEADS);
    const system = Array.from({ length: WIDTH }, (_, i) => [
      ...Array.from({ length: WIDTH }, (_, j) => x.reduce((s, r) => s + r[i]! * r[j]!, i === j ? ridge : 0)),
      ...frequency.map((share, k) => x.reduce((s, r, h) => s + r[i]! * ((labels[h] === k ? 1 : 0) - share), 0)),
    ]);
    for (let i = 0; i < WIDTH; i++) {
      for (let j = 0; j < WIDTH; j++) {
        const factor = i === j ? 1 - 1 / system[i]![i]! : system[j]![i]! / system[i]![i]!;
        system[j] = system[j]!.map((value, c) => value - factor * system[i]![c]!);
      }
    }
    const asking = standard(asked);
    return frequency.map((share, k) => {
      const value = asking.reduce((s, v, f) => s + v * system[f]![WIDTH + k]!, share);
      return sharpness * value;
    });
  }

  test("says what the regression says, of heads it learned from and of others", async () => {
    const features = Float32Array.from(rows.flatMap((row) => [...row]));
    const layer = await fitLayer({ heads: HEADS, features, targets }, { ridge, sharpness }, { threads: 1 });
    for (const row of [rows[0]!, rows[7]!, draw(), draw()]) {
      const wanted = expected(row);
      for (const [k, value] of wanted.entries()) {
        const said = row.reduce((sum, v, f) => sum + v * layer.weight[f * CLASSES + k]!, layer.bias[k]!);
        expect(Math.abs(said - value)).toBeLessThan(2e-3);
      }
    }
  });
});

describe.each([["probe"], ["wavelets"]] as const)("in a trained model, tune.%s", (kind) => {
  let set: PreparedSet;
  let config: Config;
  let parts: ClassifierParts;
  const members = Array.from({ length: 15 }, (_, i) => i);

  beforeAll(async () => {
    set = await phantomSet(18);
    const probe = { network: await networkOfInit(WEIGHTS), viewSize: 48 };
    config = smallConfig({ tune: kind === "probe" ? { probe } : { wavelets: { viewSize: 48 } } });
    const init = kind === "probe" ? (await readInit(WEIGHTS, networkForInit(config))).weights : undefined;
    const common = { set, train: members, seed: 1, name: "x", threads: 1, progress: silent };
    ({ parts } = await train({ ...common, config, init }));
  }, 60_000);

  const withShare = async (share: number) => {
    const { tune } = config;
    const shared = { ...config, tune: { ...tune, [kind]: { ...tune[kind]!, share } } };
    return (await classify(set, [15, 16, 17], { ...parts, config: shared }, { threads: 1 })).map(
      (s) => s.probabilities,
    );
  };

  test("probabilities are the weighed mean of both", async () => {
    const [none, half, all, quarter] = [
      await withShare(0),
      await withShare(0.5),
      await withShare(1),
      await withShare(0.25),
    ];
    const { probe: _, ...alone } = parts;
    const without = await classify(set, [15, 16, 17], alone, { threads: 1 });
    for (const [i, row] of none.entries()) {
      expect(all[i]!.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
      for (const [k, p] of row.entries()) {
        expect(without[i]!.probabilities[k]).toBeCloseTo(p, 6);
        expect(half[i]![k]).toBeCloseTo((p + all[i]![k]!) / 2, 6);
        expect(quarter[i]![k]).toBeCloseTo(0.75 * p + 0.25 * all[i]![k]!, 6);
      }
    }
    expect(Math.abs(all[0]![0]! - none[0]![0]!)).toBeGreaterThan(1e-3);
  });

  test("a crop is seen as it was when the layer was fitted", async () => {
    const { geometry, distilled, probe } = parts;
    const session = { threads: 1 };
    const segmenter = await Segmenter.create(distilled, geometry, config.network, set.side, session);
    const heads = new Map();
    for await (const { index, head } of segmenter.each(set, [15, 16, 17])) heads.set(index, head);
    segmenter.dispose();
    const features = await headFeatures({ set, heads, geometry }, [15, 16, 17], probe!.source, config, session);
    const { weight, bias } = probe!.layer;
    const [width, classes] = [weight.length / bias.length, bias.length];
    const seen = await withShare(1);
    for (const [i, row] of seen.entries()) {
      const logits = [...bias].map((b, k) =>
        Array.from({ length: width }, (_, f) => features[i * width + f]! * weight[f * classes + k]!).reduce(
          (s, v) => s + v,
          b,
        ),
      );
      const total = logits.reduce((sum, v) => sum + Math.exp(v), 0);
      // There the mask was kept in bytes, and one of a few steps of training is undecided about many pixels.
      for (const [k, p] of row.entries()) expect(Math.abs(Math.exp(logits[k]!) / total - p)).toBeLessThan(0.02);
    }
    expect(Math.max(...seen[0]!.map((p, k) => Math.abs(p - seen[1]![k]!)))).toBeGreaterThan(0.1);
  });

  const exported = (of: ClassifierParts) => {
    const training = { dataset: "phantom", hash: "", images: 15, seed: 1, licence: "", transductive: false };
    return exportModel(of, { program: "test", classes: set.classes, training });
  };
  const predictions = async (bytes: Uint8Array) => {
    const model = await Model.from(bytes, "here", { threads: 1 });
    const seen = await model.predict([15, 16, 17].map((i) => cropOf(set, i)));
    model.dispose();
    return seen;
  };

  test("the model file has it and says so", async () => {
    const bytes = await exported(parts);
    expect(readMetadata(bytes, "here").probe).toEqual({ share: 0.5 });
    const [found] = await predictions(bytes);
    const [wanted] = await withShare(0.5);
    for (const [k, p] of wanted!.entries()) expect(found!.probabilities[k]).toBeCloseTo(p, 4);
  });

  test("both have one last layer, which can be learned again; all else stays to the bit", async () => {
    // With one view its average is what the layer saw.
    const tune = { ...config.tune, testViews: { mirror: false, rotations: [0] } };
    const bytes = await exported({ ...parts, config: { ...config, tune }, temperature: 1.3 });
    const before = await predictions(bytes);
    const { layer } = lastLayer(bytes, "here");
    expect(layer.share).toBe(0.5);
    const other = {
      ...layer,
      weight: layer.weight.map((weight, i) => weight * (1 + 0.2 * Math.sin(i)) + 0.01 * Math.cos(i)),
      bias: layer.bias.map((bias, k) => bias + 0.3 * k),
    };
    const after = await predictions(
      await withLastLayer(bytes, "here", other, { program: "test", heads: 15, strength: 1 }),
    );
    for (const [i, { features, probabilities, mask, axis }] of before.entries()) {
      for (const [k, p] of probabilities.entries()) {
        expect(Math.exp(logProbabilities(layer, features, 1.3)[k]!)).toBeCloseTo(p, 4);
        expect(Math.exp(logProbabilities(other, features, 1.3)[k]!)).toBeCloseTo(after[i]!.probabilities[k]!, 4);
      }
      expect(after[i]!.probabilities).not.toEqual(probabilities);
      expect({ features, mask, axis }).toEqual({
        ...{ features: after[i]!.features, mask: after[i]!.mask, axis: after[i]!.axis },
      });
    }
  });

  test("a file of an earlier program, where the probe was not behind the last layer, says so", async () => {
    const { probe: _, ...alone } = parts;
    const bytes = await exported(alone);
    const { layer, metadata } = lastLayer(bytes, "here");
    const text = JSON.stringify({ ...metadata, probe: { share: 0.5 } });
    expect(() => lastLayer(withLinearLayer(bytes, layer, { [METADATA_KEY]: text }), "here")).toThrow(
      expect.objectContaining({ code: "model/not-adaptable" }),
    );
  });
});

test("wavelets that learned heads out of focus, too, change their opinion less when they are", async () => {
  const set = await phantomSet(30);
  const [members, others] = [set.ids.map((_, i) => i).slice(0, 24), [24, 25, 26, 27, 28, 29]];
  const session = { threads: 1 };
  const changes = async (blur: number[]) => {
    const config = smallConfig({ tune: { steps: 1, wavelets: { blur } } });
    const { parts } = await train({ set, config, train: members, seed: 1, name: "x", threads: 1, progress: silent });
    const { geometry, distilled, probe } = parts;
    const segmenter = await Segmenter.create(distilled, geometry, config.network, set.side, session);
    const heads = new Map();
    for await (const { index, head } of segmenter.each(set, others)) heads.set(index, head);
    segmenter.dispose();
    const opinions = async (deviation?: number) => {
      const source = { viewSize: 64, deviation };
      const features = await headFeatures({ set, heads, geometry }, others, source, config, session);
      const width = features.length / others.length;
      return others.map((_, i) =>
        logProbabilities(probe!.layer, features.subarray(i * width, (i + 1) * width), 1).map(Math.exp),
      );
    };
    const [sharp, soft] = [await opinions(), await opinions(1.5)];
    return sharp.flat().reduce((sum, p, i) => sum + Math.abs(p - soft.flat()[i]!), 0) / others.length;
  };
  const [without, once] = [await changes([]), await changes([1, 2])];
  expect(once).toBeLessThan(0.7 * without);
});

describe("the configuration", () => {
  const network = { widths: [16, 32, 64, 128], blocks: [1, 2, 2, 6], backbone: "mobilenet" } as const;

  test("the weights say the probe's network, and nobody else's", async () => {
    const config = await loadConfig(undefined, ["tune.probe={}"], {
      ...network,
      widths: [16, 32, 64, 128],
      blocks: [1, 2, 2, 6],
    });
    expect(config.network.backbone).toBeUndefined();
    expect(networkForInit(config)).toEqual({ ...network, viewSize: 128 });
  });

  test("on wavelets needs no weights", () => {
    requireInit(resolveConfig({ tune: { wavelets: {} } }), undefined);
  });

  test("needs weights, an upright head, and a stage 2 that does not start from them", () => {
    const probe = { network };
    expect(() => requireInit(resolveConfig({ tune: { probe } }), undefined)).toThrow("tune.probe");
    expect(() => resolveConfig({ tune: { probe, pose: false } })).toThrow("tune.pose");
    expect(() => resolveConfig({ tune: { wavelets: {}, pose: false } })).toThrow("tune.pose");
    expect(() => resolveConfig({ tune: { probe, wavelets: {} } })).toThrow("tune.wavelets");
    expect(() => resolveConfig({ tune: { probe, initialise: "imagenet" } })).toThrow("tune.initialise");
    expect(() => resolveConfig({ tune: { probe: {} } })).toThrow("tune.probe.network, found none; --init");
  });
});
