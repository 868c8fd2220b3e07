import type { Study } from "../../src/evaluation/index.ts";
import { IN_FOCUS, NETWORK, WAVELETS_ALONE } from "../baselines.ts";

/** Asked after the altered test images of the ablation had shown it, so that a choice need not rest on these. */
export const study: Study = {
  name: "foreign",
  title: "Altered images inside the training folds of HuSHeM",
  about:
    "Every two of the published folds are kept from a network together, as in the search, and its networks are tested on altered versions of both.",
  seeds: [1],
  split: "pairs",
  rows: [
    { name: "network", what: "the network by itself", config: { tune: NETWORK }, altered: true },
    {
      name: "wavelets",
      what: "the network and a linear probe on wavelets, their mean",
      config: { tune: { wavelets: IN_FOCUS } },
      altered: true,
    },
    {
      name: "wavelets-alone",
      what: "a linear probe on wavelets alone",
      config: { tune: WAVELETS_ALONE },
      altered: true,
    },
    {
      name: "wavelets-blur",
      what: "the network and a probe on wavelets that learned every head out of focus, too: the default",
      config: {},
      altered: true,
    },
  ],
};
