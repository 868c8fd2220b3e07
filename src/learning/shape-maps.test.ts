/** The channels that stage 1 adds to stage 2's input: their values, that a network learns by them, and that the model has them. */
import { expect, test } from "vitest";
import { InferenceRunner, input } from "../autodiff/index.ts";
import { Random, silent } from "../runs/index.ts";
import { configSchema } from "./config.ts";
import { phantomSet, posedSet, smallConfig } from "./fixtures.ts";
import { classify, train } from "./fold.ts";
import { Segmenter } from "./segmenter.ts";
import { shapePlane } from "./shape-maps.ts";
import { tune, tuneFeeds } from "./tune.ts";

test("distances are cut one radius outside, the boundary is one half, and parts are as they are", async () => {
  const maps = { distance: input("signed", [1, 2, 3, 1]), acrosome: input("part", [1, 2, 3, 1]) };
  const planes = { distance: shapePlane(maps, "distance"), acrosome: shapePlane(maps, "acrosome") };
  const runner = await InferenceRunner.create(planes, { threads: 1 });
  const out = await runner.run({
    signed: Float32Array.of(-7, -1, -0.5, 0, 0.5, 1),
    part: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 0.125),
  });
  runner.dispose();
  expect(out.distance!.dims).toEqual([1, 1, 2, 3]);
  expect([...(out.distance!.data as Float32Array)]).toEqual([0, 0, 0.25, 0.5, 0.75, 1]);
  expect([...(out.acrosome!.data as Float32Array)]).toEqual([0, 0.25, 0.5, 0.75, 1, 0.125]);
});

test("stage 2 learns from them what nothing else tells", async () => {
  const set = await phantomSet(24, 2);
  // Crops without anything in them, and labels that only the second map knows.
  set.pixels.fill(128);
  const labels = set.labels.map((_, i) => i % 2);
  const accuracyWith = async (settings: object) => {
    const config = smallConfig({ tune: { steps: 60, learningRate: 1e-2, initialise: "scratch", ...settings } });
    const posed = posedSet({ ...set, labels }, config);
    const heads = new Map(
      [...posed.heads].map(([i, head]) => {
        const none = new Uint8Array(head.frameMask.length);
        const acrosome = labels[i] ? head.frameMask : none;
        return [i, { ...head, frameMask: none.map(() => 200), shapeMaps: { distance: none, acrosome } }];
      }),
    );
    const members = [...set.ids.keys()];
    const task = { members, distilled: new Map(), config, random: Random.seeded(2), threads: 1 };
    const { curve } = await tune({ ...task, posed: { ...posed, heads } });
    return curve.at(-1)!.values.accuracy!;
  };
  expect(await accuracyWith({ shapeMaps: ["distance", "acrosome"] })).toBeGreaterThan(0.95);
  expect(await accuracyWith({ shapeMaps: ["distance"] })).toBeLessThan(0.8);
});

test("the segmenter keeps both for stage 2, and the model reads them", async () => {
  const set = await phantomSet(12);
  const config = smallConfig({
    distill: { steps: 60 },
    tune: { shapeMaps: ["distance", "acrosome"], pooling: "average", wavelets: null },
  });
  const members = [...set.ids.keys()];
  const { parts } = await train({ set, train: members, config, seed: 1, name: "all", threads: 1, progress: silent });

  const segmenter = await Segmenter.create(parts.distilled, parts.geometry, config.network, set.side, { threads: 1 });
  for await (const { head } of segmenter.each(set, members)) {
    // Where the mask is sure, it is deeper than where there is none.
    const mean = (inside: boolean) => {
      const values = head.shapeMaps.distance.filter((_, i) =>
        inside ? head.frameMask[i]! > 200 : head.frameMask[i]! < 50,
      );
      return values.reduce((a, b) => a + b, 0) / values.length;
    };
    expect(mean(true)).toBeGreaterThan(mean(false) + 40);
    expect(head.shapeMaps.acrosome.every((p, i) => p <= head.frameMask[i]!)).toBe(true);
  }
  segmenter.dispose();

  // Without its own first layer the encoder knows the maps alone. Where it pools, the mask has no say.
  const spread = async (silenced: RegExp) => {
    const tuned = new Map(
      [...parts.tuned].map(([name, { shape, data }]) => [
        name,
        { shape, data: silenced.test(name) ? data.map(() => 0) : data },
      ]),
    );
    const answers = (await classify(set, members, { ...parts, tuned }, { threads: 1 })).map((a) => a.probabilities[0]!);
    return Math.max(...answers) - Math.min(...answers);
  };
  expect(await spread(/encoder\/stem\/.*(weight|scale|shift)$/)).toBeGreaterThan(1e-3);
  expect(await spread(/encoder\/(stem|shape)\/.*(weight|scale|shift)$/)).toBeLessThan(1e-6);
});

