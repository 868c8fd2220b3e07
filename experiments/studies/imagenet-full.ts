import type { Study } from "../../src/evaluation/index.ts";
import { probeRow, RECIPES } from "./imagenet-search.ts";

export const study: Study = {
  name: "imagenet-full",
  title: "ImageNet's wide network on HuSHeM: tuned, or kept as it is beside the default",
  about:
    "Published folds. Stage 1, masks and poses are the default's; stage 2 is MobileNet v1 of full width started from ImageNet (--init), or the default with a linear probe on those weights, kept as they are, beside it. Which recipe each fold would choose is settled inside its training folds.",
  seeds: [1, 2, 3, 4, 5],
  rows: [
    ...RECIPES,
    probeRow({ width: "full", side: 128, alone: true }),
    { ...probeRow({ width: "full", side: 128 }), against: "frozen-full-128" },
  ],
};
