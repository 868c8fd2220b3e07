import type { Study, StudyRow } from "../../src/evaluation/index.ts";
import { NETWORK } from "../baselines.ts";

/** MobileNet v1 of full width, as far as the copy of the weights goes that this was made with. */
const MOBILENET = { backbone: "mobilenet", widths: [64, 128, 256, 512], blocks: [1, 2, 2, 6] };

interface Recipe {
  side: number;
  pace: keyof typeof RATES;
}

/** The default's peak learning rate, and a quarter of it, as is usual where weights are trained already. */
const RATES = { fast: 0.002, slow: 0.0005 };

/** Masks and poses come from the usual stage 1, so that only stage 2 differs. Margins keep their size in the crop. */
const row = ({ side, pace }: Recipe): StudyRow => ({
  name: `full-${side}-${pace}`,
  what: `views of ${side} pixels, learning rate ${RATES[pace]}`,
  config: {
    tune: {
      ...NETWORK,
      network: MOBILENET,
      initialise: "imagenet",
      viewSize: side,
      suppress: { margin: [(2 * side) / 64, (8 * side) / 64] },
      learningRate: RATES[pace],
    },
  },
  init: true,
});

/** MobileNet v1 of a quarter of that width, whole. Its pretrained maps may serve as they are: pooled at all scales, hardly moved. */
const QUARTER = { ...MOBILENET, widths: [16, 32, 64, 128] };
const quarter = (name: string, what: string, tune: object): StudyRow => ({
  name: `quarter-${name}`,
  what: `a quarter of the width, views of 64 pixels${what}`,
  config: { tune: { ...NETWORK, network: QUARTER, initialise: "imagenet", ...tune } },
  init: true,
});

/** Of these the weights are in another folder: `--rows` chooses. */
export const QUARTER_RECIPES: StudyRow[] = [
  quarter("plain", "", {}),
  quarter("scales", ", all scales pooled", { pooledScales: "all" }),
  quarter("gentle", ", all scales pooled, the encoder at a tenth of the rate", {
    pooledScales: "all",
    encoderRate: 0.1,
  }),
];

interface Frozen {
  width: "quarter" | "full";
  side: number;
  alone?: boolean;
}

/** The usual network, and beside it a linear probe on frozen weights. Alone: the probe's own opinion, of stage 2 one step and no part. */
export const probeRow = ({ width, side, alone = false }: Frozen): StudyRow => {
  const probe = { network: width === "full" ? MOBILENET : QUARTER, viewSize: side };
  return {
    name: `${alone ? "frozen" : "probe"}-${width}-${side}`,
    what: `${alone ? "a linear probe alone" : "the network and a linear probe, their mean"}, ${width === "full" ? "full width" : "a quarter of the width"}, views of ${side} pixels`,
    config: { tune: { probe: alone ? { ...probe, share: 1 } : probe, ...(alone ? { steps: 1 } : {}) } },
    init: true,
  };
};

export const PROBES: StudyRow[] = [
  { width: "quarter", side: 64 } as const,
  { width: "full", side: 64 } as const,
  { width: "full", side: 128 } as const,
].flatMap((frozen) => [probeRow({ ...frozen, alone: true }), probeRow(frozen)]);

/** Everything that was tried with this network. */
export const RECIPES: StudyRow[] = [
  { side: 96, pace: "slow" } as const,
  { side: 64, pace: "slow" } as const,
  { side: 96, pace: "fast" } as const,
].map(row);

export const study: Study = {
  name: "imagenet-search",
  title: "ImageNet's weights compared inside the training folds of HuSHeM",
  about:
    "MobileNet v1 with ImageNet's weights (--init): as stage 2's encoder, which starts from them, or kept as it is in a linear probe (tune.probe). Every two of the published folds are kept from a network together, as in the search above.",
  seeds: [1],
  rows: [...RECIPES, ...QUARTER_RECIPES, ...PROBES],
  split: "pairs",
};
