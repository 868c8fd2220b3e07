/**
 * What somebody sees in a head whom no label has touched, without the background where stage 2 sees none: an encoder's feature
 * maps at every scale, averaged over the posed view and over the head alone, or wavelets. They say how alike two heads are
 * whatever anyone called them.
 */
import {
  add,
  cast,
  concat,
  constant,
  gather,
  InferenceRunner,
  input,
  mean,
  mul,
  reshape,
  Scope,
  type SessionOptions,
  type State,
  scale,
  type Tensor,
} from "../autodiff/index.ts";
import type { Config } from "./config.ts";
import { encode, pooledChannels, pooledMap } from "./network.ts";
import {
  blurred,
  type Crops,
  channelsLast,
  cropPlanes,
  keptRegion,
  mirrored,
  readCropPlanes,
  readFramePlanes,
} from "./planes.ts";
import type { PosedSet } from "./posed.ts";
import { type Geometry, viewColours } from "./segment.ts";
import { UNPERTURBED, viewMap } from "./views.ts";
import { mirrorOrder, scattering, waveletCount } from "./wavelets.ts";

const BATCH = 16;

export interface FrozenEncoder {
  /** "encoder/…": stage 1's, or weights from elsewhere. */
  weights: State;
  /** What they are of, and the side of the view it sees. */
  network: Config["network"];
}

/** Wavelets on a view of this side: wavelets.ts. */
export interface Wavelets {
  viewSize: number;
  /** Deviation of a Gaussian in pixels of that view, where it is to be out of focus. */
  deviation?: number;
}

export type FeatureSource = FrozenEncoder | Wavelets;

const isEncoder = (source: FeatureSource): source is FrozenEncoder => "weights" in source;

/** One row for each of `members`, of as many numbers as {@link featureCount} tells. */
export async function headFeatures(
  { set, heads, geometry }: PosedSet,
  members: readonly number[],
  source: FeatureSource,
  config: Config,
  session: SessionOptions,
): Promise<Float32Array> {
  const side = config.network.viewSize;
  const area = set.side ** 2 * 3;
  const graph = featureGraph(set.side, geometry, source, config);
  const runner = await InferenceRunner.create({ features: graph }, session);
  const rows: Float32Array[] = [];
  try {
    for (let from = 0; from < members.length; from += BATCH) {
      const batch = members.slice(from, from + BATCH);
      const pixels = new Uint8Array(batch.length * area);
      const frames = new Uint8Array(batch.length * side ** 2);
      for (const [i, index] of batch.entries()) {
        pixels.set(set.pixels.subarray(index * area, (index + 1) * area), i * area);
        frames.set(heads.get(index)!.frameMask, i * side ** 2);
      }
      const maps = batch.flatMap((index) => [...viewMap(heads.get(index)!.pose, geometry.viewExtent, UNPERTURBED)]);
      const { features } = await runner.run({
        pixels,
        frames,
        sizes: Float32Array.from(batch.flatMap((index) => [set.sizes[index * 2]!, set.sizes[index * 2 + 1]!])),
        theta: Float32Array.from(maps),
        background: Float32Array.from(batch.flatMap((index) => [...heads.get(index)!.background])),
      });
      rows.push((features!.data as Float32Array).slice());
    }
  } finally {
    runner.dispose();
  }
  const width = featureCount(source);
  const all = new Float32Array(members.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * BATCH * width);
  return all;
}

/** Of an encoder twice the channels of every scale. */
export const featureCount = (source: FeatureSource): number =>
  isEncoder(source)
    ? pooledChannels(source.network, { pooling: "both", pooledScales: "all" })
    : waveletCount(source.viewSize);

function featureGraph(canvas: number, geometry: Geometry, source: FeatureSource, config: Config): Tensor {
  const side = config.network.viewSize;
  const pixels = input("pixels", [-1, canvas, canvas, 3], "uint8");
  const frames = input("frames", [-1, side, side, 1], "uint8");
  const sizes = input("sizes", [-1, 2]);
  const maps = reshape(input("theta", [-1, 2, 3]), [-1, 1, 2, 3]);
  const crops = { planes: cropPlanes(pixels), canvasSize: constant([canvas, canvas]), sizes };
  const frame = reshape(scale(cast(frames, "float32"), 1 / 255), [-1, 1, side, side]);
  return posedFeatures({ crops, maps, frame, background: input("background", [-1, 3]) }, geometry, source, config);
}

export interface PosedCrops {
  crops: Crops;
  /** [N, 1, 2, 3]: of the upright view of each. */
  maps: Tensor;
  /** [N, 1, S, S] probabilities in stage 1's frame. */
  frame: Tensor;
  /** [N, 3], 0 to 255. */
  background: Tensor;
}

/** → [N, {@link featureCount}], the mean of the view and its mirror image. */
export function posedFeatures(
  { crops, maps, frame, background }: PosedCrops,
  geometry: Geometry,
  source: FeatureSource,
  { network: { viewSize }, colour, tune }: Config,
): Tensor {
  const side = isEncoder(source) ? source.network.viewSize : source.viewSize;
  const sharp = viewColours(readCropPlanes(crops, maps, side), background, geometry, colour);
  const colours = !isEncoder(source) && source.deviation ? blurred(sharp, source.deviation) : sharp;
  const mask = readFramePlanes(frame, geometry.frameExtent, crops.sizes, maps, side);
  // As wide as stage 2's view allows for: in its pixels, whatever those of this one are.
  const [least, most] = tune.suppress.margin.map((margin) => (margin * side) / (tune.viewSize ?? viewSize));
  const kept = () => keptRegion(mask, Math.round((least! + most!) / 2));
  const focused = tune.suppress.enabled ? mul(colours, kept()) : colours;

  if (!isEncoder(source)) {
    const rows = scattering(focused);
    const mirror = gather(rows, constant(mirrorOrder(side), [featureCount(source)], "int64"), 1);
    return scale(add(rows, mirror), 0.5);
  }
  const bothSides = (planes: Tensor) => channelsLast(concat([planes, mirrored(planes)], 0));
  const foreground = bothSides(mask);
  const scales = encode(Scope.frozenWith(source.weights).sub("encoder"), bothSides(focused), source.network, geometry);
  const pooled = scales.flatMap((map) => pooledMap(map, foreground, "both"));
  return mean(reshape(concat(pooled, 1), [2, -1, featureCount(source)]), [0]);
}
