/** The reader of MHSMA on arrays made up here; open.test.ts reads the published ones where they are. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { combinedClasses, MHSMA_STRUCTURES, openMhsma } from "./mhsma.ts";

function npy(shape: readonly number[], data: readonly number[]): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117);
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"),
    Buffer.from(`${header}\n`),
    Uint8Array.from(data),
  ]);
}

/** Eight crops in each part, one for every combination of head, acrosome and vacuole; the sizes differ in grey. */
async function made(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "androscope-mhsma-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  for (const split of ["train", "valid", "test"]) {
    for (const size of [64, 128]) {
      const pixels = all.flatMap(() => new Array<number>(size * size).fill(size));
      await writeFile(join(root, `x_${size}_${split}.npy`), npy([8, size, size], pixels));
    }
    for (const [bit, structure] of MHSMA_STRUCTURES.entries()) {
      const labels = all.map((i) => (i >> bit) & 1);
      await writeFile(join(root, `y_${structure}_${split}.npy`), npy([8], labels));
    }
  }
  return root;
}

test("combinations are eight classes, from which each structure's label can be read again", async () => {
  const root = await made();
  const all = (await openMhsma(root, { attribute: "all" }))!;
  expect(all.classes).toHaveLength(8);
  expect([all.classes[0], all.classes[3], all.classes[7]]).toEqual([
    "Normal",
    "Abnormal head and acrosome",
    "Abnormal head and acrosome and vacuole",
  ]);
  for (const attribute of MHSMA_STRUCTURES) {
    const single = (await openMhsma(root, { attribute }))!;
    expect(single.classes).toEqual(["Normal", "Abnormal"]);
    const abnormal = combinedClasses(attribute);
    expect(single.samples.map(({ label }) => label)).toEqual(all.samples.map(({ label }) => Number(abnormal[label!])));
    expect(single.hash).not.toBe(all.hash);
  }
});

test("the size of the crops is the large one, or what is asked for", async () => {
  const root = await made();
  for (const [size, side] of [
    [undefined, 128],
    [64, 64],
    [128, 128],
  ] as const) {
    const { samples } = (await openMhsma(root, { attribute: "head", size }))!;
    const image = await samples[0]!.load();
    expect([image.width, image.height, image.data[0]]).toEqual([side, side, side]);
    expect(samples[0]!.id).toBe(`x_${side}_train.npy#0`);
  }
});

test("a label that is neither 0 nor 1 is refused", async () => {
  const root = await made();
  await writeFile(join(root, "y_vacuole_valid.npy"), npy([8], [0, 1, 2, 0, 0, 0, 0, 0]));
  const code = expect.objectContaining({ code: "data/unknown-kind" });
  await expect(openMhsma(root, { attribute: "all" })).rejects.toEqual(code);
  await expect(openMhsma(root, { attribute: "vacuole" })).rejects.toEqual(code);
  expect(await openMhsma(root, { attribute: "head" })).toBeDefined();
});
