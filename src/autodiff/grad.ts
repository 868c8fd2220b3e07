/** Reverse-mode differentiation: gradients as further nodes of the same graph. */
import { add } from "./elementwise.ts";
import { constant, ShapeError, showShape, type Tensor, topologicalOrder } from "./tensor.ts";

/**
 * The gradient of a scalar by each of `wrt`. What the loss does not depend on has gradient zero.
 * @throws ShapeError when `loss` is not a scalar
 */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.shape.length !== 0) throw new ShapeError(`grad: the loss must be a scalar, not ${showShape(loss.shape)}`);
  const gradients = new Map<number, Tensor>([[loss.id, constant(1)]]);
  const order = topologicalOrder([loss], (t) => t.tape?.inputs.filter((x) => x.tracked) ?? []);
  for (const y of order.reverse()) {
    const dy = gradients.get(y.id);
    if (!dy || !y.tape) continue;
    const products = y.tape.vjp(dy);
    for (const [i, x] of y.tape.inputs.entries()) {
      const dx = products[i];
      if (!dx || !x.tracked) continue;
      if (dx.shape.join() !== x.shape.join()) {
        const op = y.source.kind === "op" ? y.source.op : "?";
        throw new ShapeError(`gradient of ${op}: ${showShape(dx.shape)} for an input of ${showShape(x.shape)}`);
      }
      const before = gradients.get(x.id);
      gradients.set(x.id, before ? add(before, dx) : dx);
    }
  }
  return wrt.map((x) => gradients.get(x.id) ?? constant(0, x.shape));
}
