import type { Study, StudyRow } from "../../src/evaluation/index.ts";
import { IN_FOCUS, NETWORK, WAVELETS_ALONE } from "../baselines.ts";

/** Every row is compared with the first. */
const rows = (percent: number) => {
  const row = (name: string, what: string, tune: object): StudyRow => ({
    name: `${name}-${percent}`,
    what: `${percent} % of the labels, ${what}`,
    config: { tune },
    change: { labelled: percent / 100 },
    against: `scratch-${percent}`,
  });
  return {
    scratch: row("scratch", "posed and background removed, network from scratch", {
      ...NETWORK,
      initialise: "scratch",
    }),
    distilled: row("distilled", "started from stage 1", NETWORK),
    refined: row("refined", "spread over the other heads by stage 1's features, started from stage 1", {
      ...NETWORK,
      refineLabels: true,
    }),
    // Wavelets, which learn nothing, in stage 1's place and beside it.
    everything: row(
      "refined-wavelets",
      "spread over the other heads by stage 1's features and wavelets, and a probe on wavelets beside it",
      { refineLabels: true, wavelets: IN_FOCUS },
    ),
    alone: row("refined-wavelets-alone", "spread as before, and that probe alone: no network is trained on labels", {
      ...WAVELETS_ALONE,
      refineLabels: true,
    }),
    wavelets: row(
      "wavelets",
      "a linear probe on wavelets alone, which takes masks and poses from stage 1 and no features",
      WAVELETS_ALONE,
    ),
  };
};

/** What earned most at 10 % is asked at larger shares, too. */
const larger = (percent: number) => {
  const { scratch, everything } = rows(percent);
  return [scratch, everything];
};

export const study: Study = {
  name: "few-labels",
  title: "What stage 1 earns with few labels on HuSHeM",
  about:
    "Of the training images of each fold some keep their labels, drawn within each class and anew for each seed (so that no ensemble of seeds is told); stage 1 sees all of them without labels in every row. The same images keep them in all rows of a share, and a larger share holds the smaller one.",
  seeds: [1, 2, 3, 4, 5],
  rows: [...Object.values(rows(10)), ...larger(25), ...larger(50)],
};
