/**
 * Painting phantoms: light through stained matter (Beer and Lambert), optics, camera. Absorbances per channel were read
 * off real smears: a pink ground, a violet acrosome, a nearly black nucleus.
 */
import type { Random } from "../../runs/index.ts";
import { bendOffset, halfWidth, type Shape } from "./shapes.ts";

/** Absorbance of red, green, blue over a crop; painted into, then photographed. */
export interface Canvas {
  readonly size: number;
  readonly absorbance: readonly [Float32Array, Float32Array, Float32Array];
}

export interface Placement {
  x: number;
  y: number;
  /** Direction of the tail end, radians, y down. */
  angle: number;
}

export interface Stain {
  nucleus: readonly [number, number, number];
  acrosome: readonly [number, number, number];
  tail: readonly [number, number, number];
  background: readonly [number, number, number];
}

export function newCanvas(size: number): Canvas {
  const plane = () => new Float32Array(size * size);
  return { size, absorbance: [plane(), plane(), plane()] };
}

/** Draws the dyes of a slide: strength and hue vary from slide to slide and hide nothing of the shape. */
export function drawStain(random: Random): Stain {
  const strength = random.uniform(0.65, 1.35);
  const around = (values: readonly number[], spread: number, taken = 1) =>
    values.map((v) => Math.max(0.02, v * strength * taken * (1 + random.normal(0, spread)))) as unknown as [
      number,
      number,
      number,
    ];
  // Grounds run from a bright pink to a duller salmon.
  const salmon = random.beta(1.1, 1.1);
  const background = [
    Math.min(253, 253 - 14 * salmon + random.normal(0, 3)),
    179 - 22 * salmon + random.normal(0, 6),
    215 - 46 * salmon + random.normal(0, 6),
  ] as const;
  return {
    nucleus: around([0.9, 1.65, 0.8], 0.08),
    // How much the cap takes up varies more than the nucleus does.
    acrosome: around([0.26, 0.68, 0.3], 0.1, random.uniform(0.65, 1.4)),
    tail: around([0.26, 0.42, 0.24], 0.18),
    background,
  };
}

const SUPERSAMPLING = 4;
const smooth = (x: number) => {
  const c = Math.max(0, Math.min(1, x));
  return c * c * (3 - 2 * c);
};

export interface PaintedHead {
  /** Share of every pixel that the head covers. */
  coverage: Float32Array;
  /** 2 acrosome, 3 nucleus, 1 vacuole, 0 outside, by the larger share. */
  parts: Uint8Array;
}

