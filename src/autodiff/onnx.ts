/** Writing graphs as .onnx, and reading what such a file says of itself. */
import { createHash } from "node:crypto";
import { DTYPE_CODES } from "./elementwise.ts";
import { fitHalf, toHalf } from "./half.ts";
import { decode, HALF_CODE, type Message, ModelDescription, ModelProto, rawBytes } from "./onnx-format.ts";
import { BLOCKED_DOMAIN } from "./reorder.ts";
import { inputsOf, substitute } from "./rewrite.ts";
import {
  type Attribute,
  type DType,
  emit,
  FormatError,
  input,
  ShapeError,
  type Tensor,
  type TypedArray,
  topologicalOrder,
} from "./tensor.ts";

const OPSET = 18;
const IR_VERSION = 9;

/** The number of elements from which half precision is worth a node. */
const LARGE = 256;

function attribute(name: string, value: Attribute) {
  if (typeof value === "string") return { name, s: new TextEncoder().encode(value), type: 3 };
  if (typeof value === "number") return { name, i: value, type: 2 };
  if ("float" in value) return { name, f: value.float, type: 1 };
  return { name, ints: [...value], type: 7 };
}

function valueInfo(name: string, { shape, dtype }: Pick<Tensor, "shape" | "dtype">) {
  const dim = shape.map((size, axis) => (size === -1 ? { dimParam: `${name}_${axis}` } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: DTYPE_CODES[dtype], shape: { dim } } } };
}

export interface CompileOptions {
  /** Strings stored in the file, by key. */
  metadata?: Readonly<Record<string, string>>;
  /** Store large constants in half precision: ONNX Runtime makes floats of them once, as it loads the file. */
  halfWeights?: boolean;
}

/** The .onnx bytes of a graph that computes `outputs`. Its inputs are found by walking back from them. */
export function compile(
  outputs: Readonly<Record<string, Tensor>>,
  { metadata = {}, halfWeights = false }: CompileOptions = {},
): Uint8Array {
  const { graph, domains } = buildGraph(outputs, { halfWeights });
  return encodeModel(graph, domains, metadata);
}

/**
 * The .onnx bytes of a graph that computes `outputs` turn after turn in one ONNX `Loop`. An output called "new.X" is what
 * the input X becomes for the next turn. Every other input has a value of its own for each turn.
 *
 * Inputs: `count`, how many turns; "first.X", X before the first one; "stacked.Y", Y of all turns, one after the other.
 * Outputs: "new.X" after the last turn; the others of all turns, stacked.
 */
export function compileLoop(outputs: Readonly<Record<string, Tensor>>): Uint8Array {
  const turn = input("turn", [], "int64");
  const going = input("going", [], "bool");
  const found = inputsOf(Object.values(outputs));
  const carried = new Map(found.filter(({ name }) => outputs[`new.${name}`]).map(({ tensor, name }) => [name, tensor]));
  const stacked = new Map<string, Tensor>();
  const slices = new Map<number, Tensor>();
  for (const { tensor, name } of found) {
    if (carried.has(name)) continue;
    const { shape, dtype } = tensor;
    if (!stacked.has(name)) stacked.set(name, input(`stacked.${name}`, [-1, ...shape], dtype));
    slices.set(tensor.id, emit("Gather", [stacked.get(name)!, turn], shape, { dtype, attributes: { axis: 0 } }));
  }
  const handed = [...carried.keys()].map((name) => `new.${name}`);
  const collected = Object.keys(outputs).filter((name) => !handed.includes(name));
  const order = [...handed, ...collected];
  const results = substitute(
    order.map((name) => outputs[name]!),
    slices,
  );
  // A name counts once in the whole file, the body included.
  const body = buildGraph(
    {
      "turn.going": emit("Identity", [going], [], { dtype: "bool" }),
      ...Object.fromEntries(order.map((name, i) => [`turn.${name}`, results[i]!])),
    },
    { own: [turn, going, ...carried.values()] },
  );
  const first = [...carried].map(([name, { shape, dtype }]) => input(`first.${name}`, shape, dtype));
  const count = input("count", [], "int64");
  const graph = {
    name: "loop",
    node: [
      {
        name: "turns",
        opType: "Loop",
        domain: "",
        input: [inputName(count), "", ...first.map(inputName)],
        output: order,
        attribute: [{ name: "body", g: body.graph, type: 5 }],
      },
    ],
    initializer: [],
    input: [count, ...stacked.values(), ...first].map((x) => valueInfo(inputName(x), x)),
    output: order.map((name, i) => {
      const { shape, dtype } = results[i]!;
      return valueInfo(name, { shape: i < handed.length ? shape : [-1, ...shape], dtype });
    }),
  };
  return encodeModel(graph, body.domains, {});
}

function inputName({ source }: Tensor): string {
  if (source.kind !== "input") throw new ShapeError("not an input");
  return source.name;
}

