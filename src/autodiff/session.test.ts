/** Sessions: the same bytes from the same seed, resumed runs, states that are refused. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/random.ts";
import {
  FormatError,
  parseState,
  type SessionOptions,
  ShapeError,
  type State,
  serializeState,
  TrainingSession,
  type TrainingStep,
} from "./index.ts";
import { drawn } from "./testing/properties.ts";
import { batch as drawBatch, smallStep } from "./testing/reproducible.ts";

const SEED = 41;
const batch = (step: number) => drawBatch(step, Random.seeded(SEED));

async function steps(session: TrainingSession, from: number, to: number): Promise<number[]> {
  const losses: number[] = [];
  for (let k = from; k < to; k++) losses.push((await session.run(batch(k), { learningRate: 1e-3 })).loss!);
  return losses;
}

/** Trains from the seed, or from bytes, and returns the losses and the state as bytes. */
async function train(step: TrainingStep, to: number, from?: Uint8Array, options: SessionOptions = { threads: 1 }) {
  const session = await TrainingSession.create(step, options);
  try {
    if (from) session.load(parseState(from));
    else session.initialize(Random.seeded(SEED));
    const losses = await steps(session, session.steps, to);
    return { losses, bytes: serializeState(session.state()) };
  } finally {
    session.dispose();
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

describe("training is reproducible to the byte", () => {
  test.each([1, 2])("same seed, same bytes, %i threads", async (threads) => {
    // Compiled anew each time: neither the graph's nor the process's history may show.
    const first = await train(smallStep(), 4, undefined, { threads });
    const second = await train(smallStep(), 4, undefined, { threads });
    expect(second.losses).toEqual(first.losses);
    expect(sameBytes(first.bytes, second.bytes)).toBe(true);
    expect(first.losses.every(Number.isFinite)).toBe(true);
  });

  test("stopped anywhere, as often as one likes, and continued elsewhere equals uninterrupted", async () => {
    const last = 5;
    const whole = new Map<number, Awaited<ReturnType<typeof train>>>();
    for (const threads of [1, 2]) whole.set(threads, await train(smallStep(), last, undefined, { threads }));
    const stops = fc.uniqueArray(fc.integer({ min: 1, max: last - 1 }), { minLength: 1, maxLength: 2 });
    const property = fc.asyncProperty(stops, fc.constantFrom(1, 2), async (unsorted, threads) => {
      const losses: number[] = [];
      let bytes: Uint8Array | undefined;
      for (const stop of [...unsorted.sort(), last]) {
        const part = await train(smallStep(), stop, bytes, { threads });
        losses.push(...part.losses);
        if (bytes) expect(sameBytes(part.bytes, bytes)).toBe(false);
        bytes = part.bytes;
      }
      expect(losses).toEqual(whole.get(threads)!.losses);
      expect(sameBytes(bytes!, whole.get(threads)!.bytes)).toBe(true);
    });
    await fc.assert(property, drawn(2));
  });

  test("steps in portions of any size equal steps one by one", async () => {
    const compiled = smallStep();
    const one = await TrainingSession.create(compiled, { threads: 1 });
    const many = await TrainingSession.create(compiled, { threads: 1 });
    one.initialize(Random.seeded(SEED));
    const start = one.state();
    const settings = (k: number) => ({ learningRate: 1e-3 * (k + 1), emaDecay: 0.5 + 0.05 * k });
    const last = 7;
    const values: Record<string, number>[] = [];
    const states = [serializeState(start)];
    for (let k = 0; k < last; k++) {
      values.push(await one.run(batch(k), settings(k)));
      states.push(serializeState(one.state()));
    }
    const property = fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 }), async (portions) => {
      many.load(start);
      for (const portion of portions) {
        const from = many.steps;
        const count = Math.min(portion, last - from);
        if (count === 0) break;
        const found = await many.runMany(count, (k) => ({ feeds: batch(from + k), ...settings(from + k) }));
        expect(found).toEqual(values.slice(from, from + count));
        expect(sameBytes(serializeState(many.state()), states[from + count]!)).toBe(true);
      }
    });
    await fc.assert(property, drawn(4));
    for (const session of [one, many]) session.dispose();
  });

  test("whatever this process did before and does beside it, as in a process of its own", async () => {
    const others = await Promise.all(
      [1, 2].map(async (threads) => {
        const session = await TrainingSession.create(smallStep(), { threads });
        session.initialize(Random.seeded(threads));
        await steps(session, 0, 2);
        return session;
      }),
    );
    const [here] = await Promise.all([
      train(smallStep(), 3, undefined, { threads: 2 }),
      ...others.map((session) => steps(session, 2, 4)),
    ]);
    for (const session of others) session.dispose();
    const code = `
      import { Random } from ${JSON.stringify(new URL("../runs/random.ts", import.meta.url))};
      import { batch, smallStep } from ${JSON.stringify(new URL("testing/reproducible.ts", import.meta.url))};
      import { serializeState, TrainingSession } from ${JSON.stringify(new URL("index.ts", import.meta.url))};
      const session = await TrainingSession.create(smallStep(), { threads: 2 });
      session.initialize(Random.seeded(${SEED}));
      for (let k = 0; k < 3; k++) await session.run(batch(k, Random.seeded(${SEED})), { learningRate: 1e-3 });
      process.stdout.write(serializeState(session.state()));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
      encoding: "buffer",
      maxBuffer: 2 ** 28,
    });
    expect(sameBytes(stdout, here.bytes)).toBe(true);
  });

  test("another seed gives other weights", async () => {
    const session = await TrainingSession.create(smallStep(), { threads: 1 });
    const bytesOf = (seed: number) => {
      session.initialize(Random.seeded(seed));
      return serializeState(session.state());
    };
    expect(sameBytes(bytesOf(1), bytesOf(2))).toBe(false);
    expect(sameBytes(bytesOf(1), bytesOf(1))).toBe(true);
    session.dispose();
  });
});

describe("states", () => {
  const state: State = new Map([
    ["a", { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 1e-40, Number.NaN, Number.POSITIVE_INFINITY) }],
    ["b/c", { shape: [], data: Float32Array.of(7) }],
  ]);

  test("come back as they went", () => {
    expect(parseState(serializeState(state))).toEqual(state);
    expect(parseState(serializeState(new Map()))).toEqual(new Map());
  });

  test("cut short anywhere are refused", () => {
    const bytes = serializeState(state);
    for (let length = 0; length < bytes.length; length++)
      expect(() => parseState(bytes.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    expect(() => parseState(new TextEncoder().encode("PK\x03\x04 something else"))).toThrow("not a training state");
  });

  test("of another network are refused", async () => {
    const session = await TrainingSession.create(smallStep(), { threads: 1 });
    session.initialize(Random.seeded(SEED));
    const other = session.state();
    other.delete("adam.v/stem/conv/weight");
    expect(() => session.load(other)).toThrow("state without adam.v/stem/conv/weight");
    const wrong = session.state();
    wrong.set("param/logits/weight", { shape: [5, 5], data: new Float32Array(25) });
    expect(() => session.load(wrong)).toThrow(ShapeError);
    await expect(session.run({ x: new Float32Array(3) }, { learningRate: 0 })).rejects.toThrow(
      "step input x: 3 values",
    );
    session.dispose();
  });
});
