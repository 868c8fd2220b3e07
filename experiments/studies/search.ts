import type { Study, StudyRow } from "../../src/evaluation/index.ts";
import { IN_FOCUS, NETWORK, WAVELETS_ALONE } from "../baselines.ts";

const tune = (settings: object) => ({ tune: { ...NETWORK, ...settings } });

/** Another network in stage 2; masks and poses come from the usual stage 1, so that it cannot start from that. */
const sized = (widths: number[], blocks: number[]) => ({ initialise: "scratch", network: { widths, blocks } });

/** Other stains and cameras in both stages. */
const JITTERED = { augmentation: { jitter: { contrast: 0.4, grey: 0.25 } } };

/** Recipes that were tried: the network by itself first, and one thing changed in each of the others. */
export const RECIPES: StudyRow[] = [
  { name: "network", what: "the network by itself", config: tune({}) },
  { name: "scratch", what: "stage 2 from random weights", config: tune({ initialise: "scratch" }) },
  {
    name: "jitter",
    what: "in both stages: stain up to half as strong again, a quarter of the views without colour",
    config: { distill: JITTERED, ...tune(JITTERED) },
  },
  {
    name: "fewer-tasks",
    what: "stage 1 with masks and the acrosome alone, without the distance and rotation tasks",
    config: { distill: { tasks: { distance: 0, rotation: 0 } }, ...tune({}) },
  },
  {
    name: "all-scales",
    what: "maps of all four scales pooled, not the last alone",
    config: tune({ pooledScales: "all" }),
  },
  {
    name: "average",
    what: "pooled over the whole view alone, not over the mask, too",
    config: tune({ pooling: "average" }),
  },
  {
    name: "shape-maps",
    what: "stage 1's distance and acrosome as further channels of the view",
    config: tune({ shapeMaps: ["distance", "acrosome"] }),
  },
  {
    name: "long-mixed",
    what: "twice the steps with mixup and consistency",
    config: tune({ steps: 640, mixup: 0.4, consistency: 0.5 }),
  },
  {
    name: "strong-shape",
    what: "rotation 25 instead of 12 degrees, zoom 0.8 to 1.2 instead of 0.9 to 1.1, shift 0.1 instead of 0.06",
    config: tune({ augmentation: { rotation: 25, zoom: [0.8, 1.2], shift: 0.1 } }),
  },
  { name: "wide-crop", what: "the view 1.3 × the long heads instead of 1.1", config: tune({ margin: 1.3 }) },
  {
    name: "fine",
    what: "views of 96 instead of 64 pixels in stage 2",
    config: tune({ viewSize: 96, suppress: { margin: [3, 12] } }),
  },
  {
    name: "wavelets-alone",
    what: "a linear probe on wavelets alone",
    config: tune(WAVELETS_ALONE),
  },
  {
    name: "wavelets",
    what: "the network and a linear probe on wavelets, their mean",
    config: tune({ wavelets: IN_FOCUS }),
  },
  {
    name: "small",
    what: "stage 2 from random weights, half as wide, one block at each scale",
    config: tune(sized([8, 24, 48, 96], [1, 1, 1, 1])),
  },
  {
    name: "deep",
    what: "stage 2 from random weights, 2-3-3-2 blocks instead of 1-2-2-1",
    config: tune(sized([16, 48, 96, 192], [2, 3, 3, 2])),
  },
  {
    name: "wide",
    what: "stage 2 from random weights, widths 24-64-128-256 instead of 16-48-96-192",
    config: tune(sized([24, 64, 128, 256], [1, 2, 2, 1])),
  },
];

export const study: Study = {
  name: "search",
  title: "Recipes compared inside the training folds of HuSHeM",
  about:
    "Every two of the published folds are kept from a network together, so that each fold's recipe can be chosen by the scores of networks that never saw it, on images that are not its own: nested cross-validation.",
  seeds: [1],
  rows: RECIPES,
  split: "pairs",
};
