import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { isAndroscopeError } from "../runs/index.ts";
import { decodeImage, MAX_PIXELS, readImage, sniff } from "./decode.ts";
import { encodeMaskPng, encodePng } from "./encode.ts";
// Files by Pillow, tifffile or by hand, with their pixels: scripts/images-reference.py
import reference from "./fixtures/images.json" with { type: "json" };

type Known = (typeof reference.images)[number];
const bytesOf = ({ bytes }: Known) => Buffer.from(bytes, "base64");
const named = (name: string) => reference.images.find((image) => image.name === name)!;
const code = (code: string) => expect.objectContaining({ name: "AndroscopeError", code });

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "androscope-test-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, name), content);
  return join(root, name);
}

function expectPixels(data: Uint8Array, { rgb, tolerance }: Known): void {
  expect(data).toHaveLength(rgb.length);
  expect(Math.max(...rgb.map((value, i) => Math.abs(value - data[i]!)))).toBeLessThanOrEqual(tolerance);
}

describe("what other programs wrote", () => {
  test.each(reference.images)("$name", async (known) => {
    const image = await decodeImage(bytesOf(known));
    const { format, bitDepth, width, height } = known;
    expect(image).toMatchObject({ width, height, source: { format, bitDepth } });
    expectPixels(image.data, known);
  });

  test("black ink is nearly black and far from paper, not inverted", async () => {
    const { data, width } = await decodeImage(bytesOf(named("JPEG, CMYK")));
    expect(data[0]).toBeGreaterThan(250);
    expect(data[(width - 1) * 3]).toBeLessThan(52);
  });

  test("a view into a larger buffer is read from its own beginning", async () => {
    for (const known of [named("BMP, 24 bit"), named("PNG, RGB 16 bit")]) {
      const inside = Buffer.concat([Buffer.alloc(13, 7), bytesOf(known), Buffer.alloc(5, 7)]);
      expectPixels((await decodeImage(inside.subarray(13, inside.length - 5))).data, known);
    }
  });
});

describe("content, not name", () => {
  test("PNG data in a .bmp, a bitmap in a .png", async () => {
    for (const [name, known] of [
      ["head.bmp", named("PNG, RGB")],
      ["head.png", named("BMP, 24 bit")],
      ["head", named("JPEG, RGB")],
    ] as const) {
      const image = await readImage(await file(name, bytesOf(known)));
      expect(image.source.format).toBe(known.format);
      expectPixels(image.data, known);
    }
  });

  test("what is no picture is refused, whatever its name", async () => {
    for (const content of [
      "",
      "B",
      "BM",
      "hello, this is text",
      "GIF89a......",
      "RIFF....WAVE....",
      "%PDF-1.7 and more",
    ]) {
      const path = await file("head.png", content);
      await expect(readImage(path)).rejects.toEqual(code("image/unknown-format"));
      await expect(readImage(path)).rejects.toMatchObject({ where: path });
      expect(sniff(Buffer.from(content))).toBeUndefined();
    }
  });

  test("a missing file and a folder have their codes", async () => {
    const path = await file("x.png", "");
    await expect(readImage(`${path}.none`)).rejects.toEqual(code("file/not-found"));
    await expect(readImage(join(path, ".."))).rejects.toMatchObject({ name: "AndroscopeError" });
  });
});

