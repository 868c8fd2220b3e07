/**
 * The gradient of the whole objective of both stages, whatever is switched on, against differences of its loss along
 * random directions: all parameters at once, and single ones, in which nothing hides behind the others.
 *
 * Rectifiers bend the loss at many places, and float32 rounds it to about 1e-7. So a difference over a short way is
 * noisy and one over a long way is bent; of three lengths the best one counts. Along the gradient's own signs, where the
 * loss changes most, it must agree within 6 %, and mostly does within 0.1 %. In a direction of random signs most of the
 * change cancels and the bends do not: there it must agree within a fifth of its usual size. The first finds what is of
 * the wrong size or sign, the second what is missing.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { type Feeds, type State, TrainingSession, type TrainingStep } from "../autodiff/index.ts";
import { drawn } from "../autodiff/testing/properties.ts";
import { Random } from "../runs/index.ts";
import type { Config } from "./config.ts";
import { distillFeeds, distillStep } from "./distill.ts";
import { phantomSet, posedSet, type Settings, smallConfig } from "./fixtures.ts";
import type { PreparedSet } from "./prepare.ts";
import { tuneFeeds, tuneStep } from "./tune.ts";

// The consistency term holds its target fixed, on purpose: its gradient is not that of the loss as a number. With the
// target let loose it is, and everything else about the term can be checked.
const targets = vi.hoisted(() => ({ loose: false }));
vi.mock("../autodiff/index.ts", async (original) => {
  const autodiff = await original<typeof import("../autodiff/index.ts")>();
  type T = Parameters<typeof autodiff.stopGradient>[0];
  return { ...autodiff, stopGradient: (x: T) => (targets.loose ? x : autodiff.stopGradient(x)) };
});

const LENGTHS = [1e-4, 3e-4, 1e-3];
const ALONG = 0.06;
const ACROSS = 0.2;
/** How many parameters are also moved by themselves. */
const SINGLE = 6;

type Arrays = ReadonlyMap<string, Float32Array>;

/** A session from random weights, and the gradient of its first step: adam.m is a tenth of it where nothing is clipped. */
async function begin(step: TrainingStep, feeds: Feeds, seed: number) {
  const session = await TrainingSession.create(step, { threads: 1 });
  session.initialize(Random.seeded(seed).stream("weights"));
  const start = session.state();
  const { loss } = await session.run(feeds, { learningRate: 0 });
  const gradient = new Map<string, Float32Array>();
  for (const [name, { data }] of session.state()) {
    if (name.startsWith("adam.m/"))
      gradient.set(
        name.slice(7),
        data.map((value) => value / (1 - step.betas[0])),
      );
  }
  return { session, start, loss: loss!, gradient };
}

/** Normal numbers, as large as the parameters themselves; of the gradient's signs, where it has any, or of random ones. */
function directionOf(start: State, names: readonly string[], random: Random, along: Arrays | undefined): Arrays {
  return new Map(
    names.map((name) => {
      const { data } = start.get(`param/${name}`)!;
      const size = Math.sqrt(data.reduce((total, value) => total + value * value, 0) / data.length);
      const signs = along?.get(name);
      return [
        name,
        data.map((_, k) => {
          const value = random.normal(0, Math.max(0.1, size));
          return signs?.[k] ? Math.abs(value) * Math.sign(signs[k]!) : value;
        }),
      ];
    }),
  );
}

async function checkObjective(step: TrainingStep, feeds: Feeds, seed: number): Promise<void> {
  const random = Random.seeded(seed).stream("directions");
  const { session, start, loss, gradient } = await begin(step, feeds, seed);
  try {
    const lossAt = async (direction: Arrays, length: number) => {
      const state: State = new Map(start);
      for (const [name, d] of direction) {
        const { shape, data } = start.get(`param/${name}`)!;
        state.set(`param/${name}`, { shape, data: data.map((value, k) => value + length * d[k]!) });
      }
      session.load(state);
      return (await session.run(feeds, { learningRate: 0 })).loss!;
    };
    const all = [...gradient.keys()];
    for (const name of all) expect(gradient.get(name)!.every(Number.isFinite), name).toBe(true);
    const choices = [
      all,
      all,
      all,
      ...random
        .shuffle(all)
        .slice(0, SINGLE)
        .map((name) => [name]),
    ];
    for (const [names, along] of choices.flatMap((names) => [[names, true] as const, [names, false] as const])) {
      const direction = directionOf(start, names, random, along ? gradient : undefined);
      let [analytic, squares] = [0, 0];
      for (const [name, d] of direction) {
        for (const [k, value] of d.entries()) {
          analytic += value * gradient.get(name)![k]!;
          squares += (value * gradient.get(name)![k]!) ** 2;
        }
      }
      let least = Number.POSITIVE_INFINITY;
      for (const length of LENGTHS) {
        const numeric = ((await lossAt(direction, length)) - (await lossAt(direction, -length))) / (2 * length);
        // The loss's own rounding over the length.
        const rounding = (4e-7 * (1 + Math.abs(loss))) / length;
        const allowed = along ? ALONG * analytic : ACROSS * Math.sqrt(squares);
        least = Math.min(least, Math.abs(numeric - analytic) / (allowed + rounding));
        // Another length can only make it less.
        if (least < 1) break;
      }
      expect(least, `${names.length === 1 ? names[0] : "all"}: ${analytic}`).toBeLessThan(1);
    }
  } finally {
    session.dispose();
  }
}

