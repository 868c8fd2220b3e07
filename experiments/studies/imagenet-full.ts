import type { Study } from "../../src/evaluation/index.ts";
import { RECIPES } from "./imagenet-search.ts";

export const study: Study = {
  name: "imagenet-full",
  title: "A wide network started from ImageNet on HuSHeM",
  about:
    "Published folds. Stage 1, masks and poses are the default's; stage 2 is MobileNet v1 of full width started from ImageNet (--init). Which recipe each fold would choose is settled inside its training folds.",
  seeds: [1, 2, 3, 4, 5],
  rows: RECIPES,
};
