/** From absorbance to a photograph: illumination, defocus, the camera's sharpening with its halo, noise. */
import { gaussian, type Image } from "../../imaging/index.ts";
import type { Random } from "../../runs/index.ts";
import type { Canvas, Stain } from "./paint.ts";

export interface CameraOptions {
  /** Defocus in pixels. */
  blur: number;
  /** How strongly the camera sharpens, and over how many pixels: the dark edge and the pale rim of real heads. */
  sharpening: number;
  sharpeningRadius: number;
  /** Shift of red against blue in pixels, x and y: the coloured fringes of real heads. */
  fringe: readonly [number, number];
  /** Noise in grey levels. */
  noise: number;
  /** Fall of the light across the crop, as a share. */
  gradient: number;
}

/** Blue light is the weakest and its noise, amplified, the strongest. */
const OWN_NOISE = [0.6, 0.65, 1.1];

/** Draws a camera within what real crops show. */
export function drawCamera(random: Random, difficulty: number): CameraOptions {
  return {
    blur: random.uniform(0.65, 0.95 + 0.5 * difficulty),
    sharpening: random.uniform(0.2, 1.9),
    sharpeningRadius: random.uniform(1.5, 2.7),
    fringe: [random.normal(0, 0.25), random.normal(0, 0.25)],
    noise: random.uniform(1.6, 4 + difficulty),
    gradient: random.uniform(0, 0.06),
  };
}

export function photograph(
  { size, absorbance }: Canvas,
  { background }: Stain,
  camera: CameraOptions,
  random: Random,
): Image {
  const direction = random.uniform(0, 2 * Math.PI);
  const [gx, gy] = [Math.cos(direction), Math.sin(direction)];
  const shared = noise(size, 0.45, random);
  const data = new Uint8Array(size * size * 3);
  for (let c = 0; c < 3; c++) {
    const light = new Float32Array(size * size);
    for (let i = 0; i < light.length; i++) {
      const fall =
        1 + camera.gradient * ((gx * ((i % size) / size - 0.5) + gy * (Math.floor(i / size) / size - 0.5)) * 2);
      light[i] = background[c]! * fall * Math.exp(-absorbance[c]![i]!);
    }
    // Lenses focus colours at slightly different depths and places.
    const side = c - 1;
    const moved = shifted(light, size, side * camera.fringe[0], side * camera.fringe[1]);
    const plane = gaussian(
      { width: size, height: size, data: moved },
      camera.blur * (c === 0 ? 1.08 : c === 2 ? 1.15 : 1),
    ).data;
    const wide = gaussian({ width: size, height: size, data: plane }, camera.sharpeningRadius).data;
    const own = noise(size, 0.5, random);
    for (let i = 0; i < plane.length; i++) {
      const value =
        plane[i]! +
        camera.sharpening * (plane[i]! - wide[i]!) +
        camera.noise * (0.75 * shared[i]! + OWN_NOISE[c]! * own[i]!);
      data[i * 3 + c] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
  return { width: size, height: size, data };
}

/** A plane moved by parts of a pixel, bilinear; its border pixels go on outside. */
function shifted(values: Float32Array, size: number, dx: number, dy: number): Float32Array {
  const within = (v: number) => Math.max(0, Math.min(size - 1, v));
  const [x0, y0] = [Math.floor(-dx), Math.floor(-dy)];
  const [a, b] = [-dx - x0, -dy - y0];
  return values.map((_, i) => {
    const [x, y] = [(i % size) + x0, Math.floor(i / size) + y0];
    const at = (u: number, v: number) => values[within(v) * size + within(u)]!;
    const top = at(x, y) * (1 - a) + at(x + 1, y) * a;
    return top * (1 - b) + (at(x, y + 1) * (1 - a) + at(x + 1, y + 1) * a) * b;
  });
}

/** Gaussian noise of unit deviation, as soft as demosaicing and compression make it. */
function noise(size: number, softness: number, random: Random): Float32Array {
  const white = new Float32Array(size * size);
  for (let i = 0; i < white.length; i++) white[i] = random.normal();
  const soft = gaussian({ width: size, height: size, data: white }, softness).data;
  const deviation = Math.sqrt(soft.reduce((sum, v) => sum + v * v, 0) / soft.length);
  return soft.map((v) => v / deviation);
}
