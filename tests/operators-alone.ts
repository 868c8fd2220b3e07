/**
 * Every operator of a graph by itself, on a device and on the processor: each gets the inputs that it has on the
 * processor, so that what is wrong shows where it arises and nowhere else.
 */
import {
  constant,
  type Device,
  type Feeds,
  InferenceRunner,
  input,
  operands,
  type Tensor,
  type TypedArray,
  topologicalOrder,
} from "../src/autodiff/index.ts";

export interface AloneResult {
  /** Nodes of the graph, and how many of them differ in operator, attributes, shapes or constants. */
  nodes: number;
  distinct: number;
  /** By operator: how often it was computed, and the worst of ‖device - processor‖ / ‖processor‖. */
  operators: Record<string, { count: number; difference: number; where: string }>;
}

export async function operatorsAlone(
  outputs: Readonly<Record<string, Tensor>>,
  feeds: Feeds,
  device: Device,
): Promise<AloneResult> {
  const nodes = topologicalOrder(Object.values(outputs)).filter(({ source }) => source.kind === "op");
  const name = (x: Tensor) => (x.source.kind === "input" ? x.source.name : `n${x.id}`);
  const run = async (graph: Record<string, Tensor>, given: Feeds, on: Device) => {
    const runner = await InferenceRunner.create(graph, { device: on });
    const out = await runner.run(given);
    runner.dispose();
    return out;
  };
  const values = await run(Object.fromEntries(nodes.map((x) => [name(x), x])), feeds, "cpu");

  const chosen = [...new Map(nodes.map((x) => [signature(x), x])).values()];
  const given: Record<string, TypedArray> = {};
  const inputs = new Map<number, Tensor>();
  const alone = Object.fromEntries(
    chosen.map((x) => {
      const { source } = x;
      if (source.kind !== "op") throw new Error("filtered above");
      const own = source.inputs.map((operand) => {
        // Constants stay what they are: a kernel may read them when it is made.
        if (operand.source.kind === "constant") return operand;
        given[name(operand)] ??= feeds[name(operand)] ?? values[name(operand)]!.data;
        let known = inputs.get(operand.id);
        if (!known) inputs.set(operand.id, (known = input(name(operand), operand.shape, operand.dtype)));
        return known;
      });
      return [`alone.${x.id}`, { ...x, id: -x.id - 1, source: { ...source, inputs: own } }];
    }),
  );
  const found = await run(alone, given, device);
  const operators: AloneResult["operators"] = {};
  for (const x of chosen) {
    const { source } = x;
    if (source.kind !== "op") continue;
    const difference = distance(found[`alone.${x.id}`]!.data, values[name(x)]!.data);
    const entry = (operators[source.op] ??= { count: 0, difference: 0, where: "" });
    entry.count++;
    if (!(difference <= entry.difference)) {
      entry.difference = difference;
      entry.where = `${source.inputs.map(({ shape }) => `[${shape}]`).join(" ")} → [${x.shape}]`;
    }
  }
  return { nodes: nodes.length, distinct: chosen.length, operators };
}

function signature(x: Tensor): string {
  const { source } = x;
  if (source.kind !== "op") return "";
  const inputs = operands(x).map(({ source: from, shape, dtype }) =>
    from.kind === "constant" ? [dtype, shape, [...from.data].map(String)] : [dtype, shape],
  );
  return JSON.stringify([source.op, source.attributes, inputs, x.shape]);
}

/** ‖a - b‖ / ‖b‖, of whatever type; infinite where either is not a number alone. */
export function distance(a: TypedArray, b: TypedArray): number {
  let [apart, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    apart += (Number(a[i]) - Number(b[i])) ** 2;
    size += Number(b[i]) ** 2;
  }
  if (apart === 0) return 0;
  return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.sqrt(apart / Math.max(size, Number.MIN_VALUE));
}

/** What a result is multiplied with before it is summed, so that no gradient is trivial. */
export function weighted(result: Tensor): Tensor {
  const size = result.shape.reduce((a, b) => a * b, 1);
  return constant(
    Float32Array.from({ length: size }, (_, i) => ((7 * i) % 11) / 5 - 1.1),
    result.shape,
  );
}
