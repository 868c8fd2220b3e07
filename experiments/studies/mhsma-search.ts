import type { Study } from "../../src/evaluation/index.ts";
import { MHSMA_CHOSEN } from "../mhsma-recipes.ts";

const { tune } = MHSMA_CHOSEN;
const chosen = (more: object) => ({ ...MHSMA_CHOSEN, tune: { ...tune, ...more } });

/** One thing changed in each; the part test takes no part. */
export const study: Study = {
  name: "mhsma-search",
  title: "MHSMA, recipes compared inside train and valid",
  about:
    "The 1240 images of the parts train and valid in five folds drawn by the seed, so that every recipe is scored on all of them; the part test is not read. 240 images of valid had chosen nothing that held. Settled before any row was there: what has the largest mean area under ROC over the three structures goes to the part test.",
  seeds: [1],
  dataset: { attribute: "all", size: 128 },
  only: ["train", "valid"],
  split: { kind: "drawn", k: 5 },
  rows: [
    { name: "chosen", what: "the method as chosen on valid", config: MHSMA_CHOSEN },
    {
      name: "wavelets",
      what: "the same beside a probe on wavelets that learned every head out of focus, too",
      config: chosen({ wavelets: {} }),
    },
    {
      name: "refined",
      what: "the method with labels refined by stage 1's features",
      config: chosen({ refineLabels: true }),
    },
  ],
};
