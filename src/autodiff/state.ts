/** States as bytes: a JSON header with names and shapes, then the float32 values, little-endian. Byte-stable. */
import type { State } from "./scope.ts";
import { FormatError } from "./tensor.ts";

const MAGIC = "ANDROSTA";

export function serializeState(state: State): Uint8Array {
  const entries = [...state].map(([name, { shape, data }]) => ({ name, shape, length: data.length }));
  const header = new TextEncoder().encode(JSON.stringify(entries));
  const start = Math.ceil((MAGIC.length + 4 + header.length) / 4) * 4;
  const total = entries.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(start + 4 * total);
  bytes.set(new TextEncoder().encode(MAGIC));
  new DataView(bytes.buffer).setUint32(MAGIC.length, header.length, true);
  bytes.set(header, MAGIC.length + 4);
  let at = start;
  for (const { data } of state.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** @throws FormatError where the bytes are no state, or one cut short */
export function parseState(bytes: Uint8Array): State {
  const text = new TextDecoder();
  if (text.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new FormatError("not a training state");
  const cutShort = (cause?: unknown) => new FormatError("a training state cut short", { cause });
  if (bytes.length < MAGIC.length + 4) throw cutShort();
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  let entries: { name: string; shape: number[]; length: number }[];
  try {
    entries = JSON.parse(text.decode(bytes.subarray(MAGIC.length + 4, MAGIC.length + 4 + headerLength)));
  } catch (cause) {
    throw cutShort(cause);
  }
  const values = bytes.slice(Math.ceil((MAGIC.length + 4 + headerLength) / 4) * 4);
  if (values.length !== entries.reduce((sum, { length }) => sum + 4 * length, 0)) throw cutShort();
  const state: State = new Map();
  let at = 0;
  for (const { name, shape, length } of entries) {
    state.set(name, { shape, data: new Float32Array(values.buffer.slice(at, at + 4 * length)) });
    at += 4 * length;
  }
  return state;
}
