/** Stage 2's input: every training crop with the mask and pose that stage 1 predicted for it. */
import type { Config } from "./config.ts";
import type { PreparedSet } from "./prepare.ts";
import type { Geometry } from "./segment.ts";
import type { SegmentedHead } from "./segmenter.ts";
import { crop, type Perturbation, type ViewMap, viewMap } from "./views.ts";

export interface PosedSet {
  readonly set: PreparedSet;
  /** By sample; absent for samples outside the fold's training part. */
  readonly heads: ReadonlyMap<number, SegmentedHead>;
  /** What samples are learned as, where that is neither their label nor their votes: shares of the classes. */
  readonly targets?: ReadonlyMap<number, ArrayLike<number>>;
  readonly geometry: Geometry;
}

/** The view of sample `index` under a perturbation: upright where posing is on, the whole crop where it is off. */
export function viewOf(
  { set, heads, geometry }: PosedSet,
  index: number,
  tune: Config["tune"],
  perturbation: Perturbation,
): ViewMap {
  if (tune.pose) return viewMap(heads.get(index)!.pose, geometry.viewExtent, perturbation);
  return viewMap(crop(set.sizes[index * 2]!, set.sizes[index * 2 + 1]!), geometry.frameExtent, perturbation);
}

/** The perturbations that prediction averages over. */
export function testPerturbations({ rotations, mirror }: Config["tune"]["testViews"]): Perturbation[] {
  return (mirror ? [false, true] : [false]).flatMap((m) =>
    rotations.map((degrees) => ({ rotation: (degrees * Math.PI) / 180, zoom: 1, shiftU: 0, shiftV: 0, mirror: m })),
  );
}

/** The side of the posed window: long heads (95th percentile) with a margin around them. */
export function viewExtentOf(heads: Iterable<SegmentedHead>, margin: number): number {
  const lengths = [...heads].map((head) => head.length).sort((a, b) => a - b);
  return lengths[Math.min(lengths.length - 1, Math.floor(0.95 * lengths.length))]! * margin;
}
