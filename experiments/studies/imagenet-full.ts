import type { Study } from "../../src/evaluation/index.ts";
import { probeRow, QUARTER_RECIPES } from "./imagenet-search.ts";

export const study: Study = {
  name: "imagenet-full",
  title: "ImageNet's weights on HuSHeM: tuned, or kept as they are beside the network",
  about:
    "Published folds. Stage 1, masks and poses are the usual ones; stage 2 is MobileNet v1 started from ImageNet (--init), or the usual network with a linear probe on those weights, kept as they are, beside it. Which recipe each fold would choose is settled inside its training folds. All are compared with the full-width probe alone.",
  seeds: [1, 2, 3, 4, 5],
  rows: [
    probeRow({ width: "full", side: 128, alone: true }),
    { ...probeRow({ width: "full", side: 128 }), against: "frozen-full-128" },
    // What single folds would choose: the weights of these are in another folder.
    ...QUARTER_RECIPES.filter(({ name }) => name === "quarter-scales"),
    probeRow({ width: "quarter", side: 64, alone: true }),
  ],
};