/** Paints a head; its coverage and parts are exact up to the supersampling of 4 × 4. */
export function paintHead(canvas: Canvas, shape: Shape, place: Placement, stain: Stain, random: Random): PaintedHead {
  const { size, absorbance } = canvas;
  const coverage = new Float32Array(size * size);
  const parts = new Uint8Array(size * size);
  const [cos, sin] = [Math.cos(place.angle), Math.sin(place.angle)];
  const reach = shape.length / 2 + 3;
  const texture = lattice(random, 9);
  const tilt = random.normal(0, 0.12);
  const softness = random.uniform(0.45, 1.5);
  const edge = random.uniform(0.05, 0.32);
  const fade = random.uniform(0, 0.5);
  const vacuoles = Array.from({ length: random.uniform() < 0.22 ? 1 + random.integer(2) : 0 }, () => ({
    t: random.uniform(-0.7, -0.15),
    u: random.normal(0, 0.18) * shape.width,
    r: random.uniform(1.1, 2.1),
  }));
  const x0 = Math.max(0, Math.floor(place.x - reach));
  const x1 = Math.min(size - 1, Math.ceil(place.x + reach));
  const y0 = Math.max(0, Math.floor(place.y - reach));
  const y1 = Math.min(size - 1, Math.ceil(place.y + reach));
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      let inside = 0;
      const seen = [0, 0, 0, 0];
      const sum = [0, 0, 0];
      for (let s = 0; s < SUPERSAMPLING ** 2; s++) {
        const dx = x + ((s % SUPERSAMPLING) + 0.5) / SUPERSAMPLING - place.x;
        const dy = y + (Math.floor(s / SUPERSAMPLING) + 0.5) / SUPERSAMPLING - place.y;
        const along = dx * cos + dy * sin;
        const t = (2 * along) / shape.length;
        if (t <= -1 || t >= 1) continue;
        const across = -dx * sin + dy * cos - bendOffset(shape, t);
        const half = halfWidth(shape, t, across < 0 ? 0 : 1);
        if (Math.abs(across) >= half) continue;
        inside++;
        // The border of the cap is curved: it reaches farther back in the middle.
        const depth = Math.abs(across) / half;
        const border = shape.acrosomeEnd + 0.16 * (1 - depth * depth) - 0.08 + tilt * (across / half);
        const nuclear = smooth(0.5 + (t - border) / softness);
        const vacuole = vacuoles.some((v) => Math.hypot(along - (v.t * shape.length) / 2, across - v.u) < v.r);
        const rim = 1 + edge * smooth((depth - 0.6) / 0.4);
        const grain = 1 + 0.16 * readLattice(texture, 9, (t + 1) / 2, (across / half + 1) / 2);
        const light = vacuole ? 0.45 : 1;
        seen[vacuole ? 1 : nuclear > 0.5 ? 3 : 2]! += 1;
        for (let c = 0; c < 3; c++) {
          // Towards the front the cap is thinner and takes less stain.
          const cap = stain.acrosome[c]! * (1.75 - shape.acrosomeLightness) * (1 + fade * (t + 0.5));
          sum[c]! += light * grain * rim * (cap + (stain.nucleus[c]! - cap) * nuclear);
        }
      }
      if (inside === 0) continue;
      const at = y * size + x;
      coverage[at] = inside / SUPERSAMPLING ** 2;
      parts[at] = coverage[at]! >= 0.5 ? seen.indexOf(Math.max(...seen)) : 0;
      for (let c = 0; c < 3; c++) absorbance[c]![at]! += sum[c]! / SUPERSAMPLING ** 2;
    }
  }
  return { coverage, parts };
}

/** Pixels between head and midpiece. */
const NECK = 3;

/** Thickness of a tail at s pixels from the head, as a multiple of its width. */
function profile(s: number, { midpiece, length, bulge }: TailOptions): number {
  const tail = 0.75 - (0.4 * s) / length;
  if (s >= midpiece + 8) return tail;
  const thick = (1.15 - (0.25 * s) / Math.max(1, midpiece)) * bulge;
  const neck = 0.8 + (thick - 0.8) * smooth(s / NECK);
  return tail + (neck - tail) * smooth((midpiece + 8 - s) / 12);
}

export interface TailOptions {
  length: number;
  /** Pixels at the base; it thins towards the end. */
  width: number;
  curl: number;
  strength: number;
  /** Length of the thicker midpiece. */
  midpiece: number;
  /** Its thickness as a multiple of the tail's; above 1 it is granular, with a pale neck before it. */
  bulge: number;
}

/** Draws a whole tail's options. */
export function drawTail(random: Random): TailOptions {
  return {
    length: random.uniform(100, 220),
    width: random.uniform(2.2, 3.2),
    curl: random.uniform(0.4, 1.5),
    strength: random.uniform(0.7, 1.25),
    midpiece: random.uniform(10, 22),
    bulge: 1.1 + 1.3 * random.beta(1.2, 1.5),
  };
}

/** Paints a tail from a point on. @returns 4 where the midpiece, 5 where the tail covers more than half of a pixel */
export function paintTail(
  canvas: Canvas,
  start: Placement,
  stain: Stain,
  options: TailOptions,
  random: Random,
): Uint8Array {
  const { size, absorbance } = canvas;
  const map = new Uint8Array(size * size);
  const cover = new Float32Array(size * size);
  const texture = lattice(random, 9);
  let [x, y, angle, turn] = [start.x, start.y, start.angle, 0];
  for (let s = 0; s < options.length; s += 0.5) {
    turn = 0.985 * turn + random.normal(0, 0.0022 * options.curl);
    angle += turn;
    x += 0.5 * Math.cos(angle);
    y += 0.5 * Math.sin(angle);
    const inMidpiece = s < options.midpiece;
    const half = (options.width * profile(s, options)) / 2;
    const grain = inMidpiece ? 1 + 0.35 * readLattice(texture, 9, s / options.midpiece, 0) : 1;
    const depth = (inMidpiece ? (s < NECK ? 0.55 : 1) * grain : 1) ** Math.min(1, options.bulge - 1);
    for (let py = Math.floor(y - half - 1); py <= y + half + 1; py++) {
      for (let px = Math.floor(x - half - 1); px <= x + half + 1; px++) {
        if (px < 0 || py < 0 || px >= size || py >= size) continue;
        const share = Math.max(0, Math.min(1, half + 0.5 - Math.hypot(px + 0.5 - x, py + 0.5 - y)));
        const at = py * size + px;
        if (share * depth > cover[at]!) cover[at] = share * depth;
        if (share > 0.5 && !map[at]) map[at] = inMidpiece ? 4 : 5;
      }
    }
  }
  for (let at = 0; at < cover.length; at++) {
    if (cover[at]! > 0)
      for (let c = 0; c < 3; c++) absorbance[c]![at]! += options.strength * cover[at]! * stain.tail[c]!;
  }
  return map;
}