function encodeModel(graph: object, domains: ReadonlySet<string>, metadata: Readonly<Record<string, string>>) {
  const model = {
    irVersion: IR_VERSION,
    producerName: "androscope",
    graph,
    opsetImport: [
      { domain: "", version: OPSET },
      { domain: "com.microsoft", version: 1 },
      // Known to ONNX Runtime alone, and only named where it is used, so that other readers accept the file.
      ...(domains.has(BLOCKED_DOMAIN) ? [{ domain: BLOCKED_DOMAIN, version: 1 }] : []),
    ],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
}

/** @param options `own` of a loop's body: its inputs in order, used or not; any other comes from the graph around it */
function buildGraph(
  outputs: Readonly<Record<string, Tensor>>,
  { own, halfWeights = false }: { own?: readonly Tensor[]; halfWeights?: boolean } = {},
): { graph: object; domains: Set<string> } {
  const names = new Map<number, string>();
  const constants = new Map<string, string>();
  const node: object[] = [];
  const initializer: object[] = [];
  const inputs: object[] = [];
  const domains = new Set<string>();
  let unnamed = 0;
  // A node that is an output bears the output's name: an Identity in between would copy every new state.
  const outputNames = new Map<number, string>();
  for (const [name, tensor] of Object.entries(outputs)) {
    if (tensor.source.kind === "op" && !outputNames.has(tensor.id)) outputNames.set(tensor.id, name);
  }

  for (const tensor of topologicalOrder(Object.values(outputs))) {
    const { source } = tensor;
    if (source.kind === "input") {
      names.set(tensor.id, source.name);
      inputs.push(valueInfo(source.name, tensor));
    } else if (source.kind === "constant") {
      // Index tables, shapes and filters recur: equal constants are stored once.
      const data = withoutSubnormals(source.data);
      const key = constantKey(tensor, data);
      let name = constants.get(key);
      if (!name) {
        name = `c${unnamed++}`;
        constants.set(key, name);
        const dims = [...tensor.shape];
        if (halfWeights && data instanceof Float32Array && data.length >= LARGE && fitHalf(data)) {
          const half = `${name}.half`;
          initializer.push({ name: half, dims, dataType: HALF_CODE, rawData: rawBytes(toHalf(data)) });
          const to = DTYPE_CODES.float32;
          node.push({
            name,
            opType: "Cast",
            domain: "",
            input: [half],
            output: [name],
            attribute: [attribute("to", to)],
          });
        } else initializer.push({ name, dims, dataType: DTYPE_CODES[tensor.dtype], rawData: rawBytes(data) });
      }
      names.set(tensor.id, name);
    } else {
      const name = outputNames.get(tensor.id) ?? `t${unnamed++}`;
      names.set(tensor.id, name);
      domains.add(source.domain);
      node.push({
        name,
        opType: source.op,
        domain: source.domain,
        input: source.inputs.map((x) => names.get(x.id)!),
        output: [name],
        attribute: Object.entries(source.attributes).map(([key, value]) => attribute(key, value)),
      });
    }
  }
  const output = Object.entries(outputs).map(([name, tensor]) => {
    // One tensor may be several outputs, and an input or a constant may be one.
    if (names.get(tensor.id) !== name) {
      node.push({
        name: `out:${name}`,
        opType: "Identity",
        domain: "",
        input: [names.get(tensor.id)!],
        output: [name],
        attribute: [],
      });
    }
    return valueInfo(name, tensor);
  });
  const graph = {
    name: own ? "body" : "graph",
    node,
    initializer,
    input: own ? own.map((x) => valueInfo(inputName(x), x)) : inputs,
    output,
  };
  return { graph, domains };
}

const EXPONENT = 0x7f800000;

/**
 * What is too small for a normal float as zero, which sessions take it for. JavaScript does so, too, on a thread that has run one,
 * and on no other: without this the same graph would be other bytes in another process. By the bits, which every thread sees alike.
 */
function withoutSubnormals(data: TypedArray): TypedArray {
  if (!(data instanceof Float32Array)) return data;
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const isTooSmall = (value: number) => value !== 0 && (value & EXPONENT) === 0;
  return bits.some(isTooSmall) ? new Float32Array(bits.map((v) => (isTooSmall(v) ? 0 : v)).buffer) : data;
}

function constantKey({ dtype, shape }: Tensor, data: TypedArray): string {
  return `${dtype}[${shape.join()}]${createHash("sha256").update(rawBytes(data)).digest("base64")}`;
}

export interface ModelValue {
  readonly name: string;
  /** -1 where dynamic. */
  readonly shape: readonly number[];
  readonly dtype: DType | undefined;
}

export interface ModelSummary {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly producer: string;
  readonly operators: Readonly<Record<string, number>>;
  /** Constants by name, float32 ones as arrays. */
  readonly initializers: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array | undefined }>;
}

/**
 * The strings stored in an .onnx file, by key, without looking at its graph.
 * @throws FormatError where the bytes are no Protocol Buffers
 */
export function readModelMetadata(bytes: Uint8Array): Record<string, string> {
  const { metadataProps } = decode(bytes, ModelDescription);
  return Object.fromEntries(metadataProps.map((p: Message) => [p.key, p.value]));
}

/**
 * Reads what an .onnx file says of itself.
 * @throws FormatError where the bytes are no ONNX model
 */
export function readModel(bytes: Uint8Array): ModelSummary {
  const message = decode(bytes);
  if (!message.graph || message.opsetImport.length === 0)
    throw new FormatError("not an ONNX model: it has no graph or names no operator set");
  const dtypes = Object.fromEntries(Object.entries(DTYPE_CODES).map(([name, code]) => [code, name as DType]));
  const value = ({ name, type }: Message): ModelValue => ({
    name,
    shape: (type?.tensorType?.shape?.dim ?? []).map((d: Message) => (d.dimParam ? -1 : d.dimValue)),
    dtype: dtypes[type?.tensorType?.elemType],
  });
  const operators: Record<string, number> = {};
  for (const { opType } of message.graph.node) operators[opType] = (operators[opType] ?? 0) + 1;
  return {
    inputs: message.graph.input.map(value),
    outputs: message.graph.output.map(value),
    metadata: Object.fromEntries(message.metadataProps.map((p: Message) => [p.key, p.value])),
    producer: message.producerName,
    operators,
    initializers: new Map(
      message.graph.initializer.map((t: Message) => {
        const raw: Uint8Array = t.rawData;
        const data =
          t.dataType === 1
            ? new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength))
            : undefined;
        return [t.name, { shape: t.dims, data }];
      }),
    ),
  };
}
