import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseNpy } from "./npy.ts";

/** A .npy as numpy writes it: magic, version, header padded to 64 bytes, data. */
function npy(
  descr: string,
  shape: string,
  data: readonly number[],
  { version = 1, fortran = "False" } = {},
): Uint8Array {
  const wide = version > 1;
  const start = wide ? 12 : 10;
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }`;
  const header = `${text.padEnd(Math.ceil((start + text.length + 1) / 64) * 64 - start - 1)}\n`;
  const head = Buffer.alloc(start);
  head.write("\x93NUMPY", "latin1");
  head[6] = version;
  if (wide) head.writeUInt32LE(header.length, 8);
  else head.writeUInt16LE(header.length, 8);
  return Buffer.concat([head, Buffer.from(header, "latin1"), Buffer.from(data)]);
}

test("bytes in C order, versions 1 and 2, and labels saved as wide integers", () => {
  for (const version of [1, 2]) {
    expect(parseNpy(npy("|u1", "2, 3", [1, 2, 3, 4, 5, 6], { version }), "x")).toEqual({
      shape: [2, 3],
      data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    });
  }
  expect(parseNpy(npy("<i4", "2,", [1, 0, 0, 0, 0, 0, 0, 0]), "x").data).toEqual(Uint8Array.of(1, 0));
});

test("everything else is refused", () => {
  const refused = expect.objectContaining({ code: "data/unknown-kind" });
  const whole = npy("|u1", "4,", [1, 2, 3, 4]);
  const bad = {
    fortran: npy("|u1", "2, 2", [1, 2, 3, 4], { fortran: "True" }),
    float: npy("<f4", "1,", [0, 0, 0, 0]),
    objects: npy("|O", "1,", [0]),
    large: npy("<i2", "1,", [0, 1]),
    version: npy("|u1", "4,", [1, 2, 3, 4], { version: 9 }),
    truncated: whole.subarray(0, whole.length - 1),
    longer: Buffer.concat([whole, Buffer.from([1])]),
    headless: whole.subarray(0, 20),
    negative: npy("|u1", "-4,", []),
    nonsense: npy("|u1", "a, b", []),
    text: Buffer.from("this is no array at all"),
    empty: new Uint8Array(0),
  };
  for (const [what, bytes] of Object.entries(bad)) expect(() => parseNpy(bytes, "x"), what).toThrow(refused);
});

const data = process.env.ANDROSCOPE_DATA;
test.skipIf(!data)("the published labels: 418 of 1540 heads are abnormal (needs ANDROSCOPE_DATA)", async () => {
  const labels = await Promise.all(
    ["train", "valid", "test"].map(async (split) =>
      parseNpy(await readFile(join(data!, "mhsma", `y_head_${split}.npy`)), split),
    ),
  );
  expect(labels.map(({ data }) => data.length)).toEqual([1000, 240, 300]);
  expect(labels.flatMap(({ data }) => [...data]).filter((value) => value === 1)).toHaveLength(418);
});
