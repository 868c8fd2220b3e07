import type { Study, StudyRow } from "../../src/evaluation/index.ts";
import { IN_FOCUS, NETWORK, WAVELETS_ALONE } from "../baselines.ts";

const rows = (percent: number): StudyRow[] => {
  const change = { labelled: percent / 100 };
  return [
    {
      name: `scratch-${percent}`,
      what: `${percent} % of the labels, posed and background removed, network from scratch`,
      config: { tune: { ...NETWORK, initialise: "scratch" } },
      change,
      against: `scratch-${percent}`,
    },
    {
      name: `distilled-${percent}`,
      what: `${percent} % of the labels, started from stage 1`,
      config: { tune: NETWORK },
      change,
      against: `scratch-${percent}`,
    },
    {
      name: `refined-${percent}`,
      what: `${percent} % of the labels, spread over the other heads by stage 1's features, started from stage 1`,
      config: { tune: { ...NETWORK, refineLabels: true } },
      change,
      against: `scratch-${percent}`,
    },
  ];
};

/** Wavelets, which learn nothing, in stage 1's place and beside it. */
const wavelets = (percent: number): StudyRow[] => [
  {
    name: `refined-wavelets-${percent}`,
    what: `${percent} % of the labels, spread over the other heads by stage 1's features and wavelets, and a probe on wavelets beside it`,
    config: { tune: { refineLabels: true, wavelets: IN_FOCUS } },
    change: { labelled: percent / 100 },
    against: `scratch-${percent}`,
  },
  {
    name: `refined-wavelets-alone-${percent}`,
    what: `${percent} % of the labels, spread as before, and that probe alone: no network is trained on labels`,
    config: { tune: { ...WAVELETS_ALONE, refineLabels: true } },
    change: { labelled: percent / 100 },
    against: `scratch-${percent}`,
  },
  {
    name: `wavelets-${percent}`,
    what: `${percent} % of the labels, a linear probe on wavelets alone, which takes masks and poses from stage 1 and no features`,
    config: { tune: WAVELETS_ALONE },
    change: { labelled: percent / 100 },
    against: `scratch-${percent}`,
  },
];

export const study: Study = {
  name: "few-labels",
  title: "What stage 1 earns with few labels on HuSHeM",
  about:
    "Of the training images of each fold some keep their labels, drawn within each class; stage 1 sees all of them without labels in every row. The same images keep them in all rows of a share, and a larger share holds the smaller one.",
  seeds: [1, 2, 3, 4, 5],
  rows: [...rows(10), ...wavelets(10), ...rows(25), ...rows(50)],
};