/** Nothing that hides the gradient: it is neither clipped nor decayed. */
const BARE = { clipNorm: 1e9, weightDecay: 0.1 };
const weight = fc.constantFrom(0, 0.5, 2);

let set: PreparedSet;
beforeAll(async () => {
  set = await phantomSet(8);
  // Experts who disagree on some samples, agree on others, and have not seen the rest.
  set.votes.set([0.5, 0.25, 0.25, 1, 0, 0, 0, 0.75, 0.25]);
});
const members = () => [...set.ids.keys()];

describe("stage 2", () => {
  const prepareTune = (settings: Settings, seed: number) => {
    const config: Config = smallConfig({ ...settings, tune: { ...BARE, ...settings.tune } });
    const posed = posedSet(set, config);
    return { config, posed, feeds: tuneFeeds(posed, members(), config, Random.seeded(seed))(0) };
  };

  test("whatever is switched on", async () => {
    const settings = fc.record({
      colour: fc.constantFrom<Config["colour"][]>("absolute", "background"),
      tune: fc.record({
        pose: fc.boolean(),
        suppress: fc.record({ enabled: fc.boolean() }),
        pooling: fc.constantFrom("mask", "average", "both"),
        auxiliaryMask: weight,
        consistency: weight,
        votes: fc.boolean(),
        labelSmoothing: fc.constantFrom(0, 0.1),
        mixup: fc.constantFrom(0, 0.4),
        loss: fc.constantFrom("crossEntropy", "generalised"),
        agreementWeighting: fc.boolean(),
        dropout: fc.constantFrom(0, 0.4),
        viewSize: fc.constantFrom(undefined, 48),
        shapeMaps: fc.constantFrom(undefined, ["distance"], ["acrosome", "distance"]),
        augmentation: fc.constantFrom({}, { jitter: { contrast: 0.3, grey: 0.3 } }),
        encoderRate: fc.constantFrom(0.3, 1),
      }),
      network: fc.constantFrom<Partial<Config["network"]>[]>({}, { backbone: "mobilenet" }),
    });
    const switches = settings.filter(({ network, tune }) => !(network.backbone && tune.shapeMaps));
    targets.loose = true;
    try {
      const property = fc.asyncProperty(switches, fc.nat(), async (settings, seed) => {
        const { config, posed, feeds } = prepareTune(settings, seed);
        await checkObjective(tuneStep(posed, config), feeds, seed);
      });
      await fc.assert(property, drawn(10));
    } finally {
      targets.loose = false;
    }
  });

  test("with the maps of all scales pooled", async () => {
    const switches = fc.record({
      pooledScales: fc.constant("all"),
      pooling: fc.constantFrom("mask", "average", "both"),
      auxiliaryMask: weight,
    });
    const property = fc.asyncProperty(switches, fc.nat(), async (tune, seed) => {
      const { config, posed, feeds } = prepareTune({ tune }, seed);
      await checkObjective(tuneStep(posed, config), feeds, seed);
    });
    await fc.assert(property, drawn(6));
  });

  test("the tie of two views pulls the one without background alone, and not at all where they are the same", async () => {
    const gradientOf = async (consistency: number, wholeMask: boolean) => {
      const { config, posed, feeds } = prepareTune({ tune: { consistency, dropout: 0 } }, 3);
      // Views well inside the frame, so that a mask of the whole frame leaves nothing to remove.
      const inner = { ...posed, geometry: { ...posed.geometry, viewExtent: 0.4 * set.frameExtent } };
      const data = { ...tuneFeeds(inner, members(), config, Random.seeded(3))(0) };
      if (wholeMask) data.frames = new Uint8Array(feeds.frames.length).fill(255);
      const { session, gradient } = await begin(tuneStep(inner, config), data, 3);
      session.dispose();
      return [...gradient.values()].flatMap((values) => [...values]);
    };
    const size = (values: readonly number[]) => Math.hypot(...values);
    for (const whole of [true, false]) {
      const [untied, tied] = [await gradientOf(0, whole), await gradientOf(2, whole)];
      const change = size(tied.map((value, k) => value - untied[k]!)) / size(untied);
      if (whole) expect(change).toBeLessThan(1e-3);
      else expect(change).toBeGreaterThan(0.05);
    }
  });
});

describe("stage 1", () => {
  test("whatever is switched on", async () => {
    const switches = fc.record({
      tasks: fc.record({
        mask: fc.constantFrom(0.5, 1),
        distance: weight,
        parts: weight,
        rotation: weight,
      }),
      reliabilityWeighting: fc.boolean(),
    });
    const network = fc.constantFrom({}, { backbone: "mobilenet" as const });
    const property = fc.asyncProperty(switches, network, fc.nat(), async (distill, network, seed) => {
      const config = smallConfig({ network, distill: { ...distill, ...BARE } });
      const { geometry } = posedSet(set, config);
      const feeds = distillFeeds(set, members(), geometry, config, Random.seeded(seed))(0);
      await checkObjective(distillStep(set, geometry, config), feeds, seed);
    });
    await fc.assert(property, drawn(5));
  });
});
