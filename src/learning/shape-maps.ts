/**
 * What stage 1 says of a head's shape as further channels of stage 2's input (`tune.shapeMaps`): how deep inside the head a
 * pixel lies, and whether it belongs to the acrosome. Ours; off by default for what it earns (docs/results.md).
 */
import { add, clip, convNorm, reshape, type Scope, scale, type Tensor } from "../autodiff/index.ts";
import type { Config } from "./config.ts";
import type { Segmentation } from "./segment.ts";

export type ShapeMap = NonNullable<Config["tune"]["shapeMaps"]>[number];

/**
 * A map of the frame in [0, 1], where 0 is also what lies beyond the frame. Distances are cut at one radius outside the
 * head, as those that stage 1 learns from are, and one half is the boundary.
 * @returns [N, 1, S, S]
 */
export function shapePlane(segmentation: Pick<Segmentation, ShapeMap>, name: ShapeMap): Tensor {
  const map = segmentation[name];
  const plane = reshape(map, [-1, 1, map.shape[1]!, map.shape[2]!]);
  return name === "distance" ? scale(add(clip(plane, -1, 1), 1), 0.5) : plane;
}

/**
 * What the encoder adds to its own first map: a convolution of its own, so that the encoder itself may start from stage 1.
 * @param scope the encoder's @param maps [N, S, S, number of maps] @returns [N, S/2, S/2, widths[0]]
 */
export function shapeStem(scope: Scope, maps: Tensor, { widths }: Config["network"]): Tensor {
  return convNorm(scope.sub("shape"), maps, widths[0], { block: 2, activation: "none" });
}
