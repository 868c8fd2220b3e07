/**
 * Both stages on the processor's blocks of channels, as they train, against the same steps without, which
 * objective.test.ts holds to differences; and on blocks nothing becomes NaN either.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { channelBlock, type Feeds, type State, TrainingSession, type TrainingStep } from "../autodiff/index.ts";
import { drawn } from "../autodiff/testing/properties.ts";
import { Random } from "../runs/index.ts";
import { distillFeeds, distillStep } from "./distill.ts";
import { phantomSet, posedSet, smallConfig } from "./fixtures.ts";
import type { PreparedSet } from "./prepare.ts";
import { tuneFeeds, tuneStep } from "./tune.ts";

const block = await channelBlock();
const network = { widths: [block, block, 2 * block, block] as [number, number, number, number] };
const optimisation = { batch: block, clipNorm: 1e9, weightDecay: 0 };

let set: PreparedSet;
beforeAll(async () => {
  set = await phantomSet(8);
});

/** Three steps that change nothing but moments and running statistics. */
async function run(step: TrainingStep, feeds: Feeds, learningRate = 0) {
  const session = await TrainingSession.create(step, { threads: 1 });
  session.initialize(Random.seeded(1));
  let losses: Record<string, number> = {};
  for (let k = 0; k < 3; k++) losses = await session.run(feeds, { learningRate });
  const state = session.state();
  session.dispose();
  return { losses, state };
}

function expectAlike(on: { losses: Record<string, number>; state: State }, off: typeof on): void {
  for (const [name, value] of Object.entries(off.losses))
    if (name !== "accuracy")
      expect(Math.abs(on.losses[name]! - value), name).toBeLessThan(1e-3 * (1 + Math.abs(value)));
  const size = (arrays: readonly Float32Array[]) => Math.hypot(...arrays.flatMap((data) => [...data]));
  const norm = size([...off.state].filter(([name]) => name.startsWith("adam.m/")).map(([, { data }]) => data));
  for (const [name, { data }] of off.state) {
    const found = on.state.get(name)!.data;
    const difference = size([data.map((value, k) => value - found[k]!)]);
    // Rectifiers at a rounding from zero may switch.
    const allowed = name.startsWith("adam") ? 0.01 * (size([data]) + 0.05 * norm) : 3e-4 * (1 + size([data]));
    expect(difference, name).toBeLessThan(allowed);
  }
}

describe.skipIf(block === 0)("on blocks as without (skipped where ONNX Runtime has no blocked convolutions)", () => {
  test("stage 2", async () => {
    const switches = fc.record({
      pooling: fc.constantFrom("mask", "average", "both"),
      pooledScales: fc.constantFrom("last", "all"),
      auxiliaryMask: fc.constantFrom(0, 0.5),
      consistency: fc.constantFrom(0, 0.5),
    });
    const property = fc.asyncProperty(switches, fc.nat(), async (tune, seed) => {
      const config = smallConfig({ network, tune: { ...optimisation, ...tune } });
      const posed = posedSet(set, config);
      const feeds = tuneFeeds(posed, [...set.ids.keys()], config, Random.seeded(seed))(0);
      expectAlike(
        await run(tuneStep(posed, config, { channelBlock: block }), feeds),
        await run(tuneStep(posed, config), feeds),
      );
    });
    await fc.assert(property, drawn(3));
  });

  test("stage 1", async () => {
    const config = smallConfig({ network, distill: optimisation });
    const { geometry } = posedSet(set, config);
    const feeds = distillFeeds(set, [...set.ids.keys()], geometry, config, Random.seeded(2))(0);
    expectAlike(
      await run(distillStep(set, geometry, config, { channelBlock: block }), feeds),
      await run(distillStep(set, geometry, config), feeds),
    );
  });

  const filled = (array: Uint8Array, value: number) => new Uint8Array(array.length).fill(value);
  test.each([0, 179, 255])("crops of nothing but %i, masks of nothing: finite", async (value) => {
    const plain = { ...set, pixels: filled(set.pixels, value), targets: filled(set.targets, 0) };
    const config = smallConfig({
      network,
      distill: optimisation,
      tune: { ...optimisation, consistency: 1, auxiliaryMask: 1 },
    });
    const posed = posedSet(plain, config);
    const members = [...set.ids.keys()];
    const random = Random.seeded(2);
    const steps: [TrainingStep, Feeds][] = [
      [
        distillStep(plain, posed.geometry, config, { channelBlock: block }),
        distillFeeds(plain, members, posed.geometry, config, random)(0),
      ],
      [tuneStep(posed, config, { channelBlock: block }), tuneFeeds(posed, members, config, random)(0)],
    ];
    for (const [step, feeds] of steps) {
      const { losses, state } = await run(step, feeds, 0.01);
      expect(Object.values(losses).every(Number.isFinite)).toBe(true);
      for (const [name, { data }] of state) expect(data.every(Number.isFinite), name).toBe(true);
    }
  });
});
