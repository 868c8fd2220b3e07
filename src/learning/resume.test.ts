/**
 * Both stages are pure functions of data, configuration, seed and threads: to the byte, wherever and however often they
 * were interrupted, and with fewer crops than fit into a batch.
 */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type State, serializeState } from "../autodiff/index.ts";
import { drawn } from "../autodiff/testing/properties.ts";
import { Random } from "../runs/index.ts";
import { distill } from "./distill.ts";
import { phantomSet, posedSet, smallConfig } from "./fixtures.ts";
import type { PreparedSet } from "./prepare.ts";
import type { CurvePoint } from "./training.ts";
import { tune } from "./tune.ts";

// A checkpoint at every opportunity.
vi.hoisted(() => {
  process.env.ANDROSCOPE_CHECKPOINT_SECONDS = "0";
});

/** More than go into one call of ONNX Runtime: checkpoints lie between calls. */
const STEPS = 20;
const checkpoint = join(tmpdir(), `androscope-resume-${process.pid}`);
afterAll(() => rm(checkpoint, { force: true }));

let set: PreparedSet;
beforeAll(async () => {
  set = await phantomSet(6);
});

interface How {
  seed?: number;
  threads?: number;
  members?: readonly number[];
  checkpoint?: string;
  onStep?(step: number): void;
}

interface Outcome {
  weights: State;
  curve: CurvePoint[];
  replaced?: number[];
}

// The teacher replaces masks on the way, which a resumed run must know of.
const config = smallConfig({
  distill: { steps: STEPS, batch: 8, teacher: { rounds: [0.5], disagreement: 1, consistency: 0 } },
  tune: { steps: STEPS, batch: 8, mixup: 0.4 },
});

const stages = {
  "stage 1": ({ seed = 1, threads = 1, members = [...set.ids.keys()], ...how }: How): Promise<Outcome> => {
    const { geometry } = posedSet(set, config);
    return distill({ set, members, geometry, config, random: Random.seeded(seed), threads, ...how });
  },
  "stage 2": ({ seed = 1, threads = 1, members = [...set.ids.keys()], ...how }: How): Promise<Outcome> =>
    tune({
      posed: posedSet(set, config),
      members,
      distilled: new Map(),
      config,
      random: Random.seeded(seed),
      threads,
      ...how,
    }),
};

const bytesOf = ({ weights }: Outcome) => Buffer.from(serializeState(weights));
const same = (a: Outcome, b: Outcome) =>
  bytesOf(a).equals(bytesOf(b)) && JSON.stringify([a.curve, a.replaced]) === JSON.stringify([b.curve, b.replaced]);

class Interruption extends Error {}

describe.each(Object.entries(stages))("%s", (_, stage) => {
  test.each([1, 2])("the same seed gives the same bytes, another seed others; %i threads", async (threads) => {
    const first = await stage({ threads });
    expect(same(await stage({ threads }), first)).toBe(true);
    expect(same(await stage({ threads, seed: 2 }), first)).toBe(false);
  });

  test("interrupted anywhere, again and again, equals uninterrupted", async () => {
    const whole = new Map<number, Outcome>();
    for (const threads of [1, 2]) whole.set(threads, await stage({ threads }));
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: STEPS }), { minLength: 1, maxLength: 2 }),
      fc.constantFrom(1, 2),
      async (stops, threads) => {
        await rm(checkpoint, { force: true });
        for (const stop of stops) {
          const onStep = (step: number) => {
            if (step >= stop) throw new Interruption();
          };
          await expect(stage({ threads, checkpoint, onStep })).rejects.toThrow(Interruption);
        }
        expect(same(await stage({ threads, checkpoint }), whole.get(threads)!)).toBe(true);
      },
    );
    await fc.assert(property, drawn(3));
  });

  test.each([1, 3])("%i crops where a batch holds 8", async (count) => {
    const members = [...set.ids.keys()].slice(0, count);
    const { weights, curve } = await stage({ members });
    for (const { data } of weights.values()) expect(data.every(Number.isFinite)).toBe(true);
    expect(curve.at(-1)!.step).toBe(STEPS);
    for (const { values } of curve) expect(Object.values(values).every(Number.isFinite)).toBe(true);
  });
});
