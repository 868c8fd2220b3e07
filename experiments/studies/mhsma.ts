import type { Study } from "../../src/evaluation/index.ts";
import { MHSMA_CHOSEN, MHSMA_PROBE } from "../mhsma-recipes.ts";

/** The part test is looked at with these recipes alone, which were chosen on the part valid: ../mhsma-choices.ts. */
export const study: Study = {
  name: "mhsma",
  title: "MHSMA, official split",
  about: "Trained on the 1000 images of the part train, tested once per seed on the 300 of the part test.",
  seeds: [1, 2, 3],
  dataset: { attribute: "all", size: 128 },
  split: { kind: "held-out", test: "test", train: ["train"] },
  rows: [
    { name: "chosen", what: "the method as chosen on valid", config: MHSMA_CHOSEN },
    {
      name: "probe",
      what: "the same beside a linear probe on ImageNet's weights",
      config: MHSMA_PROBE,
      init: true,
      against: "chosen",
    },
  ],
};
