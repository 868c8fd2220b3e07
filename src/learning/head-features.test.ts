/** Features belong to the head, not to how its crop was held: mirrored or turned with its pose, it has the same ones. */
import { beforeAll, expect, test } from "vitest";
import type { State } from "../autodiff/index.ts";
import { Random } from "../runs/index.ts";
import { distill } from "./distill.ts";
import { phantomSet, posedSet, smallConfig } from "./fixtures.ts";
import { featureCount, headFeatures } from "./head-features.ts";
import type { PosedSet } from "./posed.ts";
import type { SegmentedHead } from "./segmenter.ts";

const COUNT = 18;
const config = smallConfig();
const members = Array.from({ length: COUNT }, (_, i) => i);
let posed: PosedSet;
let distilled: State;
let features: Float32Array;
const width = featureCount({ weights: new Map(), network: config.network });

beforeAll(async () => {
  const set = await phantomSet(COUNT);
  posed = posedSet(set, config);
  const { geometry } = posed;
  ({ weights: distilled } = await distill({
    ...{ set, members, geometry, config, random: Random.seeded(1), threads: 1, onStep: () => {} },
  }));
  features = await headFeatures(posed, members, { weights: distilled, network: config.network }, config, {
    threads: 1,
  });
});

/** Every crop held otherwise: where its pixels come from, and where its pose goes. */
function held(pixel: (x: number, y: number, side: number) => [number, number], pose: (head: SegmentedHead) => object) {
  const { set, heads } = posed;
  const { side } = set;
  const pixels = new Uint8Array(set.pixels.length);
  for (const i of members) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const [u, v] = pixel(x, y, side);
        const from = ((i * side + v) * side + u) * 3;
        pixels.set(set.pixels.subarray(from, from + 3), ((i * side + y) * side + x) * 3);
      }
    }
  }
  const frame = config.network.viewSize;
  const turned = [...heads].map(([i, head]): [number, SegmentedHead] => {
    const frameMask = head.frameMask.map((_, at) => {
      const [u, v] = pixel(at % frame, Math.floor(at / frame), frame);
      return head.frameMask[v * frame + u]!;
    });
    return [i, { ...head, pose: { ...head.pose, ...pose(head) }, frameMask }];
  });
  return { ...posed, set: { ...set, pixels }, heads: new Map(turned) };
}

test.each([
  [
    "mirrored",
    () =>
      held(
        (x, y, side) => [side - 1 - x, y],
        ({ pose }) => ({ x: posed.set.side - pose.x, axisX: -pose.axisX }),
      ),
  ],
  [
    "turned by a quarter",
    () =>
      held(
        (x, y, side) => [y, side - 1 - x],
        ({ pose }) => ({ x: posed.set.side - pose.y, y: pose.x, axisX: -pose.axisY, axisY: pose.axisX }),
      ),
  ],
])("of crops that are %s", async (_, make) => {
  const other = await headFeatures(make(), members, { weights: distilled, network: config.network }, config, {
    threads: 1,
  });
  expect(other.length).toBe(COUNT * width);
  const size = Math.max(...features.map(Math.abs));
  const worst = Math.max(...other.map((value, at) => Math.abs(value - features[at]!)));
  expect(worst).toBeLessThan(1e-4 * size);
});

test.each([true, false])("the background counts only where stage 2 sees it: removed %s", async (enabled) => {
  const { tune } = config;
  const seen = { ...config, tune: { ...tune, suppress: { ...tune.suppress, enabled } } };
  const { side, pixels } = posed.set;
  // The corners lie in the view, and no head does there.
  const dark = pixels.map((value, at) => {
    const [x, y] = [Math.floor(at / 3) % side, Math.floor(at / 3 / side) % side];
    return Math.min(x, side - 1 - x) + Math.min(y, side - 1 - y) < side / 8 ? 0 : value;
  });
  const encoder = { weights: distilled, network: config.network };
  const of = (set: PosedSet["set"]) => headFeatures({ ...posed, set }, members, encoder, seen, { threads: 1 });
  const [plain, painted] = [await of(posed.set), await of({ ...posed.set, pixels: dark })];
  const worst = Math.max(...plain.map((value, at) => Math.abs(value - painted[at]!)));
  if (enabled) expect(worst).toBeLessThan(1e-5);
  else expect(worst).toBeGreaterThan(0.01);
});

test("they differ between heads, and do not depend on the heads beside one", async () => {
  const row = (of: Float32Array, i: number) => [...of.subarray(i * width, (i + 1) * width)];
  expect(Math.max(...row(features, 0).map((value, at) => Math.abs(value - row(features, 1)[at]!)))).toBeGreaterThan(
    0.01,
  );
  // The last of a batch of sixteen and one more, and alone.
  const alone = await headFeatures(posed, [17], { weights: distilled, network: config.network }, config, {
    threads: 1,
  });
  for (const [at, value] of row(features, 17).entries()) expect(alone[at]).toBeCloseTo(value, 4);
});
