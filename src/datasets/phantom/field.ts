/** A whole photograph of drawn heads with exact masks: several heads, their tails, debris and droplets on one ground. */
import type { Image } from "../../imaging/index.ts";
import { Random } from "../../runs/index.ts";
import { drawCamera, photograph } from "./camera.ts";
import { DEFAULT_DIFFICULTY, DEFAULT_SIZE } from "./generate.ts";
import {
  type Canvas,
  drawStain,
  drawTail,
  newCanvas,
  type Placement,
  paintDebris,
  paintHead,
  paintTail,
  type Stain,
} from "./paint.ts";
import { drawShape, PHANTOM_CLASSES, type PhantomClass, type Shape } from "./shapes.ts";

export interface PhantomFieldOptions {
  seed: number;
  /** Pixels of the square photograph. */
  size?: number;
  heads?: number;
  /** How many of the heads touch another one. */
  touching?: number;
  difficulty?: number;
}

export interface PhantomFieldHead {
  readonly kind: PhantomClass;
  readonly pose: Placement;
  readonly shape: Shape;
  /** Pixel positions y·size + x that it covers by half or more. */
  readonly pixels: Int32Array;
  /** Part of it lies beyond the photograph. */
  readonly cut: boolean;
}

export interface PhantomField {
  readonly image: Image;
  readonly heads: readonly PhantomFieldHead[];
}

/** Centres are at least so many lengths apart, unless two are to touch. */
const APART = 1.6;
/** One head in so many lies so near the border that it is cut. */
const NEAR_BORDER = 9;

/** The index-th photograph of a set; the same seed gives the same bytes. */
export function phantomField(options: PhantomFieldOptions, index = 0): PhantomField {
  const { seed, size = 4 * DEFAULT_SIZE, heads: count = 10, touching = 0, difficulty = DEFAULT_DIFFICULTY } = options;
  const random = Random.seeded(seed).stream("phantom field", index);
  const stain = drawStain(random.stream("stain"));
  const canvas = newCanvas(size);
  // Debris is drawn for the area of a crop.
  const crops = Math.round((size / DEFAULT_SIZE) ** 2);
  for (let n = 0; n < crops; n++) paintDebris(canvas, stain, random.stream("debris", n));
  const placed: { kind: PhantomClass; shape: Shape; pose: Placement }[] = [];
  for (let n = 0; n < count; n++) {
    const draw = random.stream("head", n);
    const kind = PHANTOM_CLASSES[n % PHANTOM_CLASSES.length]!;
    const shape = drawShape(draw.stream("shape"), kind, difficulty);
    const beside = n > 0 && n <= touching ? placed[n - 1]! : undefined;
    const pose = beside ? besideOf(beside, shape, draw) : freePlace(placed, shape, size, draw, n);
    if (pose) placed.push({ kind, shape, pose });
  }
  for (const [n, head] of placed.entries()) paintTailOf(canvas, head, stain, random.stream("tail", n));
  const heads = placed.map(({ kind, shape, pose }, n) => {
    const { coverage } = paintHead(canvas, shape, pose, stain, random.stream("paint", n));
    const pixels: number[] = [];
    for (let i = 0; i < coverage.length; i++) if (coverage[i]! >= 0.5) pixels.push(i);
    const cut = pixels.some((i) => {
      const x = i % size;
      return x === 0 || x === size - 1 || i < size || i >= size * (size - 1);
    });
    return { kind, shape, pose, pixels: Int32Array.from(pixels), cut };
  });
  const image = photograph(canvas, stain, drawCamera(random.stream("camera"), difficulty), random.stream("noise"));
  return { image, heads };
}

/** Side by side, just touching: the widths' halves apart, across the other's axis. */
function besideOf(other: { pose: Placement; shape: Shape }, shape: Shape, draw: Random): Placement {
  const { pose } = other;
  const distance = 0.5 * (other.shape.width + shape.width);
  const side = draw.uniform() < 0.5 ? -1 : 1;
  return {
    x: pose.x - side * distance * Math.sin(pose.angle),
    y: pose.y + side * distance * Math.cos(pose.angle),
    angle: pose.angle + draw.normal(0, 0.1),
  };
}

function freePlace(
  placed: readonly { pose: Placement; shape: Shape }[],
  shape: Shape,
  size: number,
  draw: Random,
  n: number,
): Placement | undefined {
  const margin = n % NEAR_BORDER === NEAR_BORDER - 1 ? 0 : shape.length;
  for (let attempt = 0; attempt < 200; attempt++) {
    const pose = {
      x: draw.uniform(margin, size - margin),
      y: margin === 0 ? 0.2 * shape.length : draw.uniform(margin, size - margin),
      angle: draw.uniform(-Math.PI, Math.PI),
    };
    const free = placed.every(
      (other) =>
        Math.hypot(other.pose.x - pose.x, other.pose.y - pose.y) > APART * Math.max(shape.length, other.shape.length),
    );
    if (free) return pose;
  }
  return undefined;
}

function paintTailOf(
  canvas: Canvas,
  { shape, pose }: { shape: Shape; pose: Placement },
  stain: Stain,
  tail: Random,
): void {
  const end = shape.length / 2 - 1;
  const start = {
    x: pose.x + end * Math.cos(pose.angle),
    y: pose.y + end * Math.sin(pose.angle),
    angle: pose.angle + tail.normal(0, 0.2),
  };
  paintTail(canvas, start, stain, drawTail(tail), tail);
}
