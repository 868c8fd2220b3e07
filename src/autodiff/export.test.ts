/** Exported models: the same numbers in Node and on WebAssembly, and files that are none are refused in plain words. */
import * as web from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { Random } from "../runs/random.ts";
import {
  add,
  compile,
  constant,
  conv,
  FormatError,
  globalAveragePool,
  InferenceRunner,
  input,
  layerNorm,
  linear,
  matmul,
  mul,
  readModel,
  type Scope,
  Scope as Scopes,
  type State,
  sigmoid,
  softmax,
  softTargetCrossEntropy,
  type Tensor,
  TrainingSession,
  trainingStep,
} from "./index.ts";
import { maskLoss, resnet18, smallUnet } from "./testing/networks.ts";

const SIZE = 32;
const CLASSES = 3;

/** Classes and a mask from two networks, and a depthwise convolution and a layer norm that neither has. */
function outputs(scope: Scope, x: Tensor) {
  const classes = resnet18(scope.sub("resnet"), x, [8, 16, 16, 24], CLASSES);
  const mask = smallUnet(scope.sub("unet"), x, [6, 12]);
  const other = scope.sub("other");
  const depthwise = layerNorm(other, conv(other.sub("depthwise"), conv(other, x, 8), 8, { depthwise: true }));
  const third = linear(other.sub("logits"), globalAveragePool(depthwise), CLASSES);
  return { logits: add(classes, third), mask };
}

/** A few steps, so that running statistics and shifts are no longer what they started as. */
async function trained(): Promise<State> {
  const scope = new Scopes();
  const { logits, mask } = outputs(scope, input("x", [4, SIZE, SIZE, 3]));
  const loss = add(
    softTargetCrossEntropy(logits, input("targets", [4, CLASSES])),
    maskLoss(mask, input("masks", [4, SIZE, SIZE, 1])),
  );
  const session = await TrainingSession.create(trainingStep({ scope, loss }), { threads: 1 });
  session.initialize(Random.seeded(3));
  const random = Random.seeded(4);
  for (let k = 0; k < 3; k++) {
    const draw = (length: number) => Float32Array.from({ length }, () => random.uniform());
    await session.run(
      { x: draw(4 * SIZE * SIZE * 3), targets: draw(4 * CLASSES), masks: draw(4 * SIZE * SIZE) },
      { learningRate: 1e-2 },
    );
  }
  const state = session.state();
  session.dispose();
  const plain = [...state].flatMap(([name, value]) => {
    const [, slot, rest] = /^(param|buffer)\/(.*)$/.exec(name) ?? [];
    return slot ? [[rest!, value] as const] : [];
  });
  return new Map(plain);
}

function exported(values: State): Uint8Array {
  const { logits, mask } = outputs(Scopes.frozenWith(values), input("x", [-1, SIZE, SIZE, 3]));
  return compile({ probabilities: softmax(logits, 1), mask: sigmoid(mask) }, { metadata: { purpose: "a test" } });
}

