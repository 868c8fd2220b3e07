import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { packArrays, readArrays, type StoredArray, unpackArrays, writeArrays } from "./arrays.ts";

const anyArray = fc.oneof(
  fc.uint8Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
) as fc.Arbitrary<StoredArray>;
const anyFile = fc.record({
  arrays: fc.dictionary(fc.string(), anyArray, { maxKeys: 5 }),
  meta: fc.jsonValue(),
});
/** Equal bit by bit, so that NaN and -0 count. */
const bits = (array: StoredArray) => [
  array.constructor.name,
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("hex"),
];

test("what is packed is unpacked, bit by bit, at any place in a buffer", () => {
  fc.assert(
    fc.property(anyFile, fc.nat({ max: 9 }), (content, shift) => {
      const packed = packArrays(content);
      const moved = new Uint8Array(packed.length + shift + 3).fill(0xaa);
      moved.set(packed, shift);
      const { arrays, meta } = unpackArrays(moved.subarray(shift, shift + packed.length), "x");
      expect(meta).toEqual(JSON.parse(JSON.stringify(content.meta)));
      expect(Object.keys(arrays)).toEqual(Object.keys(content.arrays));
      for (const [name, array] of Object.entries(content.arrays)) expect(bits(arrays[name]!)).toEqual(bits(array));
    }),
  );
});

test("a view stores its own part only, and the same content gives the same bytes", () => {
  const whole = Float32Array.of(1, 2, 3, 4);
  const view = { arrays: { a: whole.subarray(1, 3) }, meta: 1 };
  expect(packArrays(view)).toEqual(packArrays({ arrays: { a: Float32Array.of(2, 3) }, meta: 1 }));
  expect(unpackArrays(packArrays(view), "x").arrays.a).toEqual(Float32Array.of(2, 3));
});

test("names that objects treat specially are names", () => {
  const arrays = Object.fromEntries([
    ["__proto__", Uint8Array.of(1)],
    ["constructor", Uint8Array.of(2)],
  ]);
  expect(Object.entries(unpackArrays(packArrays({ arrays, meta: null }), "x").arrays)).toEqual(Object.entries(arrays));
});

test("unpacked arrays are copies", () => {
  const packed = packArrays({ arrays: { a: Uint8Array.of(1, 2, 3) }, meta: null });
  const { arrays } = unpackArrays(packed, "x");
  packed.fill(0);
  expect(arrays.a).toEqual(Uint8Array.of(1, 2, 3));
});

describe("damage", () => {
  const content = {
    arrays: { image: Uint8Array.of(1, 2, 3, 4, 5), weights: Float64Array.of(1, Number.NaN, -0) },
    meta: { step: 7 },
  };
  const packed = packArrays(content);
  const refused = expect.objectContaining({ code: "file/unreadable", where: "run/state.bin" });

  test("cut anywhere is refused with its path", () => {
    for (let length = 0; length < packed.length; length++) {
      expect(() => unpackArrays(packed.subarray(0, length), "run/state.bin"), `${length} bytes`).toThrow(refused);
    }
    expect(unpackArrays(packed, "run/state.bin").meta).toEqual({ step: 7 });
  });

  test("other files are refused", () => {
    for (const bytes of [Buffer.from("PK\x03\x04 and so on, a zip"), Buffer.alloc(100), Buffer.alloc(100, 0xff)]) {
      expect(() => unpackArrays(bytes, "run/state.bin")).toThrow(refused);
    }
  });

  test("a header that lies about its arrays is refused", () => {
    const header = (entries: unknown) => {
      const json = Buffer.from(JSON.stringify({ entries, meta: null }));
      const start = Buffer.alloc(12);
      start.write("ANDROARR");
      start.writeUInt32LE(json.length, 8);
      const head = Buffer.concat([start, json]);
      return Buffer.concat([head, Buffer.alloc((8 - (head.length % 8)) % 8), Buffer.alloc(32)]);
    };
    const good = { name: "a", type: "int32", length: 2, offset: 8 };
    expect(unpackArrays(header([good]), "x").arrays.a).toEqual(Int32Array.of(0, 0));
    for (const lie of [
      { type: "int64" },
      { length: 9 },
      { length: -1 },
      { length: 1.5 },
      { offset: 32 },
      { offset: -8 },
    ]) {
      expect(() => unpackArrays(header([{ ...good, ...lie }]), "run/state.bin"), JSON.stringify(lie)).toThrow(refused);
    }
  });
});

test("on disk: there and back, a missing file, a cut one", async () => {
  const root = await mkdtemp(join(tmpdir(), "androscope-test-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const path = join(root, "deep", "state.bin");
  const content = { arrays: { a: Int32Array.of(-1, 2) }, meta: { epoch: 3 } };
  await writeArrays(path, content);
  expect(await readArrays(path)).toEqual(content);
  await expect(readArrays(`${path}.none`)).rejects.toMatchObject({ code: "file/not-found" });
  await writeFile(path, (await readFile(path)).subarray(0, 30));
  await expect(readArrays(path)).rejects.toMatchObject({ code: "file/unreadable", where: path });
});
