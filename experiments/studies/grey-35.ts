import type { Study } from "../../src/evaluation/index.ts";
import { NETWORK, POSED, RAW } from "../baselines.ts";

export const study: Study = {
  name: "grey-35",
  title: "HuSHeM at 35 × 35 grey pixels",
  about:
    "Every crop reduced to 35 × 35 pixels without colour, which is what SCIAN's look like, for training and test; folds and labels as published.",
  seeds: [1, 2, 3, 4, 5],
  images: "grey-35",
  rows: [
    {
      name: "raw",
      what: "from scratch, whole crops, free rotation in training, eight test views",
      config: { tune: RAW },
    },
    { name: "posed", what: "the same network, heads turned upright", config: { tune: POSED } },
    { name: "whole", what: "the network", config: { tune: NETWORK } },
    { name: "wavelets-blur", what: "the default: wavelets beside the network", config: {} },
  ],
};
