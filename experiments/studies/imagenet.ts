import type { Study, StudyRow } from "../../src/evaluation/index.ts";

/** MobileNet v1 with a quarter of its width: of it all the weights are there. */
const NETWORK = { backbone: "mobilenet", widths: [16, 32, 64, 128], blocks: [1, 2, 2, 6] };

/** ImageNet or not, distilled or not. Posed and background removed in all of them, by masks of a stage 1 of their own. */
const rows = (viewSize: number, suffix: string): StudyRow[] => {
  const network = { ...NETWORK, viewSize };
  return [
    {
      name: `mobilenet-scratch${suffix}`,
      what: `MobileNet from random weights in both stages, views of ${viewSize} pixels`,
      config: { network, tune: { initialise: "scratch" } },
    },
    {
      name: `imagenet${suffix}`,
      what: "started from ImageNet, both stages; stage 1 gives masks and poses, no features",
      config: { network, tune: { initialise: "imagenet" } },
      init: true,
      against: `mobilenet-scratch${suffix}`,
    },
    {
      name: `imagenet-distilled${suffix}`,
      what: "stage 1 from ImageNet, stage 2 from stage 1",
      config: { network },
      init: true,
      against: `imagenet${suffix}`,
    },
    {
      name: `mobilenet-distilled${suffix}`,
      what: "stage 1 from random weights, stage 2 from stage 1",
      config: { network },
      against: `mobilenet-scratch${suffix}`,
    },
  ];
};

export const study: Study = {
  name: "imagenet",
  title: "A start from ImageNet on HuSHeM, with and without distillation",
  about:
    "Published folds; steps, rates and augmentation are the default's, which were settled with the residual network and never with this one. The weights are the user's copy of Google's MobileNet v1 of width 0.25 (--init).",
  seeds: [1, 2, 3],
  rows: [...rows(64, ""), ...rows(96, "-96")],
};
