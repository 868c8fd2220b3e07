/**
 * A linear layer y = x·W + b of an .onnx file, found by its size and given other weights: what adapting a finished model
 * needs, of which the graph is all there is.
 */
import { DTYPE_CODES } from "./elementwise.ts";
import { fromHalf } from "./half.ts";
import { decode, HALF_CODE, type Message, ModelProto, rawBytes } from "./onnx-format.ts";
import { FormatError } from "./tensor.ts";

export interface LinearLayer {
  /** [inputs, outputs]. */
  readonly weight: Float32Array;
  /** [outputs]. */
  readonly bias: Float32Array;
}

/** Where a layer lies in a decoded graph. */
interface Place {
  product: Message;
  sum: Message;
  /** Which of the inputs is the constant. */
  weightAt: number;
  biasAt: number;
}

/**
 * The only linear layer from so many numbers to so many.
 * @throws FormatError where there is none, or several, or the bytes are no model
 */
export function linearLayer(bytes: Uint8Array, inputs: number, outputs: number): LinearLayer {
  const { graph } = decode(bytes);
  const constants = constantsOf(graph);
  const { product, sum, weightAt, biasAt } = placeOf(graph, constants, inputs, outputs);
  return {
    weight: valuesOf(constants.get(product.input[weightAt])!),
    bias: valuesOf(constants.get(sum.input[biasAt])!),
  };
}

/** The same model with other weights in that layer, in single precision, and with other strings beside it. */
export function withLinearLayer(
  bytes: Uint8Array,
  { weight, bias }: LinearLayer,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const message = decode(bytes);
  const { graph } = message;
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const { product, sum, weightAt, biasAt } = placeOf(graph, constantsOf(graph), inputs, outputs);
  // Constants of equal values are stored once: another layer may share these, so they stay and new ones join them.
  const add = (name: string, dims: number[], data: Float32Array) => {
    const free = uniqueName(graph, name);
    graph.initializer.push({ name: free, dims, dataType: DTYPE_CODES.float32, rawData: rawBytes(data) });
    return free;
  };
  product.input[weightAt] = add("adapted.weight", [inputs, outputs], weight);
  sum.input[biasAt] = add("adapted.bias", [outputs], bias);
  dropUnused(graph);
  const kept = message.metadataProps.filter(({ key }: Message) => !(key in metadata));
  message.metadataProps = [...kept, ...Object.entries(metadata).map(([key, value]) => ({ key, value }))];
  return ModelProto.encode(ModelProto.fromObject(message)).finish();
}

/** Constants by the name under which nodes use them, those behind a conversion from half precision included. */
function constantsOf(graph: Message): Map<string, Message> {
  const constants = new Map<string, Message>(graph.initializer.map((t: Message) => [t.name, t]));
  for (const { opType, input, output } of graph.node) {
    const converted = opType === "Cast" && constants.get(input[0]);
    if (converted && converted.dataType === HALF_CODE) constants.set(output[0], converted);
  }
  return constants;
}

function valuesOf({ dataType, rawData }: Message): Float32Array {
  const { buffer, byteOffset, byteLength } = rawData as Uint8Array;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  return dataType === HALF_CODE ? fromHalf(new Uint16Array(bytes)) : new Float32Array(bytes);
}

function placeOf(graph: Message, constants: ReadonlyMap<string, Message>, inputs: number, outputs: number): Place {
  const hasShape = (name: string, shape: readonly number[]) => {
    const constant = constants.get(name);
    const isFloat = constant?.dataType === DTYPE_CODES.float32 || constant?.dataType === HALF_CODE;
    return isFloat && String(constant.dims) === String(shape);
  };
  const constantAt = (node: Message, shape: readonly number[]) =>
    node.input.findIndex((name: string) => hasShape(name, shape));
  const places: Place[] = graph.node.flatMap((product: Message) => {
    const weightAt = product.opType === "MatMul" ? constantAt(product, [inputs, outputs]) : -1;
    if (weightAt !== 1) return [];
    const sum = graph.node.find(
      (node: Message) =>
        node.opType === "Add" && node.input.includes(product.output[0]) && constantAt(node, [outputs]) >= 0,
    );
    return sum ? [{ product, sum, weightAt, biasAt: constantAt(sum, [outputs]) }] : [];
  });
  if (places.length !== 1)
    throw new FormatError(`${places.length} linear layers from ${inputs} to ${outputs}, expected one`);
  return places[0]!;
}

function uniqueName(graph: Message, wanted: string): string {
  const taken = new Set<string>(graph.initializer.map(({ name }: Message) => name));
  let name = wanted;
  for (let k = 2; taken.has(name); k++) name = `${wanted}.${k}`;
  return name;
}

/** What nothing uses any more: the old constants, and their conversion. */
function dropUnused(graph: Message): void {
  const outputs = new Set<string>(graph.output.map(({ name }: Message) => name));
  const usedBy = () => new Set<string>(graph.node.flatMap(({ input }: Message) => input));
  const before = usedBy();
  graph.node = graph.node.filter(
    ({ opType, output }: Message) => opType !== "Cast" || before.has(output[0]) || outputs.has(output[0]),
  );
  const used = usedBy();
  graph.initializer = graph.initializer.filter(({ name }: Message) => used.has(name));
}