/** Debris: dots, threads of other tails, granular clumps. */
export function paintDebris(canvas: Canvas, stain: Stain, random: Random): void {
  const { size, absorbance } = canvas;
  const blob = (x: number, y: number, rx: number, ry: number, strength: number, granular: boolean) => {
    const texture = lattice(random, 7);
    for (let py = Math.max(0, Math.floor(y - ry - 2)); py < Math.min(size, y + ry + 2); py++) {
      for (let px = Math.max(0, Math.floor(x - rx - 2)); px < Math.min(size, x + rx + 2); px++) {
        const d = Math.hypot((px + 0.5 - x) / rx, (py + 0.5 - y) / ry);
        if (d >= 1.15) continue;
        const grain = granular
          ? Math.max(0, 0.55 + 0.9 * readLattice(texture, 7, (px - x) / (2 * rx) + 0.5, (py - y) / (2 * ry) + 0.5))
          : 1;
        const share = smooth((1.15 - d) / 0.3) * strength * grain;
        for (let c = 0; c < 3; c++) absorbance[c]![py * size + px]! += share * stain.acrosome[c]!;
      }
    }
  };
  const anywhere = () => [random.uniform(0, size), random.uniform(0, size)] as const;
  for (let n = random.integer(4); n > 0; n--) {
    const [x, y] = anywhere();
    const r = random.uniform(0.7, 1.9);
    blob(x, y, r, r * random.uniform(0.8, 1.2), random.uniform(0.4, 2.2), false);
  }
  if (random.uniform() < 0.22) {
    const edge = random.uniform(0, 2 * Math.PI);
    const distance = random.uniform(0.3, 0.46) * size;
    blob(
      size / 2 + distance * Math.cos(edge),
      size / 2 + distance * Math.sin(edge),
      random.uniform(4, 10),
      random.uniform(4, 9),
      random.uniform(0.3, 0.75),
      true,
    );
  }
  for (let n = random.uniform() < 0.45 ? 1 + random.integer(2) : 0; n > 0; n--) {
    const side = random.uniform(0, 2 * Math.PI);
    const start = {
      x: size / 2 + 0.75 * size * Math.cos(side),
      y: size / 2 + 0.75 * size * Math.sin(side),
      angle: side + Math.PI + random.normal(0, 0.5),
    };
    paintTail(
      canvas,
      start,
      stain,
      {
        length: random.uniform(60, 190),
        width: random.uniform(1.2, 2),
        curl: random.uniform(1, 3),
        strength: random.uniform(0.35, 0.8),
        midpiece: 0,
        bulge: 1,
      },
      random,
    );
  }
}

/** Random values on a square lattice, about -1 to 1. */
function lattice(random: Random, n: number): Float32Array {
  return Float32Array.from({ length: n * n }, () => random.normal(0, 0.5));
}

/** Smooth reading of a lattice at (u, v) in [0, 1]². */
function readLattice(values: Float32Array, n: number, u: number, v: number): number {
  const [x, y] = [Math.max(0, Math.min(1, u)) * (n - 1.001), Math.max(0, Math.min(1, v)) * (n - 1.001)];
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const [a, b] = [smooth(x - i), smooth(y - j)];
  const at = (dy: number, dx: number) => values[(j + dy) * n + i + dx]!;
  return (at(0, 0) * (1 - a) + at(0, 1) * a) * (1 - b) + (at(1, 0) * (1 - a) + at(1, 1) * a) * b;
}
