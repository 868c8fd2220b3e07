/**
 * The two learning steps against PyTorch over twenty steps, augmentation, losses, clipping, optimiser and weight average
 * included: scripts/pytorch-learning-reference.py stored what PyTorch made of them. Crops and views are drawn here and
 * there from the same generator.
 */
import { describe, test } from "vitest";
import { expectAsReference, readReference, type Settings } from "../../tests/pytorch-reference.ts";
import { channelBlock } from "../autodiff/index.ts";
import { Random } from "../runs/random.ts";
import { type Config, resolveConfig } from "./config.ts";
import { distillStep } from "./distill.ts";
import type { PreparedSet } from "./prepare.ts";
import type { Geometry } from "./segment.ts";
import { tuneStep } from "./tune.ts";

interface LearningSettings extends Settings {
  network: Config["network"];
  geometry: Geometry;
  side: number;
}

/** Draws per drawn head. */
const DRAWS = 12;

/** Rows of uniform numbers. */
function rows(random: Random, count: number, width: number): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: width }, () => random.uniform()));
}

/** A disk from three draws: its row and radius in pixels, and the distance of pixels to its centre. */
function disk([x, y, r]: readonly number[], side: number) {
  const [cx, cy] = [side * (0.4 + 0.2 * x!), side * (0.4 + 0.2 * y!)];
  return {
    cy,
    radius: side * (0.15 + 0.2 * r!),
    distance: (row: number, column: number) => Math.sqrt((column - cx) ** 2 + (row - cy) ** 2),
  };
}

/** Coloured disks on coloured ground with noise, their targets and sizes. */
function crops({ seed, side }: LearningSettings, step: number, count: number) {
  const root = Random.seeded(seed);
  const draws = rows(root.stream("heads", step), count, DRAWS);
  const noise = root.stream("noise", step);
  const pixels = new Uint8Array(count * side * side * 3);
  const targets = new Uint8Array(count * side * side * 3);
  let at = 0;
  for (const d of draws) {
    const { cy, radius, distance } = disk(d, side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++, at += 3) {
        const far = distance(y, x);
        const inside = far < radius;
        for (let c = 0; c < 3; c++) {
          const colour = inside ? 40 + 80 * d[6 + c]! : 130 + 80 * d[3 + c]!;
          pixels[at + c] = Math.floor(colour + 40 * (noise.uniform() - 0.5));
        }
        targets[at] = inside ? 255 : 0;
        const signed = Math.max(-1, Math.min(1, (radius - far) / radius));
        targets[at + 1] = Math.floor(127.5 + 127.5 * signed + 0.5);
        targets[at + 2] = inside && y < cy ? 255 : 0;
      }
    }
  }
  const sizes = draws.flatMap((d) => [side - Math.floor(6 * d[9]!), side - Math.floor(6 * d[10]!)]);
  return { pixels, targets, sizes };
}

/** Windows turned, zoomed and shifted at random, and the angles. @param sizes width and height per view */
function maps({ seed }: Settings, step: number, sizes: readonly number[], extent: number) {
  const draws = rows(Random.seeded(seed).stream("views", step), sizes.length / 2, 4);
  const angles = draws.map((d) => 2 * Math.PI * d[0]!);
  const theta = draws.flatMap((d, i) => {
    const half = (extent / 2) * (0.7 + 0.5 * d[1]!);
    const [cos, sin] = [half * Math.cos(angles[i]!), half * Math.sin(angles[i]!)];
    const [x, y] = [0, 1].map((k) => sizes[2 * i + k]! / 2 + 8 * (d[2 + k]! - 0.5));
    return [cos, -sin, x!, sin, cos, y!];
  });
  return { theta: Float32Array.from(theta), angles };
}

function uniform({ seed }: Settings, name: string, step: number, count: number, low = 0, high = 1): Float32Array {
  const random = Random.seeded(seed).stream(name, step);
  return Float32Array.from({ length: count }, () => random.uniform(low, high));
}

