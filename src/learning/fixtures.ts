/** Small sets and networks for tests: phantoms with their pseudo-masks, and heads as stage 1 might have seen them. */
import { PHANTOM_CLASSES, phantomDataset } from "../datasets/index.ts";
import { silent } from "../runs/index.ts";
import { type Config, resolveConfig } from "./config.ts";
import { colourStatistics } from "./fold.ts";
import type { PosedSet } from "./posed.ts";
import { type PreparedSet, prepare, pseudoMaskOf } from "./prepare.ts";
import type { SegmentedHead } from "./segmenter.ts";

/** A change of some settings of a part of the configuration. */
export interface Settings {
  network?: Partial<Config["network"]>;
  colour?: Config["colour"];
  distill?: object;
  tune?: object;
}

/** A network of a few thousand parameters, and steps that take milliseconds. */
export function smallConfig({ network, colour, distill, tune }: Settings = {}): Config {
  return resolveConfig({
    network: { widths: [8, 8, 8, 8], blocks: [1, 1, 1, 1], viewSize: 32, ...network },
    colour: colour ?? "absolute",
    distill: { steps: 8, batch: 8, ...distill },
    tune: { steps: 8, batch: 8, ...tune },
  });
}

/** Phantoms of the first few classes. */
export function phantomSet(count: number, classes = 3, size = 72): Promise<PreparedSet> {
  return prepare(phantomDataset({ count, seed: 5, size, classes: PHANTOM_CLASSES.slice(0, classes) }), silent);
}

/** Every sample with a head where its pseudo-mask is. */
export function posedSet(set: PreparedSet, { network }: Config): PosedSet {
  const members = [...set.ids.keys()];
  const heads = new Map(members.map((index) => [index, headOf(set, index, network.viewSize)]));
  const geometry = {
    frameExtent: set.frameExtent,
    viewExtent: 0.8 * set.frameExtent,
    ...colourStatistics(set, members),
  };
  return { set, heads, geometry };
}

function headOf(set: PreparedSet, index: number, side: number): SegmentedHead {
  const mask = pseudoMaskOf(set, index);
  const inside = [...mask.data.keys()].filter((i) => mask.data[i]);
  const average = (of: (i: number) => number) => inside.reduce((sum, i) => sum + of(i), 0) / Math.max(1, inside.length);
  const step = set.frameExtent / side;
  const frameMask = Uint8Array.from({ length: side * side }, (_, i) => {
    const x = Math.floor(mask.width / 2 + ((i % side) + 0.5) * step - set.frameExtent / 2);
    const y = Math.floor(mask.height / 2 + (Math.floor(i / side) + 0.5) * step - set.frameExtent / 2);
    return x >= 0 && x < mask.width && y >= 0 && y < mask.height && mask.data[y * mask.width + x] ? 240 : 10;
  });
  return {
    pose: {
      x: inside.length ? average((i) => (i % mask.width) + 0.5) : mask.width / 2,
      y: inside.length ? average((i) => Math.floor(i / mask.width) + 0.5) : mask.height / 2,
      axisX: Math.sin(index),
      axisY: Math.cos(index),
    },
    length: 40,
    width: 25,
    direction: 1,
    agreement: 1,
    background: [210, 200, 205],
    frameMask,
    // Not what stage 1 would say, but somewhere between 0 and 1, and not the mask.
    shapeMaps: { distance: frameMask.map((p) => p >> 1), acrosome: frameMask.map((p, i) => (i % 3 ? p : 0)) },
    cropMask: () => mask,
  };
}
