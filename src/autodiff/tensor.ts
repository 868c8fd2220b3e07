/**
 * Symbolic tensors: nodes of a computation that ONNX Runtime will execute. An op makes a node and remembers its
 * vector-Jacobian product; `grad` walks the nodes backwards and builds the gradient out of the same ops, so a whole
 * training step is one graph. Nothing is computed here.
 *
 * Shapes are static, except that a dimension may be -1 ("known when it runs") in inference graphs.
 */

export type DType = "float32" | "int64" | "int32" | "uint8" | "bool";
export type TypedArray = Float32Array | BigInt64Array | Int32Array | Uint8Array;
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** Where a tensor comes from. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "constant"; readonly data: TypedArray; readonly key?: string }
  | {
      readonly kind: "op";
      readonly op: string;
      readonly domain: string;
      readonly inputs: readonly Tensor[];
      readonly attributes: Readonly<Record<string, Attribute>>;
    };

/** Gradients with respect to a node's differentiable inputs, given the gradient of its output. */
export type Vjp = (dy: Tensor) => readonly (Tensor | undefined)[];

export interface Tensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly source: Source;
  /** What `grad` walks: the inputs it differentiates by, and how. Absent on leaves and undifferentiated nodes. */
  readonly tape?: { readonly inputs: readonly Tensor[]; readonly vjp: Vjp };
  /** True where a trained parameter lies upstream. */
  readonly tracked: boolean;
}

let nextId = 0;

export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** Bytes that are not what they should be: no ONNX model, no training state, or one cut short. */
export class FormatError extends Error {
  override readonly name = "FormatError";
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** The number of elements; -1 where a dimension is dynamic. */
export function sizeOf(shape: readonly number[]): number {
  return shape.includes(-1) ? -1 : shape.reduce((product, dimension) => product * dimension, 1);
}

/** A value given at run time. */
export function input(name: string, shape: readonly number[], dtype: DType = "float32"): Tensor {
  return { id: nextId++, shape, dtype, source: { kind: "input", name }, tracked: false };
}

/** An input that `grad` may differentiate by. */
export function variable(name: string, shape: readonly number[]): Tensor {
  return { id: nextId++, shape, dtype: "float32", source: { kind: "input", name }, tracked: true };
}

const scalars = new Map<string, Tensor>();

/** A constant. A number fills the shape; equal scalars are one node. */
export function constant(
  value: number | ArrayLike<number> | TypedArray,
  shape?: readonly number[],
  dtype: DType = "float32",
): Tensor {
  if (typeof value === "number" && (shape === undefined || shape.length === 0)) {
    const key = `${dtype}:${value}`;
    let tensor = scalars.get(key);
    if (!tensor) scalars.set(key, (tensor = leaf(typedArray(dtype, [value]), [], dtype)));
    return tensor;
  }
  const dims = shape ?? [(value as ArrayLike<number>).length];
  const size = sizeOf(dims);
  const data = typeof value === "number" ? typedArray(dtype, new Array(size).fill(value)) : typedArray(dtype, value);
  if (data.length !== size) throw new ShapeError(`constant: ${data.length} values do not fill ${showShape(dims)}`);
  return leaf(data, dims, dtype);
}

function leaf(data: TypedArray, shape: readonly number[], dtype: DType): Tensor {
  return { id: nextId++, shape, dtype, source: { kind: "constant", data }, tracked: false };
}

function typedArray(dtype: DType, values: ArrayLike<number> | TypedArray): TypedArray {
  switch (dtype) {
    case "float32":
      return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
    case "int32":
      return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
    case "int64":
      return values instanceof BigInt64Array ? values : BigInt64Array.from(values as ArrayLike<number>, BigInt);
    default:
      return values instanceof Uint8Array ? values : Uint8Array.from(values as ArrayLike<number>);
  }
}

export interface EmitOptions {
  attributes?: Readonly<Record<string, Attribute>>;
  dtype?: DType;
  domain?: string;
}

/** A node without a gradient: one ONNX operator. */
export function emit(
  op: string,
  inputs: readonly Tensor[],
  shape: readonly number[],
  options: EmitOptions = {},
): Tensor {
  const { attributes = {}, dtype = "float32", domain = "" } = options;
  return { id: nextId++, shape, dtype, source: { kind: "op", op, domain, inputs, attributes }, tracked: false };
}

/** The node `y` with a gradient by `inputs`; where none of them is tracked, just `y`. */
export function differentiable(y: Tensor, inputs: readonly Tensor[], vjp: Vjp): Tensor {
  return inputs.some((x) => x.tracked) ? { ...y, tracked: true, tape: { inputs, vjp } } : y;
}

/** The same node as a constant of the tape: for use inside an op that has a gradient of its own. */
export function untracked(x: Tensor): Tensor {
  return x.tracked ? { ...x, tracked: false, tape: undefined } : x;
}

/** The same value, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return x.tracked
    ? {
        ...x,
        id: nextId++,
        tracked: false,
        tape: undefined,
        source: { kind: "op", op: "Identity", domain: "", inputs: [x], attributes: {} },
      }
    : x;
}

/** The tensors that must be computed for `outputs`, inputs before users. */
export function topologicalOrder(
  outputs: readonly Tensor[],
  parents: (t: Tensor) => readonly Tensor[] = operands,
): Tensor[] {
  const order: Tensor[] = [];
  const state = new Map<number, "open" | "done">();
  const stack = outputs.toReversed().map((tensor) => ({ tensor, next: 0 }));
  while (stack.length > 0) {
    const frame = stack.at(-1)!;
    const { tensor } = frame;
    const inputs = parents(tensor);
    if (state.get(tensor.id) === "done") {
      stack.pop();
    } else if (frame.next < inputs.length) {
      state.set(tensor.id, "open");
      const child = inputs[frame.next++]!;
      if (!state.has(child.id)) stack.push({ tensor: child, next: 0 });
    } else {
      state.set(tensor.id, "done");
      order.push(tensor);
      stack.pop();
    }
  }
  return order;
}

/** What an op reads. */
export function operands({ source }: Tensor): readonly Tensor[] {
  return source.kind === "op" ? source.inputs : [];
}