/** What a step reads of a prepared set: sizes and names only. */
const setOf = (side: number, classes: number) =>
  ({ side, classes: Array.from({ length: classes }, (_, c) => `class ${c}`) }) as unknown as PreparedSet;

/** Graphs for any provider, and those on the processor's blocks of channels; the widths and batches fit them. */
const block = await channelBlock();
const TARGETS = [{ channelBlock: 0 }, ...(block > 0 ? [{ channelBlock: block }] : [])];

describe.each(TARGETS)("twenty AdamW steps as in PyTorch, blocks of $channelBlock channels", (target) => {
  test("stage 1, distillation", async () => {
    const stored = readReference<LearningSettings & { tasks: Config["distill"]["tasks"] }>("distill", import.meta.url);
    const { settings } = stored;
    const { network, geometry, side, batch, tasks, weightDecay, clipNorm } = settings;
    const config = resolveConfig({ network, distill: { batch, tasks, weightDecay, clipNorm } });
    const heads = batch / 2;
    await expectAsReference(stored, distillStep(setOf(side, 0), geometry, config, target), (step) => {
      const { sizes, ...images } = crops(settings, step, heads);
      const { theta, angles } = maps(settings, step, [...sizes, ...sizes], geometry.frameExtent);
      const turn = Array.from({ length: heads }, (_, i) => angles[i]! - angles[heads + i]!);
      return {
        ...images,
        sizes: Float32Array.from(sizes),
        theta,
        gains: uniform(settings, "gains", step, 6 * heads, 0.8, 1.2),
        trust: uniform(settings, "trust", step, heads),
        turn: Float32Array.from(turn.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
      };
    });
  });

  test("stage 2, tuning", async () => {
    const stored = readReference<
      LearningSettings & { classes: number; labelSmoothing: number; dropout: number; margin: number }
    >("tune", import.meta.url);
    const { settings } = stored;
    const { network, geometry, side, batch, classes, labelSmoothing, dropout, margin, weightDecay, clipNorm } =
      settings;
    const tune = { batch, labelSmoothing, dropout, suppress: { margin: [2, margin] }, weightDecay, clipNorm };
    const config = resolveConfig({ network, tune });
    const posed = { set: setOf(side, classes), heads: new Map(), geometry };
    const view = network.viewSize;
    await expectAsReference(stored, tuneStep(posed, config, target), (step) => {
      const { pixels, sizes } = crops(settings, step, batch);
      const draws = rows(Random.seeded(settings.seed).stream("frames", step), batch, DRAWS);
      const frames = new Uint8Array(batch * view * view);
      const margins = new Float32Array(batch * (margin + 1));
      const labels = new Float32Array(batch * classes);
      for (const [i, d] of draws.entries()) {
        const { radius, distance } = disk(d, view);
        for (let y = 0; y < view; y++) {
          for (let x = 0; x < view; x++) {
            const inside = Math.max(0, Math.min(1, (radius - distance(y, x)) / 2 + 0.5));
            frames[(i * view + y) * view + x] = Math.floor(255 * inside);
          }
        }
        margins[i * (margin + 1) + Math.floor(d[3]! * (margin + 1))] = 1;
        // Two experts, who need not agree.
        labels[i * classes + Math.floor(d[4]! * classes)]! += 0.75;
        labels[i * classes + Math.floor(d[5]! * classes)]! += 0.25;
      }
      return {
        pixels,
        frames,
        sizes: Float32Array.from(sizes),
        theta: maps(settings, step, sizes, geometry.viewExtent).theta,
        gains: uniform(settings, "gains", step, 3 * batch, 0.8, 1.2),
        background: new Float32Array(3 * batch),
        margins,
        labels,
        weights: Float32Array.from(draws, (d) => d[6]!),
        random: uniform(settings, "dropout", step, batch * 2 * network.widths[3]),
      };
    });
  });
});
