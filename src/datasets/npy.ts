/** Reading numpy's .npy (format 1 and 2): byte arrays in C order, which is all that the datasets use. */
import { AndroscopeError } from "../runs/index.ts";

export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** @throws `data/unknown-kind` for anything but a whole array of unsigned bytes (or booleans) in C order */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const refuse = (found: string) =>
    new AndroscopeError("data/unknown-kind", {
      expected: "a .npy array of uint8 in C order",
      found,
      where,
      fix: "Save it with numpy.save(array.astype('uint8')).",
    });
  const magic = String.fromCharCode(...bytes.subarray(1, 6));
  if (bytes[0] !== 0x93 || magic !== "NUMPY" || bytes.length < 12) throw refuse("another kind of file");
  if (bytes[6] !== 1 && bytes[6] !== 2) throw refuse(`format version ${bytes[6]}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6] === 2;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(header)?.[1]
    ?.split(",")
    .map((s) => s.trim())
    .filter(Boolean)
    .map(Number);
  const whole = shape?.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!type || !shape || !whole || !/'fortran_order':\s*False/.test(header)) {
    throw refuse(`a header of ${JSON.stringify(header.slice(0, 80).trim())}`);
  }
  const count = shape.reduce((a, b) => a * b, 1);
  const data = bytes.subarray(start + length);
  if (["|u1", "|b1"].includes(type)) {
    if (data.length !== count) throw refuse(`${data.length} bytes for the shape (${shape})`);
    return { shape, data: new Uint8Array(data) };
  }
  const small = narrowIntegers(type, data, count);
  if (!small) throw refuse(`elements of type ${type}`);
  return { shape, data: small };
}

/** Labels are often saved as wide integers; they are bytes all the same. */
function narrowIntegers(type: string, data: Uint8Array, count: number): Uint8Array | undefined {
  const match = /^<([iu])([248])$/.exec(type);
  const size = Number(match?.[2]);
  if (!match || data.length !== count * size) return undefined;
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    for (let k = 1; k < size; k++) if (data[i * size + k] !== 0) return undefined;
    out[i] = data[i * size]!;
  }
  return out;
}
