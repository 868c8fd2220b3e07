import type { Study } from "../../src/evaluation/index.ts";
import { IN_FOCUS, NETWORK, POSED, RAW, WAVELETS_ALONE } from "../baselines.ts";

const off = { mirror: false, rotations: [0] };
const scratch = { ...NETWORK, initialise: "scratch" };
const network = (settings: object) => ({ tune: { ...NETWORK, ...settings } });

/** Rows in the order in which they are worth having when time is short. */
export const study: Study = {
  name: "ablation",
  title: "What each part of the method earns on HuSHeM",
  about:
    "Published folds; every row has the default's steps and learning rates, which were settled with the network (`whole`) on folds F2 to F5 (see above), so the comparison favours that a little. No row was chosen by these figures.",
  seeds: [1, 2, 3, 4, 5],
  rows: [
    {
      name: "raw",
      what: "from scratch, whole crops, free rotation in training, eight test views",
      config: { tune: RAW },
      altered: true,
    },
    {
      name: "posed",
      what: "the same network, heads turned upright",
      config: { tune: POSED },
      against: "raw",
      altered: true,
    },
    {
      name: "suppressed",
      what: "and the background removed",
      config: { tune: { ...scratch, pooling: "average" } },
      against: "posed",
    },
    {
      name: "pooled",
      what: "and the last map pooled over the mask, too",
      config: { tune: scratch },
      against: "suppressed",
    },
    {
      name: "whole",
      what: "and started from stage 1: the network by itself, the paper's method",
      config: network({}),
      against: "pooled",
      altered: true,
    },
    {
      name: "one-view",
      what: "the network with one test view instead of six",
      config: network({ testViews: off }),
      against: "whole",
    },
    {
      name: "slow-encoder",
      what: "the network with the distilled encoder learning at a third of the rate",
      config: network({ encoderRate: 0.33 }),
      against: "whole",
    },
    {
      name: "consistency",
      what: "the network with views with and without background tied (0.5)",
      config: network({ consistency: 0.5 }),
      against: "whole",
    },
    {
      name: "mixup",
      what: "the network with same-class mixup (0.4)",
      config: network({ mixup: 0.4 }),
      against: "whole",
    },
    {
      name: "generalised",
      what: "the network with generalised cross-entropy",
      config: network({ loss: "generalised" }),
      against: "whole",
    },
    {
      name: "refined",
      what: "the network with labels refined by stage 1's features",
      config: network({ refineLabels: true }),
      against: "whole",
    },
    {
      name: "wavelets",
      what: "the network and a linear probe on wavelets, their mean",
      config: network({ wavelets: IN_FOCUS }),
      against: "whole",
      altered: true,
    },
    {
      name: "wavelets-blur",
      what: "the network and a probe on wavelets that learned every head out of focus, too: the default",
      config: {},
      against: "whole",
      altered: true,
    },
    {
      name: "wavelets-alone",
      what: "a linear probe on wavelets alone, on upright heads without background",
      config: { tune: WAVELETS_ALONE },
      against: "whole",
    },
    {
      name: "fewer-tasks",
      what: "the default with a stage 1 that learns masks and the acrosome alone, not distance and rotation",
      config: { distill: { tasks: { distance: 0, rotation: 0 } } },
      against: "wavelets-blur",
      altered: true,
    },
  ],
};
