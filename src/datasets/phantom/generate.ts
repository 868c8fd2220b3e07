/** One phantom: a stained head with exact mask, parts, pose and label. */
import type { Image, Mask } from "../../imaging/index.ts";
import { Random } from "../../runs/index.ts";
import { type CameraOptions, drawCamera, photograph } from "./camera.ts";
import {
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

export interface PhantomOptions {
  /** Side of the crop in pixels; heads keep their size. */
  size?: number;
  /** 0 textbook shapes, 1 classes that run into each other. */
  difficulty?: number;
  kind: PhantomClass;
  /** The head's outline; drawn for the class where it is not given. */
  shape?: Shape;
}

export interface Phantom {
  image: Image;
  /** 1 inside the head. */
  mask: Mask;
  /** 0 background, 1 vacuole, 2 acrosome, 3 nucleus, 4 midpiece, 5 tail. */
  parts: Mask;
  kind: PhantomClass;
  /** Index into {@link PHANTOM_CLASSES}. */
  label: number;
  /** Centre of the axis and direction of the tail end. */
  pose: Placement;
  shape: Shape;
  stain: Stain;
  camera: CameraOptions;
}

export const DEFAULT_SIZE = 131;
/** Shapes overlap about as much as experts disagree. */
export const DEFAULT_DIFFICULTY = 0.6;

/** Draws one phantom; the same stream gives the same bytes. */
export function generatePhantom(
  random: Random,
  { size = DEFAULT_SIZE, difficulty = DEFAULT_DIFFICULTY, kind, shape: given }: PhantomOptions,
): Phantom {
  const shape = given ?? drawShape(random.stream("shape"), kind, difficulty);
  const stain = drawStain(random.stream("stain"));
  const place = random.stream("place");
  const pose: Placement = {
    x: size / 2 + place.normal(0, 2.2),
    y: size / 2 + place.normal(0, 2.2),
    angle: place.uniform(-Math.PI, Math.PI),
  };
  const canvas = newCanvas(size);
  paintDebris(canvas, stain, random.stream("debris"));
  paintNeighbours(canvas, stain, difficulty, random.stream("neighbours"));
  const end = shape.length / 2 - 1;
  const tail = random.stream("tail");
  const start: Placement = {
    x: pose.x + end * Math.cos(pose.angle),
    y: pose.y + end * Math.sin(pose.angle),
    angle: pose.angle + tail.normal(0, 0.22),
  };
  const tailMap = paintTail(canvas, start, stain, drawTail(tail), tail);
  const { coverage, parts } = paintHead(canvas, shape, pose, stain, random.stream("head"));
  const mask = Uint8Array.from(coverage, (share) => (share >= 0.5 ? 1 : 0));
  for (let i = 0; i < parts.length; i++) if (!parts[i]) parts[i] = tailMap[i]!;
  const camera = drawCamera(random.stream("camera"), difficulty);
  const image = photograph(canvas, stain, camera, random.stream("noise"));
  const dimensions = { width: size, height: size };
  return {
    image,
    mask: { ...dimensions, data: mask },
    parts: { ...dimensions, data: parts },
    kind,
    label: PHANTOM_CLASSES.indexOf(kind),
    pose,
    shape,
    stain,
    camera,
  };
}

/** Now and then another head is cut by the border of the crop. */
function paintNeighbours(canvas: ReturnType<typeof newCanvas>, stain: Stain, difficulty: number, random: Random): void {
  if (random.uniform() > 0.22) return;
  const { size } = canvas;
  const side = random.uniform(0, 2 * Math.PI);
  const distance = size * random.uniform(0.52, 0.62);
  const pose = {
    x: size / 2 + distance * Math.cos(side),
    y: size / 2 + distance * Math.sin(side),
    angle: random.uniform(-Math.PI, Math.PI),
  };
  paintHead(canvas, drawShape(random, random.pick(PHANTOM_CLASSES), difficulty), pose, stain, random);
}

export interface PhantomSetOptions {
  count: number;
  seed: number;
  size?: number;
  difficulty?: number;
  classes?: readonly PhantomClass[];
}

/** The index-th phantom of a set; classes take turns. */
export function phantomOf({ seed, classes = PHANTOM_CLASSES, ...options }: PhantomSetOptions, index: number): Phantom {
  return generatePhantom(Random.seeded(seed).stream("phantom", index), {
    ...options,
    kind: classes[index % classes.length]!,
  });
}

export function* generatePhantoms(options: PhantomSetOptions): Generator<Phantom> {
  for (let i = 0; i < options.count; i++) yield phantomOf(options, i);
}
