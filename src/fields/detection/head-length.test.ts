import { expect, test } from "vitest";
import { phantomField } from "../../datasets/index.ts";
import { type Image, quantile, resized } from "../../imaging/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import { estimateHeadLength } from "./head-length.ts";
import { estimateFrom } from "./learn-fields.ts";

const fields = [0, 1].map((index) => phantomField({ seed: 11, heads: 12 }, index));
const truth = quantile(
  fields.flatMap(({ heads }) => heads.map(({ shape }) => shape.length)),
  0.5,
);

test.each([0.5, 1, 1.6])("of drawn heads at %d times their size", async (scale) => {
  const images = await Promise.all(
    fields.map(({ image }) => resized(image, Math.round(image.width * scale), Math.round(image.height * scale))),
  );
  const found = (await estimateHeadLength(images)) / (truth * scale);
  expect(found).toBeGreaterThan(0.8);
  expect(found).toBeLessThan(1.25);
});

test("an empty ground has none, and it is said what to do", async () => {
  const size = 300;
  const image: Image = { width: size, height: size, data: new Uint8Array(size * size * 3).fill(210) };
  await expect(estimateHeadLength([image])).rejects.toMatchObject({
    code: "field/no-scale",
    fix: expect.stringContaining("--head-length"),
  });
});

test("pictures that cannot be read are passed over, unless all are", async () => {
  const broken = async (): Promise<Image> => {
    throw new AndroscopeError("image/truncated", {
      expected: "a picture",
      found: "half of one",
      fix: "Copy it again.",
    });
  };
  const good = async () => fields[0]!.image;
  expect(await estimateFrom([broken, good, broken])).toBeCloseTo(await estimateHeadLength([fields[0]!.image]), 6);
  await expect(estimateFrom([broken, broken])).rejects.toMatchObject({ code: "image/truncated" });
});
