import type { Study } from "../../src/evaluation/index.ts";
import { NETWORK } from "../baselines.ts";

/** MobileNet v1 with a quarter of its width: of it all the weights are there. */
const network = { backbone: "mobilenet", widths: [16, 32, 64, 128], blocks: [1, 2, 2, 6], viewSize: 64 };

/** ImageNet or not, distilled or not. Posed and background removed in all of them, by masks of a stage 1 of their own. */
export const study: Study = {
  name: "imagenet",
  title: "A start from ImageNet on HuSHeM, with and without distillation",
  about:
    "Published folds; steps, rates and augmentation are the default's, which were settled with the residual network and never with this one. The weights are the user's copy of Google's MobileNet v1 of width 0.25 (--init).",
  seeds: [1, 2, 3],
  rows: [
    {
      name: "mobilenet-scratch",
      what: "MobileNet from random weights in both stages, views of 64 pixels",
      config: { network, tune: { ...NETWORK, initialise: "scratch" } },
    },
    {
      name: "imagenet",
      what: "started from ImageNet, both stages; stage 1 gives masks and poses, no features",
      config: { network, tune: { ...NETWORK, initialise: "imagenet" } },
      init: true,
      against: "mobilenet-scratch",
    },
    {
      name: "imagenet-distilled",
      what: "stage 1 from ImageNet, stage 2 from stage 1",
      config: { network, tune: NETWORK },
      init: true,
      against: "imagenet",
    },
    {
      name: "mobilenet-distilled",
      what: "stage 1 from random weights, stage 2 from stage 1",
      config: { network, tune: NETWORK },
      against: "mobilenet-scratch",
    },
  ],
};
