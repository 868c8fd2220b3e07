import type { Study, StudyRow } from "../../src/evaluation/index.ts";

/** MobileNet v1 of full width, as far as the copy of the weights goes that this was made with. */
const NETWORK = { backbone: "mobilenet", widths: [64, 128, 256, 512], blocks: [1, 2, 2, 6] };

interface Recipe {
  side: number;
  pace: keyof typeof RATES;
}

/** The default's peak learning rate, and a quarter of it, as is usual where weights are trained already. */
const RATES = { fast: 0.002, slow: 0.0005 };

/** Masks and poses come from the default's stage 1, so that only stage 2 differs. Margins keep their size in the crop. */
const row = ({ side, pace }: Recipe): StudyRow => ({
  name: `full-${side}-${pace}`,
  what: `views of ${side} pixels, learning rate ${RATES[pace]}`,
  config: {
    tune: {
      network: NETWORK,
      initialise: "imagenet",
      viewSize: side,
      suppress: { margin: [(2 * side) / 64, (8 * side) / 64] },
      learningRate: RATES[pace],
    },
  },
  init: true,
});

/** Everything that was tried with this network. */
export const RECIPES: StudyRow[] = [
  { side: 96, pace: "slow" } as const,
  { side: 64, pace: "slow" } as const,
  { side: 96, pace: "fast" } as const,
].map(row);

export const study: Study = {
  name: "imagenet-search",
  title: "Starts from ImageNet compared inside the training folds of HuSHeM",
  about:
    "MobileNet v1 of full width as stage 2's encoder, started from ImageNet (--init). Every two of the published folds are kept from a network together, as in the search above.",
  seeds: [1],
  rows: RECIPES,
  split: "pairs",
};
