import type { Study, StudyRow } from "../../src/evaluation/index.ts";
import { ALIKE, RAW } from "../baselines.ts";

const pair = (percent: number, to?: Record<string, string>): StudyRow[] => {
  const change = { flipped: { share: percent / 100, ...(to ? { to } : {}) } };
  const [suffix, how] = to ? ["-alike", "to the class they resemble"] : ["", "to any other class"];
  return [
    {
      name: `raw-${percent}${suffix}`,
      what: `${percent} % flipped ${how}, from scratch on whole crops`,
      config: { tune: RAW },
      change,
      against: `raw-${percent}${suffix}`,
    },
    {
      name: `whole-${percent}${suffix}`,
      what: `${percent} % flipped ${how}, the default method`,
      config: {},
      change,
      against: `raw-${percent}${suffix}`,
    },
  ];
};

/** Rows that handle noise beyond what the default does. They were named before any was computed, and all are reported. */
const handled = (percent: number): StudyRow[] =>
  [
    { name: "generalised", what: "generalised cross-entropy", tune: { loss: "generalised" } },
    { name: "mixup", what: "same-class mixup", tune: { mixup: 0.4 } },
    { name: "refined", what: "labels refined by stage 1's features", tune: { refineLabels: true } },
  ].map(({ name, what, tune }) => ({
    name: `${name}-${percent}`,
    what: `${percent} % flipped to any other class, the default method with ${what}`,
    config: { tune },
    change: { flipped: { share: percent / 100 } },
    against: `raw-${percent}`,
  }));

export const study: Study = {
  name: "label-noise",
  title: "Training labels flipped on HuSHeM",
  about: "Of the training labels of each fold some are wrong, drawn within each class; test labels are as published.",
  seeds: [1, 2, 3, 4, 5],
  rows: [...pair(20), ...handled(20), ...pair(40), ...pair(10), ...pair(30), ...pair(20, ALIKE), ...pair(40, ALIKE)],
};
