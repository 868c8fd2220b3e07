/**
 * Outlines of phantom heads: a half width on either side of the long axis. Sizes are in pixels of a 131-pixel crop and
 * follow what was measured on HuSHeM (docs/phantoms.md).
 */
import type { Random } from "../../runs/index.ts";

export const PHANTOM_CLASSES = ["Normal", "Tapered", "Pyriform", "Small", "Amorphous"] as const;
export type PhantomClass = (typeof PHANTOM_CLASSES)[number];

/** A head's outline. t runs from -1 at the front tip to 1 at the base, where the tail begins. */
export interface Shape {
  /** Pixels. */
  length: number;
  width: number;
  /** Narrowing towards the base: 0 none, 1 to a point. */
  taper: number;
  /** Narrowing behind the middle only, which makes a pear. */
  waist: number;
  /** Exponent of the oval: 2 an ellipse, above fuller. */
  fullness: number;
  /** Sideways bend of the axis, as a share of the width. */
  bend: number;
  /** Ripples of the left and right side: amplitude and phase of harmonics 1 to 4. */
  ripples: readonly [readonly number[], readonly number[]];
  /** Where the acrosome ends, in t; and how light it is, 0 dark to 1. */
  acrosomeEnd: number;
  acrosomeLightness: number;
}

const mix = (a: number, b: number, share: number) => a + (b - a) * share;

/** Draws a shape of a class. @param difficulty 0 textbook shapes; 1 classes run into each other, as they do for experts */
export function drawShape(random: Random, kind: PhantomClass, difficulty: number): Shape {
  // How far this head strays from the textbook towards a plain oval.
  const stray = difficulty * 0.75 * random.beta(1.2, 2.2);
  const towards = (value: number, oval: number) => mix(value, oval, stray);
  const ripple = (amplitude: number): [number[], number[]] => {
    const side = () => [1, 2, 3, 4].map((h) => (amplitude * random.normal()) / h ** 0.5);
    return [side(), side()];
  };
  const common = {
    fullness: random.normal(2.1, 0.1),
    bend: random.normal(0, 0.03),
    ripples: ripple(0.012),
    acrosomeEnd: random.normal(-0.1, 0.14),
    acrosomeLightness: Math.min(1, Math.max(0.25, random.normal(0.72, 0.15))),
  };
  switch (kind) {
    case "Normal": {
      const length = random.normal(44, 2.8);
      return {
        ...common,
        length,
        width: length / towards(random.normal(1.5, 0.07), 1.75),
        taper: 0.04 + 0.16 * stray,
        waist: 0,
      };
    }
    case "Tapered": {
      const length = random.normal(49, 4.2);
      return {
        ...common,
        length,
        width: length / towards(random.normal(2.15, 0.2), 1.6),
        taper: towards(random.uniform(0.18, 0.34), 0.06),
        waist: 0,
      };
    }
    case "Pyriform": {
      const length = random.normal(50, 4.2);
      return {
        ...common,
        length,
        width: length / towards(random.normal(1.7, 0.14), 1.6),
        taper: 0.12,
        waist: towards(random.uniform(0.34, 0.6), 0.05),
      };
    }
    case "Small": {
      const length = towards(random.normal(31, 2.2), 40);
      return { ...common, length, width: length / random.normal(1.42, 0.09), taper: 0.05, waist: 0 };
    }
    default: {
      const length = random.normal(42.5, 4.8);
      return {
        ...common,
        length,
        width: length / Math.max(1.1, random.normal(1.6, 0.22)),
        taper: random.uniform(-0.1, 0.22),
        waist: random.uniform() < 0.3 ? random.uniform(0.1, 0.4) : 0,
        bend: random.normal(0, 0.16) * (1 - stray),
        ripples: ripple(mix(0.1, 0.03, stray)),
        acrosomeEnd: random.normal(-0.3, 0.25),
        acrosomeLightness: Math.max(0, random.normal(0.4, 0.2)),
      };
    }
  }
}

/** The shape between others: the mean of every measure. */
export function meanShape(shapes: readonly Shape[]): Shape {
  const mean = (measure: (shape: Shape) => number) =>
    shapes.reduce((sum, shape) => sum + measure(shape), 0) / shapes.length;
  const side = (s: 0 | 1) => shapes[0]!.ripples[s].map((_, h) => mean(({ ripples }) => ripples[s][h]!));
  return {
    length: mean(({ length }) => length),
    width: mean(({ width }) => width),
    taper: mean(({ taper }) => taper),
    waist: mean(({ waist }) => waist),
    fullness: mean(({ fullness }) => fullness),
    bend: mean(({ bend }) => bend),
    ripples: [side(0), side(1)],
    acrosomeEnd: mean(({ acrosomeEnd }) => acrosomeEnd),
    acrosomeLightness: mean(({ acrosomeLightness }) => acrosomeLightness),
  };
}

const smoothstep = (x: number) => {
  const c = Math.max(0, Math.min(1, x));
  return c * c * (3 - 2 * c);
};

/** Half width in pixels at t on one side (0 left, 1 right); 0 beyond the tips. */
export function halfWidth(shape: Shape, t: number, side: 0 | 1): number {
  if (t <= -1 || t >= 1) return 0;
  const oval = (1 - Math.abs(t) ** shape.fullness) ** (1 / shape.fullness);
  const tapered = 1 - shape.taper * (t + 1) * 0.5 * 1.6 + shape.taper * 0.4;
  const pear = 1 - shape.waist * smoothstep((t + 0.35) / 1.1);
  // Ripples fade at the tips, so that the sides meet.
  const ripple =
    1 +
    (1 - t * t) ** 0.5 *
      shape.ripples[side].reduce((sum, a, h) => sum + a * Math.cos((h + 1) * Math.PI * (t + 1) * 0.5 + h), 0);
  return Math.max(0, (shape.width / 2) * oval * tapered * pear * ripple);
}

/** Sideways offset of the axis in pixels at t. */
export function bendOffset(shape: Shape, t: number): number {
  return shape.bend * shape.width * (t * t - 0.33);
}

/** Area in pixels, by quadrature along the axis. */
export function shapeArea(shape: Shape, steps = 4000): number {
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const t = -1 + (2 * (i + 0.5)) / steps;
    sum += halfWidth(shape, t, 0) + halfWidth(shape, t, 1);
  }
  return (sum * shape.length) / steps;
}
