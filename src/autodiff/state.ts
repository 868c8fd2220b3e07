/** States as bytes: a JSON header with names and shapes, then the float32 values, little-endian. Byte-stable. */
import type { State } from "./scope.ts";

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

/** @throws Error where the bytes are no state or cut short */
export function parseState(bytes: Uint8Array): State {
  const text = new TextDecoder();
  if (text.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new Error("not a training state");
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  const entries = JSON.parse(text.decode(bytes.subarray(MAGIC.length + 4, MAGIC.length + 4 + headerLength)));
  const values = bytes.slice(Math.ceil((MAGIC.length + 4 + headerLength) / 4) * 4);
  const state: State = new Map();
  let at = 0;
  for (const { name, shape, length } of entries as { name: string; shape: number[]; length: number }[]) {
    if (at + 4 * length > values.length) throw new Error("a truncated training state");
    state.set(name, { shape, data: new Float32Array(values.buffer.slice(at, at + 4 * length)) });
    at += 4 * length;
  }
  return state;
}
