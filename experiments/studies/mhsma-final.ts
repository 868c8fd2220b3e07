import type { Study } from "../../src/evaluation/index.ts";
import { MHSMA_CHOSEN } from "../mhsma-recipes.ts";
import { study as mhsma } from "./mhsma.ts";

/** Nothing is left to choose, so that the images on which it was chosen can be learned from, too. */
export const study: Study = {
  ...mhsma,
  name: "mhsma-final",
  title: "MHSMA, official test, learned from train and valid",
  about:
    "Trained on the 1240 images of the parts train and valid, tested once per seed on the 300 of the part test. The recipe was settled on valid before.",
  rows: [{ name: "chosen", what: "the method as chosen on valid, trained on train and valid", config: MHSMA_CHOSEN }],
};
