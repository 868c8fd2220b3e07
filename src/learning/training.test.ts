/** The loop of both stages, on a training so small that hundreds of interruptions cost nothing. */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  input,
  linear,
  mean,
  Scope,
  serializeState,
  square,
  sub,
  TrainingSession,
  type TrainingStep,
  trainingStep,
} from "../autodiff/index.ts";
import { drawn } from "../autodiff/testing/properties.ts";
import { Random } from "../runs/index.ts";
import { type CurvePoint, trainLoop } from "./training.ts";

// A checkpoint after every step.
vi.hoisted(() => {
  process.env.ANDROSCOPE_CHECKPOINT_SECONDS = "0";
});

/** More than twice the points on a curve: a point sums up several steps, which an interruption may part. */
const STEPS = 160;
const checkpoint = join(tmpdir(), `androscope-loop-${process.pid}`);
afterAll(() => rm(checkpoint, { force: true }));

let step: TrainingStep;
beforeAll(() => {
  const scope = new Scope();
  const loss = mean(square(sub(linear(scope, input("x", [4, 3]), 2), input("y", [4, 2]))));
  step = trainingStep({ scope, loss, optimizer: { weightDecay: 0.1, clipNorm: 0.5 } });
});

class Interruption extends Error {}

interface Outcome {
  state: Buffer;
  curve: CurvePoint[];
  /** What the owner of the loop added up, kept with the checkpoint. */
  total: number;
}

/** Trains from the checkpoint, where there is one. @param stop interrupts at this moment of this step */
async function run(kept: boolean, stop?: { step: number; moment: "feeds" | "onStep" | "pause" }): Promise<Outcome> {
  const session = await TrainingSession.create(step, { threads: 1 });
  try {
    session.initialize(Random.seeded(1));
    let total = 0;
    const interrupt = (moment: string, at: number) => {
      if (stop && moment === stop.moment && at >= stop.step) throw new Interruption();
    };
    const curve = await trainLoop({
      session,
      optimisation: { steps: STEPS, learningRate: 0.02, warmup: 0.2, averageDecay: 0.9 },
      feeds: (at) => {
        interrupt("feeds", at + 1);
        const random = Random.seeded(2).stream(at);
        const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
        return { x: draw(12), y: draw(8) };
      },
      checkpoint: kept ? checkpoint : undefined,
      extra: {
        save: () => ({ total: Float64Array.of(total) }),
        restore: (arrays) => {
          total = (arrays.total as Float64Array)[0]!;
        },
      },
      onStep: (at) => interrupt("onStep", at),
      pause: {
        due: (done) => done % 5 === 0,
        at: async (at) => {
          interrupt("pause", at);
          total += at;
        },
      },
    });
    return { state: Buffer.from(serializeState(session.state())), curve, total };
  } finally {
    session.dispose();
  }
}

test("interrupted at any moment of any step, again and again, equals uninterrupted", async () => {
  const whole = await run(false);
  // Every fifth step: 5 · (1 + 2 + … + 32).
  expect(whole.total).toBe((5 * (STEPS / 5) * (STEPS / 5 + 1)) / 2);
  expect(whole.curve.at(-1)!.step).toBe(STEPS);
  expect(whole.curve.length).toBeLessThan(STEPS / 2);
  const stops = fc.array(
    fc.record({
      step: fc.integer({ min: 1, max: STEPS }),
      moment: fc.constantFrom("feeds", "onStep", "pause"),
    }),
    { minLength: 1, maxLength: 4 },
  );
  const property = fc.asyncProperty(stops, async (unsorted) => {
    await rm(checkpoint, { force: true });
    for (const stop of unsorted.sort((a, b) => a.step - b.step))
      await expect(run(true, stop)).rejects.toThrow(Interruption);
    expect(await run(true)).toEqual(whole);
  });
  await fc.assert(property, drawn(10));
});