describe("damage", () => {
  test.each(reference.images)("$name cut anywhere: all of its pixels or a coded error", async (known) => {
    const whole = bytesOf(known);
    const step = Math.max(1, Math.floor(whole.length / 40));
    let refused = 0;
    for (let length = 0; length < whole.length; length += step) {
      try {
        expectPixels((await decodeImage(whole.subarray(0, length))).data, known);
      } catch (error) {
        if (!isAndroscopeError(error)) throw error;
        expect(["image/truncated", "image/unknown-format"]).toContain(error.code);
        refused++;
      }
    }
    // Only what follows the pixels may be missing.
    expect(refused).toBeGreaterThanOrEqual(Math.floor(whole.length / step / 2));
  });

  test("random changes give a picture or a coded error, nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...reference.images),
        fc.array(
          fc.tuple(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 0, max: 255 })),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (known, changes) => {
          const bytes = bytesOf(known);
          for (const [share, value] of changes) bytes[Math.floor(share * Math.min(bytes.length, 200))] = value;
          try {
            // A changed header may announce anything up to the limit: keep that small here.
            const image = await decodeImage(bytes, "changed", 1e6);
            expect(image.data).toHaveLength(image.width * image.height * 3);
          } catch (error) {
            if (!isAndroscopeError(error)) throw error;
            expect(error.code).toMatch(/^image\//);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("what is refused from the header alone", () => {
  const side = 20_000;
  const bmp = bytesOf(named("BMP, 24 bit"));
  bmp.writeInt32LE(side, 18);
  bmp.writeInt32LE(side, 22);
  const png = bytesOf(named("PNG, RGB"));
  png.writeUInt32BE(side, 16);
  png.writeUInt32BE(side, 20);
  png.writeUInt32BE(crcOf(png.subarray(12, 29)), 29);
  const jpeg = bytesOf(named("JPEG, RGB"));
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(side, frame + 5);
  jpeg.writeUInt16BE(side, frame + 7);

  test.each([
    ["BMP", bmp],
    ["PNG", png],
    ["JPEG", jpeg],
  ])("%s of 20000 × 20000, whose pixels are not even there", async (_, bytes) => {
    await expect(decodeImage(bytes)).rejects.toEqual(code("image/too-large"));
    await expect(decodeImage(bytes)).rejects.toMatchObject({ found: "20000×20000" });
  });

  test("the limit is inclusive and can be set", async () => {
    expect(MAX_PIXELS).toBe(100_000_000);
    for (const known of [named("BMP, 24 bit"), named("PNG, RGB")]) {
      const pixels = known.width * known.height;
      expectPixels((await decodeImage(bytesOf(known), "x", pixels)).data, known);
      await expect(decodeImage(bytesOf(known), "x", pixels - 1)).rejects.toEqual(code("image/too-large"));
    }
  });

  test("bitmaps of other kinds", async () => {
    const changed = (write: (bytes: Buffer) => void) => {
      const bytes = bytesOf(named("BMP, 24 bit"));
      write(bytes);
      return decodeImage(bytes);
    };
    await expect(changed((b) => b.writeUInt32LE(3, 30))).rejects.toEqual(code("image/unknown-format"));
    await expect(changed((b) => b.writeUInt16LE(4, 28))).rejects.toEqual(code("image/unknown-format"));
    await expect(changed((b) => b.writeUInt32LE(12, 14))).rejects.toEqual(code("image/unknown-format"));
    await expect(changed((b) => b.writeInt32LE(-7, 18))).rejects.toEqual(code("image/truncated"));
    await expect(changed((b) => b.writeInt32LE(0, 22))).rejects.toEqual(code("image/truncated"));
  });

  test("samples without an agreed white: floating point, signed, 32 bit", async () => {
    for (const [bits, kind] of [
      [32, 3],
      [16, 2],
      [32, 1],
    ] as const) {
      await expect(decodeImage(greyTiff(bits, kind))).rejects.toEqual(code("image/unknown-format"));
    }
    expect(await decodeImage(greyTiff(16, 1))).toMatchObject({ width: 2, height: 2, source: { bitDepth: 16 } });
  });
});

describe("encoding", () => {
  test("a picture and a mask come back from PNG", async () => {
    const data = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 37) % 256);
    expect(await decodeImage(await encodePng({ width: 5, height: 4, data }))).toMatchObject({
      width: 5,
      height: 4,
      data,
    });
    const mask = Uint8Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const image = await decodeImage(await encodeMaskPng({ width: 5, height: 4, data: mask }));
    expect(image.source.channels).toBe(1);
    expect([...image.data]).toEqual([...mask].flatMap((v) => [v * 255, v * 255, v * 255]));
  });
});

/** CRC-32 as PNG chunks use it, bit by bit. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A grey 2 × 2 TIFF. @param kind SampleFormat: 1 unsigned, 2 signed, 3 floating point */
function greyTiff(bits: number, kind: number): Buffer {
  const tags = [
    [256, 2],
    [257, 2],
    [258, bits],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, 2],
    [279, bits / 2],
    [339, kind],
  ] as const;
  const start = 8 + bits / 2;
  const bytes = Buffer.alloc(start + 2 + tags.length * 12 + 4);
  bytes.write("II*\0", "latin1");
  bytes.writeUInt32LE(start, 4);
  bytes.writeUInt16LE(tags.length, start);
  for (const [i, [tag, value]] of tags.entries()) {
    const at = start + 2 + i * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(3, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt16LE(value, at + 8);
  }
  return bytes;
}
