import type { Study, StudyRow } from "../../src/evaluation/index.ts";
import { ALIKE, NETWORK, RAW, WAVELETS_ALONE } from "../baselines.ts";

interface Handling {
  name: string;
  what: string;
  tune: object;
}

const WHOLE: Handling = { name: "whole", what: "the network", tune: NETWORK };
/** What handles noise, most of it on the network by itself. Named before any was computed at 20 %, where all are reported. */
const GENERALISED: Handling = {
  name: "generalised",
  what: "the network with generalised cross-entropy",
  tune: { ...NETWORK, loss: "generalised" },
};
const MIXUP: Handling = {
  name: "mixup",
  what: "the network with same-class mixup",
  tune: { ...NETWORK, mixup: 0.4 },
};
/** The one that helped at 20 %, so that it is asked at the other shares, too. */
const REFINED: Handling = {
  name: "refined",
  what: "the network with labels refined by stage 1's features",
  tune: { ...NETWORK, refineLabels: true },
};
/** Nothing learned but a ridge regression, on the heads that stage 1 turned upright: what it does without noise handling. */
const WAVELETS: Handling = {
  name: "wavelets",
  what: "a linear probe on wavelets alone, on upright heads without background",
  tune: WAVELETS_ALONE,
};
/** Wavelets beside the network average what that learns by heart. Named when this became the default. */
const DEFAULT: Handling = { name: "default", what: "the default: wavelets beside the network", tune: {} };
/** Named after what wavelets earn inside training folds, before any row with them was computed here. */
const REFINED_WAVELETS: Handling = {
  name: "refined-wavelets",
  what: "the default with labels refined by stage 1's features and wavelets",
  tune: { refineLabels: true },
};

/** Whole crops from scratch, and what is compared with them on the same wrong labels. */
function flipped(percent: number, handlings: readonly Handling[], to?: Record<string, string>): StudyRow[] {
  const [suffix, how] = to ? ["-alike", "to the class they resemble"] : ["", "to any other class"];
  const row = (name: string, what: string, config: object): StudyRow => ({
    name: `${name}-${percent}${suffix}`,
    what: `${percent} % flipped ${how}, ${what}`,
    config,
    change: { flipped: { share: percent / 100, ...(to ? { to } : {}) } },
    against: `raw-${percent}${suffix}`,
  });
  return [
    row("raw", "from scratch on whole crops", { tune: RAW }),
    ...handlings.map(({ name, what, tune }) => row(name, what, { tune })),
  ];
}

export const study: Study = {
  name: "label-noise",
  title: "Training labels flipped on HuSHeM",
  about:
    "Of the training labels of each fold some are wrong, drawn within each class and anew for each seed; test labels are as published. A mean over seeds would know more labels than any training was given, so no ensemble is told.",
  seeds: [1, 2, 3, 4, 5],
  rows: [
    ...flipped(10, [REFINED]),
    ...flipped(20, [WHOLE, GENERALISED, MIXUP, REFINED, DEFAULT, REFINED_WAVELETS, WAVELETS]),
    ...flipped(30, [REFINED]),
    ...flipped(40, [WHOLE, REFINED]),
    ...flipped(20, [WHOLE, REFINED], ALIKE),
    ...flipped(40, [REFINED], ALIKE),
  ],
};