test("a channel is the map of its place in the list, in training as in the model", async () => {
  const set = await phantomSet(6);
  const given = (shapeMaps: string[]) => smallConfig({ distill: { steps: 30 }, tune: { shapeMaps, wavelets: null } });
  const [config, swapped] = [given(["distance", "acrosome"]), given(["acrosome", "distance"])];
  const members = [...set.ids.keys()];

  // In training: the mask, then the maps as they are named.
  const posed = posedSet(set, config);
  const area = config.network.viewSize ** 2;
  const planes = (of: typeof config) => tuneFeeds(posed, [0, 0], of, Random.seeded(1))(0).frames.subarray(0, 3 * area);
  const { frameMask, shapeMaps } = posed.heads.get(0)!;
  expect([...planes(config)]).toEqual([...frameMask, ...shapeMaps.distance, ...shapeMaps.acrosome]);
  expect([...planes(swapped)]).toEqual([...frameMask, ...shapeMaps.acrosome, ...shapeMaps.distance]);

  // In the model: naming them the other way round and swapping their weights says the same, either alone does not.
  const { parts } = await train({ set, train: members, config, seed: 1, name: "all", threads: 1, progress: silent });
  const { shape, data } = parts.tuned.get("encoder/shape/conv/weight")!;
  const [channels, out] = [shape[2]!, shape[3]!];
  expect(channels).toBe(2 * 2 * 2);
  const other = data.map((_, i) => {
    const [filter, channel] = [i % out, Math.floor(i / out)];
    return data[(channel ^ 1) * out + filter]!;
  });
  const crossed = new Map(parts.tuned).set("encoder/shape/conv/weight", { shape, data: other });
  const saying = async (change: Partial<typeof parts>) =>
    (await classify(set, members, { ...parts, ...change }, { threads: 1 })).flatMap((answer) => answer.probabilities);
  const distance = (a: number[], b: number[]) => Math.max(...a.map((p, i) => Math.abs(p - b[i]!)));
  const expected = await saying({});
  expect(distance(await saying({ config: swapped, tuned: crossed }), expected)).toBeLessThan(1e-5);
  expect(distance(await saying({ tuned: crossed }), expected)).toBeGreaterThan(1e-4);
  expect(distance(await saying({ config: swapped }), expected)).toBeGreaterThan(1e-4);
});

test("MobileNet's first layer takes none, and none is given twice", () => {
  const refusal = (config: object) => configSchema.safeParse(config).error?.issues[0]?.path.join(".");
  const maps = ["distance", "acrosome"];
  expect(refusal({ tune: { shapeMaps: maps } })).toBeUndefined();
  expect(refusal({ network: { backbone: "mobilenet" }, tune: { shapeMaps: maps } })).toBe("tune.shapeMaps");
  expect(refusal({ tune: { shapeMaps: ["distance", "distance"] } })).toBe("tune.shapeMaps");
  expect(refusal({ tune: { shapeMaps: ["mask"] } })).toBe("tune.shapeMaps.0");
});
