/** From absorbance to a photograph: illumination, defocus, the camera's sharpening with its halo, noise. */
import { gaussian, type Image } from "../../imaging/index.ts";
import type { Random } from "../../runs/index.ts";
import type { Canvas, Stain } from "./paint.ts";

export interface CameraOptions {
  /** Defocus in pixels. */
  blur: number;
  /** How strongly the camera sharpens: the pale rim around real heads. */
  sharpening: number;
  /** Noise in grey levels. */
  noise: number;
  /** Fall of the light across the crop, as a share. */
  gradient: number;
}

/** Draws a camera within what real crops show. */
export function drawCamera(random: Random, difficulty: number): CameraOptions {
  return {
    blur: random.uniform(0.65, 0.95 + 0.5 * difficulty),
    sharpening: random.uniform(0.5, 1.1),
    noise: random.uniform(1.4, 3 + difficulty),
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
  const shared = noise(size, 0.55, random);
  const data = new Uint8Array(size * size * 3);
  for (let c = 0; c < 3; c++) {
    const light = new Float32Array(size * size);
    for (let i = 0; i < light.length; i++) {
      const fall =
        1 + camera.gradient * ((gx * ((i % size) / size - 0.5) + gy * (Math.floor(i / size) / size - 0.5)) * 2);
      light[i] = background[c]! * fall * Math.exp(-absorbance[c]![i]!);
    }
    // Lenses focus colours at slightly different depths.
    const plane = gaussian(
      { width: size, height: size, data: light },
      camera.blur * (c === 0 ? 1.08 : c === 2 ? 1.15 : 1),
    ).data;
    const wide = gaussian({ width: size, height: size, data: plane }, 1.9).data;
    const own = noise(size, 0.8, random);
    for (let i = 0; i < plane.length; i++) {
      const value =
        plane[i]! + camera.sharpening * (plane[i]! - wide[i]!) + camera.noise * (0.75 * shared[i]! + 0.8 * own[i]!);
      data[i * 3 + c] = Math.max(0, Math.min(255, Math.round(value)));
    }
  }
  return { width: size, height: size, data };
}

/** Gaussian noise of unit deviation, as soft as demosaicing and compression make it. */
function noise(size: number, softness: number, random: Random): Float32Array {
  const white = Float32Array.from({ length: size * size }, () => random.normal());
  const soft = gaussian({ width: size, height: size, data: white }, softness).data;
  const deviation = Math.sqrt(soft.reduce((sum, v) => sum + v * v, 0) / soft.length);
  return soft.map((v) => v / deviation);
}
