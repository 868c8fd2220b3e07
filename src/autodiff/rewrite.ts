/** Rewriting graphs. */
import { input, operands, type Tensor, topologicalOrder } from "./tensor.ts";

/** The graph of `outputs` with some of its nodes replaced: parameters by slices of pooled arrays, say. */
export function substitute(outputs: readonly Tensor[], replacements: ReadonlyMap<number, Tensor>): Tensor[] {
  const made = new Map<number, Tensor>(replacements);
  for (const tensor of topologicalOrder(outputs)) {
    if (made.has(tensor.id)) continue;
    const inputs = operands(tensor);
    const changed = inputs.some((x) => made.get(x.id)!.id !== x.id);
    made.set(
      tensor.id,
      changed && tensor.source.kind === "op"
        ? { ...fresh(tensor), source: { ...tensor.source, inputs: inputs.map((x) => made.get(x.id)!) } }
        : tensor,
    );
  }
  return outputs.map((x) => made.get(x.id)!);
}

/** A node of the same kind with an identity of its own. */
function fresh(tensor: Tensor): Tensor {
  return { ...input("", tensor.shape, tensor.dtype), shape: tensor.shape, dtype: tensor.dtype };
}

/** The inputs that `outputs` are computed from. */
export function inputsOf(outputs: readonly Tensor[]): { tensor: Tensor; name: string }[] {
  return topologicalOrder(outputs).flatMap((tensor) =>
    tensor.source.kind === "input" ? [{ tensor, name: tensor.source.name }] : [],
  );
}