describe("an exported model", () => {
  test("gives the same on WebAssembly as in Node", async () => {
    const bytes = exported(await trained());
    const random = Random.seeded(9);
    const node = await InferenceRunner.create(bytes, { threads: 1 });
    web.env.wasm.numThreads = 1;
    const session = await web.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    for (const count of [1, 5]) {
      const x = Float32Array.from({ length: count * SIZE * SIZE * 3 }, () => random.uniform());
      const here = await node.run({ x });
      const there = await session.run({ x: new web.Tensor("float32", x, [count, SIZE, SIZE, 3]) });
      expect(here.probabilities!.dims).toEqual([count, CLASSES]);
      expect(here.mask!.dims).toEqual([count, SIZE, SIZE, 1]);
      for (const name of ["probabilities", "mask"]) {
        const [a, b] = [here[name]!.data as Float32Array, there[name]!.data as Float32Array];
        expect(there[name]!.dims).toEqual(here[name]!.dims);
        expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-4);
        // Nothing degenerate: the outputs differ from image to image or pixel to pixel.
        expect(Math.max(...a) - Math.min(...a)).toBeGreaterThan(0.01);
      }
    }
    node.dispose();
    await session.release();
  });

  test("frozen and folded, it agrees with parameters given at run time", async () => {
    const values = await trained();
    const x = Float32Array.from({ length: 2 * SIZE * SIZE * 3 }, (_, i) => Math.sin(i));
    const frozen = await InferenceRunner.create(exported(values), { threads: 1 });
    const scope = new Scopes("eval");
    const { logits, mask } = outputs(scope, input("x", [2, SIZE, SIZE, 3]));
    const open = await InferenceRunner.create(
      { probabilities: softmax(logits, 1), mask: sigmoid(mask) },
      { threads: 1 },
    );
    const given = (prefix: string, specs: readonly { name: string }[]) =>
      specs.map(({ name }) => [`${prefix}/${name}`, values.get(name)!.data]);
    const weights = Object.fromEntries([...given("param", scope.parameters), ...given("buffer", scope.buffers)]);
    const [a, b] = [await frozen.run({ x }), await open.run({ x, ...weights })];
    for (const name of ["probabilities", "mask"]) {
      const [p, q] = [a[name]!.data as Float32Array, b[name]!.data as Float32Array];
      expect(Math.max(...p.map((value, i) => Math.abs(value - q[i]!)))).toBeLessThan(1e-4);
    }
    frozen.dispose();
    open.dispose();
  });

  test("stores equal constants once, however large, and like ones each", async () => {
    const x = input("x", [-1, 90]);
    const filter = (last: number) =>
      constant(
        Float32Array.from({ length: 8100 }, (_, i) => (i === 8099 ? last : Math.sin(i))),
        [90, 90],
      );
    const model = compile({ same: add(matmul(x, filter(1)), matmul(x, filter(1))), other: matmul(x, filter(2)) });
    expect([...readModel(model).initializers.values()].map(({ shape }) => shape)).toEqual([
      [90, 90],
      [90, 90],
    ]);
    const runner = await InferenceRunner.create(model, { threads: 1 });
    const last = await runner.run({ x: Float32Array.from({ length: 90 }, (_, i) => (i === 89 ? 1 : 0)) });
    const [same, other] = [last.same!.data as Float32Array, last.other!.data as Float32Array];
    expect(same[0]).toBe(2 * Math.fround(Math.sin(8010)));
    expect([same[89], other[89]]).toEqual([2, 2]);
  });

  test("stores what is too small for a normal float as zero, whatever this thread takes it for", () => {
    // 1, 2^-126, its neighbour below, the smallest number, the same below zero, and the two zeros.
    const bits = [0x3f800000, 0x00800000, 0x007fffff, 0x00000001, 0x80000001, 0, 0x80000000];
    const values = new Float32Array(Uint32Array.from(bits).buffer);
    const { initializers } = readModel(compile({ out: add(input("x", [-1, 7]), constant(values, [7])) }));
    const [stored] = [...initializers.values()];
    expect([...new Uint32Array(stored!.data!.slice().buffer)]).toEqual([...bits.slice(0, 2), 0, 0, 0, 0, 0]);
    expect([...new Uint32Array(values.buffer)]).toEqual(bits);
  });

  test("says what it is", async () => {
    const summary = readModel(exported(await trained()));
    expect(summary.inputs).toEqual([{ name: "x", shape: [-1, SIZE, SIZE, 3], dtype: "float32" }]);
    expect(summary.outputs.map((o) => o.name)).toEqual(["probabilities", "mask"]);
    expect(summary.metadata).toEqual({ purpose: "a test" });
    expect(summary.operators.Conv).toBeGreaterThan(20);
    // Folded: no normalisation is left beside the convolutions.
    expect(summary.operators.Sqrt).toBe(1);
  });
});

describe("files that are no models", () => {
  const x = input("x", [2]);
  const good = compile({ y: mul(x, 2) });
  test.each([
    ["nothing", new Uint8Array(0)],
    ["text", new TextEncoder().encode("path,label\ncrops/1.png,normal\n")],
    ["a PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 73, 72, 68, 82)],
    ["a ZIP", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)],
    ["zeros", new Uint8Array(64)],
    ["half a model", good.subarray(0, good.length >> 1)],
    ["a model without its last byte", good.subarray(0, good.length - 1)],
  ])("%s", async (_, bytes) => {
    expect(() => readModel(bytes)).toThrow(FormatError);
    expect(() => readModel(bytes)).toThrow(/^not an ONNX model/);
    await expect(InferenceRunner.create(bytes)).rejects.toThrow(/^ONNX Runtime cannot load this as a model: /);
    await expect(InferenceRunner.create(bytes)).rejects.toThrow(FormatError);
  });
});

describe("weights in half precision", () => {
  test("take half the room and give nearly the same numbers, in Node and on WebAssembly", async () => {
    const x = input("x", [-1, SIZE, SIZE, 3]);
    const { logits } = outputs(Scopes.frozenWith(await trained()), x);
    const graph = { logits };
    const [full, half] = [compile(graph), compile(graph, { halfWeights: true })];
    expect(half.length).toBeLessThan(0.65 * full.length);
    const random = Random.seeded(8);
    const feed = { x: Float32Array.from({ length: 2 * SIZE * SIZE * 3 }, () => random.uniform()) };
    const results: Float32Array[] = [];
    for (const bytes of [full, half]) {
      const runner = await InferenceRunner.create(bytes, { threads: 1 });
      results.push((await runner.run(feed, { x: [2, SIZE, SIZE, 3] })).logits!.data as Float32Array);
      runner.dispose();
    }
    const session = await web.InferenceSession.create(half);
    const found = await session.run({ x: new web.Tensor("float32", feed.x, [2, SIZE, SIZE, 3]) });
    const [a, b] = results as [Float32Array, Float32Array];
    const size = Math.max(...a.map(Math.abs));
    for (const [i, value] of b.entries()) {
      expect(Math.abs(value - a[i]!)).toBeLessThan(4e-3 * size);
      expect(Math.abs(value - (found.logits!.data as Float32Array)[i]!)).toBeLessThan(1e-4 * Math.max(1, size));
    }
    // They are other numbers: the test would not notice if nothing were halved.
    expect(b).not.toEqual(a);
  });
});
