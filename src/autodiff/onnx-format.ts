/**
 * The .onnx format with protobufjs. The schema below is the part of onnx.proto (IR version 9) that models need, pinned by
 * its published field numbers; unknown fields of foreign files are skipped.
 */
import protobuf from "protobufjs";
import { FormatError, type TypedArray } from "./tensor.ts";

const field = (type: string, id: number, rule?: "repeated") => (rule ? { rule, type, id } : { type, id });
const schema = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: field("int64", 1),
        producerName: field("string", 2),
        graph: field("GraphProto", 7),
        opsetImport: field("OperatorSetIdProto", 8, "repeated"),
        metadataProps: field("StringStringEntryProto", 14, "repeated"),
      },
    },
    /** A model without its graph, which decoding then passes over. */
    ModelDescription: { fields: { metadataProps: field("StringStringEntryProto", 14, "repeated") } },
    OperatorSetIdProto: { fields: { domain: field("string", 1), version: field("int64", 2) } },
    StringStringEntryProto: { fields: { key: field("string", 1), value: field("string", 2) } },
    GraphProto: {
      fields: {
        node: field("NodeProto", 1, "repeated"),
        name: field("string", 2),
        initializer: field("TensorProto", 5, "repeated"),
        input: field("ValueInfoProto", 11, "repeated"),
        output: field("ValueInfoProto", 12, "repeated"),
      },
    },
    NodeProto: {
      fields: {
        input: field("string", 1, "repeated"),
        output: field("string", 2, "repeated"),
        name: field("string", 3),
        opType: field("string", 4),
        attribute: field("AttributeProto", 5, "repeated"),
        domain: field("string", 7),
      },
    },
    AttributeProto: {
      fields: {
        name: field("string", 1),
        f: field("float", 2),
        i: field("int64", 3),
        s: field("bytes", 4),
        g: field("GraphProto", 6),
        ints: field("int64", 8, "repeated"),
        type: field("int32", 20),
      },
    },
    TensorProto: {
      fields: {
        dims: field("int64", 1, "repeated"),
        dataType: field("int32", 2),
        name: field("string", 8),
        rawData: field("bytes", 9),
      },
    },
    ValueInfoProto: { fields: { name: field("string", 1), type: field("TypeProto", 2) } },
    TypeProto: { fields: { tensorType: field("TensorTypeProto", 1) } },
    TensorTypeProto: { fields: { elemType: field("int32", 1), shape: field("TensorShapeProto", 2) } },
    TensorShapeProto: { fields: { dim: field("DimensionProto", 1, "repeated") } },
    DimensionProto: { fields: { dimValue: field("int64", 1), dimParam: field("string", 2) } },
  },
});
export const ModelProto = schema.lookupType("ModelProto");
export const ModelDescription = schema.lookupType("ModelDescription");

/** ONNX's number for float16. */
export const HALF_CODE = 10;

export function rawBytes(data: TypedArray | Uint16Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

// biome-ignore lint/suspicious/noExplicitAny: protobufjs objects are untyped
export type Message = any;

/** @throws FormatError where the bytes are no Protocol Buffers of this type */
export function decode(bytes: Uint8Array, type = ModelProto): Message {
  try {
    return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true });
  } catch (cause) {
    throw new FormatError(`not an ONNX model, or one cut short: ${(cause as Error).message}`, { cause });
  }
}
