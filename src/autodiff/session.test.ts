/** Sessions: the same bytes from the same seed, resumed runs, states that are refused. */
import { describe, expect, test } from "vitest";
import { Random } from "../runs/random.ts";
import {
  type Feeds,
  FormatError,
  input,
  parseState,
  Scope,
  type SessionOptions,
  ShapeError,
  type State,
  serializeState,
  softTargetCrossEntropy,
  TrainingSession,
  type TrainingStep,
  trainingStep,
} from "./index.ts";
import { resnet18 } from "./testing/networks.ts";

const WIDTHS = [8, 16, 16, 24];
const BATCH = 4;
const SIZE = 32;
const CLASSES = 3;
const SEED = 41;

/** A narrow ResNet-18 that uses every part of the state: decay, clipping, averages, running statistics. */
function smallStep(): TrainingStep {
  const scope = new Scope();
  const logits = resnet18(scope, input("x", [BATCH, SIZE, SIZE, 3]), WIDTHS, CLASSES);
  const loss = softTargetCrossEntropy(logits, input("targets", [BATCH, CLASSES]));
  return trainingStep({ scope, loss, optimizer: { weightDecay: 0.05, clipNorm: 1 } });
}

function batch(step: number): Feeds {
  const random = Random.seeded(SEED).stream("batch", step);
  const targets = new Float32Array(BATCH * CLASSES);
  for (let n = 0; n < BATCH; n++) targets[n * CLASSES + random.integer(CLASSES)] = 1;
  return { x: Float32Array.from({ length: BATCH * SIZE * SIZE * 3 }, () => random.uniform(-1, 1)), targets };
}

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

  test("stopped after 3 of 6 steps and continued elsewhere equals uninterrupted", async () => {
    const whole = await train(smallStep(), 6);
    const half = await train(smallStep(), 3);
    const rest = await train(smallStep(), 6, half.bytes);
    expect([...half.losses, ...rest.losses]).toEqual(whole.losses);
    expect(sameBytes(rest.bytes, whole.bytes)).toBe(true);
    expect(sameBytes(half.bytes, whole.bytes)).toBe(false);
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
