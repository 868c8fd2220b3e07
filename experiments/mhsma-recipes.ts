/** Everything that was tried on MHSMA's part valid, in the order in which it was: mhsma-choices.ts. */
import { IN_FOCUS, NETWORK } from "./baselines.ts";

export interface MhsmaRecipe {
  name: string;
  what: string;
  /** Head, acrosome and vacuole as combined classes where not given. */
  attribute?: "head";
  size: 64 | 128;
  config: object;
  /** Needs weights from elsewhere. */
  init?: boolean;
}

/** Whole crops, from random weights: what a network does without masks. */
const raw = (steps: number) => ({
  // Stage 1 serves nothing here; one step is the least it takes.
  distill: { steps: 1 },
  tune: {
    initialise: "scratch",
    pooling: "average",
    suppress: { enabled: false },
    pose: false,
    testViews: { mirror: true, rotations: [0, 90, 180, 270] },
    steps,
  },
});

/** Background stays, since masks of unstained heads miss what is bright, and the view is wide enough for that. */
const wide = (steps: number) => ({ tune: { ...NETWORK, steps, margin: 1.35, suppress: { enabled: false } } });

const background = { colour: "background" };

/** MobileNet v1 of full width. */
const WIDE = { backbone: "mobilenet", widths: [64, 128, 256, 512], blocks: [1, 2, 2, 6] };

const probing = (recipe: { tune: object }, share: number) => ({
  ...recipe,
  tune: { ...recipe.tune, probe: { network: WIDE, share } },
});

/** The baseline and the method as the test part sees them, chosen by the figures on valid. */
export const MHSMA_RAW = { ...background, ...raw(640) };
export const MHSMA_CHOSEN = { ...background, ...wide(1280) };
/** The same beside a linear probe on ImageNet's weights: chosen on valid, too, after the test part was read with the former. */
export const MHSMA_PROBE = probing(MHSMA_CHOSEN, 0.5);

export const MHSMA_RECIPES: MhsmaRecipe[] = [
  { name: "raw", what: "crops of 64 whole, from scratch, any rotation", size: 64, config: raw(640) },
  { name: "raw-head", what: "the same, head alone as two classes", attribute: "head", size: 64, config: raw(640) },
  {
    name: "network-128",
    what: "the network with twice its steps, crops of 128",
    size: 128,
    config: { tune: { ...NETWORK, steps: 640 } },
  },
  { name: "network-64", what: "the same on crops of 64", size: 64, config: { tune: { ...NETWORK, steps: 640 } } },
  { name: "raw-background", what: "`raw`, colours relative to the background", size: 64, config: MHSMA_RAW },
  {
    name: "wide-background",
    what: "`network-128`, colours relative to the background, background kept, view 1.35 × the long heads",
    size: 128,
    config: { ...background, ...wide(640) },
  },
  { name: "wide", what: "the same with colours as they are", size: 128, config: wide(640) },
  {
    name: "wide-background-long",
    what: "`wide-background` with 1280 steps of stage 2",
    size: 128,
    config: MHSMA_CHOSEN,
  },
  {
    name: "frozen",
    what: "a linear probe on ImageNet's weights alone (--init), on the heads of `wide-background`",
    size: 128,
    config: probing({ ...background, ...wide(1) }, 1),
    init: true,
  },
  {
    name: "probe",
    what: "the mean of `wide-background-long` and of that probe",
    size: 128,
    config: MHSMA_PROBE,
    init: true,
  },
  {
    name: "wavelets-alone",
    what: "a linear probe on wavelets alone, on the heads of `wide-background`",
    size: 128,
    config: { ...background, tune: { ...wide(1).tune, wavelets: { ...IN_FOCUS, share: 1 } } },
  },
  {
    name: "wavelets",
    what: "the mean of `wide-background-long` and of a probe on wavelets that learned every head out of focus, too",
    size: 128,
    config: { ...MHSMA_CHOSEN, tune: { ...MHSMA_CHOSEN.tune, wavelets: {} } },
  },
];
