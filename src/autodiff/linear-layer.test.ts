/** Another layer in a finished model: what it computes is the product that is written out here. */
import { describe, expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { add, mul, relu } from "./elementwise.ts";
import { linear } from "./layers.ts";
import { linearLayer, withLinearLayer } from "./linear-layer.ts";
import { compile, readModelMetadata } from "./onnx.ts";
import { Scope, type State } from "./scope.ts";
import { InferenceRunner } from "./session.ts";
import { FormatError, input } from "./tensor.ts";

const INPUTS = 96;
const OUTPUTS = 4;
const random = Random.seeded(5);
const drawn = (name: string, size: number) => {
  const source = random.stream(name);
  return Float32Array.from({ length: size }, () => source.normal());
};
const layer = (name: string) => ({
  weight: drawn(`${name} weight`, INPUTS * OUTPUTS),
  bias: drawn(`${name} bias`, OUTPUTS),
});

/** relu(x) W + b, and beside it something that uses b as well. */
function model({ weight, bias }: { weight: Float32Array; bias: Float32Array }, halfWeights = false): Uint8Array {
  const values: State = new Map([
    ["weight", { shape: [INPUTS, OUTPUTS], data: weight }],
    ["bias", { shape: [OUTPUTS], data: bias }],
  ]);
  const scope = Scope.frozenWith(values);
  const y = linear(scope, relu(input("x", [-1, INPUTS])), OUTPUTS);
  const other = mul(
    input("z", [-1, OUTPUTS]),
    scope.parameter("bias", [OUTPUTS], () => bias),
  );
  return compile({ y, other }, { halfWeights, metadata: { old: "kept", changed: "before" } });
}

const expected = (x: Float32Array, { weight, bias }: ReturnType<typeof layer>) =>
  Array.from({ length: OUTPUTS }, (_, k) =>
    x.reduce((sum, value, i) => sum + Math.max(0, value) * weight[i * OUTPUTS + k]!, bias[k]!),
  );

describe.each([false, true])("half precision: %s", (half) => {
  test("the layer is read, and another one put in its place, alone", async () => {
    const [first, second] = [layer("first"), layer("second")];
    const bytes = model(first, half);
    const read = linearLayer(bytes, INPUTS, OUTPUTS);
    for (const [i, value] of read.weight.entries())
      expect(Math.abs(value - first.weight[i]!)).toBeLessThanOrEqual(half ? 2 ** -11 * Math.abs(first.weight[i]!) : 0);
    expect(read.bias).toEqual(first.bias);

    const changed = withLinearLayer(bytes, second, { changed: "after", added: "new" });
    expect(readModelMetadata(changed)).toEqual({ old: "kept", changed: "after", added: "new" });
    expect(linearLayer(changed, INPUTS, OUTPUTS)).toEqual(second);
    const runner = await InferenceRunner.create(changed);
    const [x, z] = [drawn("x", INPUTS), drawn("z", OUTPUTS)];
    const out = await runner.run({ x, z });
    for (const [k, value] of expected(x, second).entries())
      expect((out.y!.data as Float32Array)[k]).toBeCloseTo(value, 4);
    // The first bias was stored once for both: the other use of it still sees it.
    for (const [k, value] of (out.other!.data as Float32Array).entries())
      expect(value).toBeCloseTo(z[k]! * first.bias[k]!, 5);
    runner.dispose();
    // Changed twice, nothing of the first change is left.
    expect(withLinearLayer(changed, first, {}).length).toBeLessThanOrEqual(changed.length + 8);
  });
});

test("none or several such layers, or what is no model, is refused", () => {
  const bytes = model(layer("first"));
  expect(() => linearLayer(bytes, INPUTS, 3)).toThrow(FormatError);
  expect(() => linearLayer(Uint8Array.of(1, 2, 3), INPUTS, OUTPUTS)).toThrow(FormatError);
  const scope = Scope.frozenWith(
    new Map<string, { shape: readonly number[]; data: Float32Array }>(
      ["a", "b"].flatMap((name) => [
        [`${name}/weight`, { shape: [INPUTS, OUTPUTS], data: drawn(`${name} w`, INPUTS * OUTPUTS) }] as const,
        [`${name}/bias`, { shape: [OUTPUTS], data: drawn(`${name} b`, OUTPUTS) }] as const,
      ]),
    ),
  );
  const x = input("x", [-1, INPUTS]);
  const y = add(linear(scope.sub("a"), x, OUTPUTS), linear(scope.sub("b"), x, OUTPUTS));
  expect(() => linearLayer(compile({ y }), INPUTS, OUTPUTS)).toThrow("2 linear layers");
});
