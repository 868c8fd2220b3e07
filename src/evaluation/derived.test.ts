import { expect, test } from "vitest";
import { phantomDataset } from "../datasets/index.ts";
import { derivedDataset, partOf } from "./derived.ts";

test("grey crops of 35 pixels: other pixels and another hash, everything else the same", async () => {
  const dataset = phantomDataset({ count: 4, seed: 1 });
  const derived = derivedDataset(dataset, "grey-35");
  expect(derived.hash).not.toBe(dataset.hash);
  expect(derivedDataset(dataset, "grey-35").hash).toBe(derived.hash);
  expect(derived.samples.map(({ id, label }) => [id, label])).toEqual(
    dataset.samples.map(({ id, label }) => [id, label]),
  );
  const [before, after] = [await dataset.samples[0]!.load(), await derived.samples[0]!.load()];
  expect([after.width, after.height]).toEqual([35, 35]);
  const luminance = ({ data }: { data: Uint8Array }) => {
    let sum = 0;
    for (let i = 0; i < data.length; i += 3) sum += 0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!;
    return (3 * sum) / data.length;
  };
  expect(Math.abs(luminance(after) - luminance(before))).toBeLessThan(1.5);
  for (let i = 0; i < after.data.length; i += 3) expect(after.data[i]).toBe(after.data[i + 2]);
});

test("some folds alone: the others' images and those without a fold stay out, and it is known by another hash", () => {
  const dataset = phantomDataset({ count: 6, seed: 1 });
  const folds = ["train", "valid", "test", undefined, "train", "test"];
  const samples = dataset.samples.map((sample, i) => {
    const { fold: _, ...rest } = sample;
    return folds[i] === undefined ? rest : { ...rest, fold: folds[i] };
  });
  const part = partOf({ ...dataset, samples }, ["train", "valid"]);
  expect(part.samples).toEqual([0, 1, 4].map((i) => samples[i]));
  const hashes = [dataset, part, partOf(dataset, ["train"])].map(({ hash }) => hash);
  expect(new Set(hashes).size).toBe(3);
});
