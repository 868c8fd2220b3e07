/**
 * Arrays in one file: a JSON header with names, types, shapes and free metadata, then the bytes, little-endian, each
 * array aligned to 8. Byte-stable: the same content gives the same file.
 */
import { AndroscopeError } from "./errors.ts";
import { readBytes, writeFileAtomic } from "./files.ts";

const MAGIC = "ANDROARR";
const TYPES = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array } as const;
type TypeName = keyof typeof TYPES;
interface Entry {
  name: string;
  type: TypeName;
  length: number;
  offset: number;
}
export type StoredArray = Uint8Array | Int32Array | Float32Array | Float64Array;

export interface ArrayFile {
  arrays: Record<string, StoredArray>;
  meta: unknown;
}

const padded = (n: number) => Math.ceil(n / 8) * 8;

export function packArrays({ arrays, meta }: ArrayFile): Uint8Array {
  let offset = 0;
  const entries = Object.entries(arrays).map(([name, array]): Entry => {
    const type = (Object.keys(TYPES) as TypeName[]).find((t) => array instanceof TYPES[t])!;
    const entry = { name, type, length: array.length, offset };
    offset += padded(array.byteLength);
    return entry;
  });
  const header = new TextEncoder().encode(JSON.stringify({ entries, meta }));
  const start = padded(MAGIC.length + 4 + header.length);
  const bytes = new Uint8Array(start + offset);
  bytes.set(new TextEncoder().encode(MAGIC));
  new DataView(bytes.buffer).setUint32(MAGIC.length, header.length, true);
  bytes.set(header, MAGIC.length + 4);
  for (const entry of entries) {
    const array = arrays[entry.name]!;
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), start + entry.offset);
  }
  return bytes;
}

/** @param copy false: the arrays may be views of `bytes`, which nobody may change any more */
export function unpackArrays(bytes: Uint8Array, where: string, { copy = true } = {}): ArrayFile {
  try {
    const text = new TextDecoder("utf-8", { fatal: true });
    if (text.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new Error("another kind of file");
    const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
    const headerEnd = MAGIC.length + 4 + headerLength;
    const { entries, meta } = JSON.parse(text.decode(bytes.subarray(MAGIC.length + 4, headerEnd)));
    const start = padded(headerEnd);
    const unpack = ({ name, type, length, offset }: Entry): [string, StoredArray] => {
      if (![length, offset].every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error("a damaged header");
      const byteLength = length * TYPES[type].BYTES_PER_ELEMENT;
      const from = bytes.byteOffset + start + offset;
      if (start + offset + byteLength > bytes.length) throw new Error("a truncated file");
      const Type = TYPES[type];
      // A view must be aligned, and where `bytes` lies in its buffer is not for us to say.
      if (!copy && from % 8 === 0) return [name, new Type(bytes.buffer as ArrayBuffer, from, length)];
      return [name, new Type(bytes.buffer.slice(from, from + byteLength) as ArrayBuffer)];
    };
    return { arrays: Object.fromEntries((entries as Entry[]).map(unpack)), meta };
  } catch (cause) {
    throw new AndroscopeError("file/unreadable", {
      expected: "an intact file of arrays",
      found: (cause as Error).message,
      where,
      fix: "Remove the file and run again.",
      cause,
    });
  }
}

export async function writeArrays(path: string, content: ArrayFile): Promise<void> {
  await writeFileAtomic(path, packArrays(content));
}

export async function readArrays(path: string): Promise<ArrayFile> {
  // The bytes are ours alone: views of them, so that crops of gigabytes are not in memory twice.
  return unpackArrays(await readBytes(path), path, { copy: false });
}
