import type { Study } from "../../src/evaluation/index.ts";
import { POSED, RAW, WAVELETS_ALONE, WAVELETS_OUT_OF_FOCUS } from "../baselines.ts";

const off = { mirror: false, rotations: [0] };
const scratch = { initialise: "scratch" };

/** Rows in the order in which they are worth having when time is short. */
export const study: Study = {
  name: "ablation",
  title: "What each part of the method earns on HuSHeM",
  about:
    "Published folds; every row has the default's steps and learning rates, which were settled with the whole method on folds F2 to F5 (see above), so the comparison favours the default a little. No row was chosen by these figures.",
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
      what: "and started from stage 1: the default",
      config: {},
      against: "pooled",
      altered: true,
    },
    {
      name: "one-view",
      what: "the default with one test view instead of six",
      config: { tune: { testViews: off } },
      against: "whole",
    },
    {
      name: "slow-encoder",
      what: "the default with the distilled encoder learning at a third of the rate",
      config: { tune: { encoderRate: 0.33 } },
      against: "whole",
    },
    {
      name: "consistency",
      what: "the default with views with and without background tied (0.5)",
      config: { tune: { consistency: 0.5 } },
      against: "whole",
    },
    {
      name: "mixup",
      what: "the default with same-class mixup (0.4)",
      config: { tune: { mixup: 0.4 } },
      against: "whole",
    },
    {
      name: "generalised",
      what: "the default with generalised cross-entropy",
      config: { tune: { loss: "generalised" } },
      against: "whole",
    },
    {
      name: "refined",
      what: "the default with labels refined by stage 1's features",
      config: { tune: { refineLabels: true } },
      against: "whole",
    },
    {
      name: "wavelets",
      what: "the default and a linear probe on wavelets, their mean",
      config: { tune: { wavelets: {} } },
      against: "whole",
      altered: true,
    },
    {
      name: "wavelets-blur",
      what: "the default and a probe on wavelets that learned every head out of focus, too",
      config: { tune: { wavelets: WAVELETS_OUT_OF_FOCUS } },
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
      name: "mask-task",
      what: "the default with the mask as an auxiliary task of stage 2 (0.2)",
      config: { tune: { auxiliaryMask: 0.2 } },
      against: "whole",
    },
    {
      name: "without-distance",
      what: "the default, stage 1 without the distance task",
      config: { distill: { tasks: { distance: 0 } } },
      against: "whole",
    },
    {
      name: "without-rotation",
      what: "the default, stage 1 without the rotation task",
      config: { distill: { tasks: { rotation: 0 } } },
      against: "whole",
    },
  ],
};
