/**
 * What may befall a test image that should not change its class (other microscopes, stains, hands), and what takes away
 * what the class is about, so that only a shortcut is left. Made of the image and stage 0's pseudo-mask, never of the
 * masks of the network that is tested.
 */
import { blurred, dilate, type Image, type Mask, resized, turned } from "../imaging/index.ts";
import type { Random } from "../runs/index.ts";

/** A test image with what image processing knows of it. */
export interface Specimen {
  image: Image;
  /** Stage 0's mask of the head, at the image's size. */
  mask: Mask;
  /** Index of its class. */
  label: number;
}

export interface Alteration {
  /** What it does, for a reader of the table. */
  what: string;
  /**
   * A shift should leave the prediction as it is. A shortcut takes the head away, or all but its outline: where the
   * class is still found, it was found there.
   */
  kind: "shift" | "shortcut";
  /** @param others images to borrow from, of any class */
  apply(specimen: Specimen, random: Random, others: readonly Specimen[]): Image | Promise<Image>;
}

type Colour = readonly [number, number, number];

const shift = (what: string, apply: Alteration["apply"]): Alteration => ({ what, kind: "shift", apply });
const shortcut = (what: string, apply: Alteration["apply"]): Alteration => ({ what, kind: "shortcut", apply });

/** Radius of the disk that hides a head, as a share of the crop's shorter side. A mask would leave its outline to read. */
const HEAD_DISK = 0.44;

export const ALTERATIONS = {
  "quarter-turns": shift("turned by 90, 180 or 270 degrees, pixel for pixel", ({ image }, random) =>
    quarterTurned(image, 1 + random.integer(3)),
  ),
  turned: shift("turned by a random angle", ({ image, mask }, random) =>
    turned(image, random.uniform(0, 360), backgroundOf(image, mask)),
  ),
  mirrored: shift("mirrored", ({ image }) => mirrored(image)),
  brighter: shift("a fifth brighter", ({ image }) => mapped(image, (value) => 1.2 * value)),
  darker: shift("a fifth darker", ({ image }) => mapped(image, (value) => 0.8 * value)),
  "pale-stain": shift("stain two thirds as strong", ({ image, mask }) => restained(image, mask, [0.67, 0.67, 0.67])),
  "strong-stain": shift("stain half as strong again", ({ image, mask }) => restained(image, mask, [1.5, 1.5, 1.5])),
  "other-stain": shift("stain of another hue: absorbs more red and less green", ({ image, mask }) =>
    restained(image, mask, [1.4, 0.75, 1]),
  ),
  tinted: shift("lamp of another colour: red +12 %, blue −12 %", ({ image }) =>
    mapped(image, (value, channel) => value * [1.12, 1, 0.88][channel]!),
  ),
  grey: shift("without colour", ({ image }) => greyed(image)),
  blurred: shift("out of focus: Gaussian of 2 pixels", ({ image }) => blurred(image, 2)),
  noisy: shift("noise of 12 grey levels", ({ image }, random) =>
    mapped(image, (value) => value + random.normal(0, 12)),
  ),
  "35-pixels": shift("35 × 35 pixels and grey, then enlarged: the detail that SCIAN has", async ({ image }) =>
    greyed(await resized(await resized(image, 35, 35), image.width, image.height)),
  ),
  "background-only": shortcut("a disk of background colour over the head", ({ image, mask }) =>
    painted(image, diskOf(image), backgroundOf(image, mask)),
  ),
  "outline-only": shortcut("head and background each in one grey, the same in all images", ({ image, mask }) =>
    flat(image, mask),
  ),
  "other-background": shortcut(
    "the head on the background of another class",
    ({ image, mask, label }, random, others) => {
      const donors = others.filter((other) => other.label !== label);
      return donors.length === 0 ? image : transplanted(image, mask, random.pick(donors));
    },
  ),
} satisfies Record<string, Alteration>;

export type AlterationName = keyof typeof ALTERATIONS;

const clamp = (value: number) => Math.max(0, Math.min(255, Math.round(value)));

function mapped(image: Image, value: (value: number, channel: number) => number): Image {
  return { ...image, data: image.data.map((old, i) => clamp(value(old, i % 3))) };
}

function mirrored({ width, height, data }: Image): Image {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      out.set(data.subarray(from, from + 3), (y * width + width - 1 - x) * 3);
    }
  }
  return { width, height, data: out };
}

/** Turned clockwise by so many right angles. */
export function quarterTurned(image: Image, turns: number): Image {
  let { width, height, data } = image;
  for (let turn = 0; turn < turns; turn++) {
    const out = new Uint8Array(data.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = (y * width + x) * 3;
        out.set(data.subarray(from, from + 3), (x * height + height - 1 - y) * 3);
      }
    }
    [width, height, data] = [height, width, out];
  }
  return { width, height, data };
}

/** Luminance of ITU-R BT.601 in all channels. */
export function greyed(image: Image): Image {
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const [r, g, b] = image.data.subarray(i, i + 3) as unknown as Colour;
    data.fill(clamp(0.299 * r + 0.587 * g + 0.114 * b), i, i + 3);
  }
  return { ...image, data };
}

/** Median colour away from the head. */
export function backgroundOf({ width, data }: Image, mask: Mask): Colour {
  const away = dilate(mask, 4).data;
  const counts = [0, 1, 2].map(() => new Uint32Array(256));
  let total = 0;
  for (let i = 0; i < away.length; i++) {
    if (away[i]) continue;
    total++;
    for (let c = 0; c < 3; c++) counts[c]![data[i * 3 + c]!]! += 1;
  }
  if (total === 0) return [data[0]!, data[1]!, data[(width - 1) * 3 + 2]!];
  return counts.map((count) => {
    let sum = 0;
    return count.findIndex((n) => (sum += n) * 2 >= total);
  }) as unknown as Colour;
}

/** Absorbance against the background times a factor for each colour (Beer and Lambert). */
function restained(image: Image, mask: Mask, factors: Colour): Image {
  const background = backgroundOf(image, mask);
  return mapped(image, (value, c) => {
    const light = Math.max(1, background[c]!);
    return light * (Math.max(1, value) / light) ** factors[c]!;
  });
}

function diskOf({ width, height }: Image): Mask {
  const radius = HEAD_DISK * Math.min(width, height);
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((x + 0.5 - width / 2) ** 2 + (y + 0.5 - height / 2) ** 2 < radius ** 2) data[y * width + x] = 1;
    }
  }
  return { width, height, data };
}

function painted(image: Image, where: Mask, colour: Colour): Image {
  const data = image.data.slice();
  for (let i = 0; i < where.data.length; i++) if (where.data[i]) data.set(colour, i * 3);
  return { ...image, data };
}

function flat(image: Image, mask: Mask): Image {
  const data = new Uint8Array(image.data.length).fill(205);
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i]) data.fill(110, i * 3, i * 3 + 3);
  return { ...image, data };
}

/** The head with two pixels around it, in place, on the donor's background; the donor's own head is painted over. */
function transplanted(image: Image, mask: Mask, donor: Specimen): Image {
  const { width, height } = image;
  const ground = painted(donor.image, diskOf(donor.image), backgroundOf(donor.image, donor.mask));
  const near = dilate(mask, 2).data;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * 3;
      const at = (Math.min(y, ground.height - 1) * ground.width + Math.min(x, ground.width - 1)) * 3;
      data.set(near[to / 3] ? image.data.subarray(to, to + 3) : ground.data.subarray(at, at + 3), to);
    }
  }
  return { width, height, data };
}
