/**
 * The configuration of the method: every term and switch, each with the reason for its default. One schema gives the
 * types, the checks and the documentation; unknown keys throw. docs/method.md says what is the paper's and what is
 * our reconstruction.
 */
import { z } from "zod";
import { AndroscopeError } from "../runs/index.ts";

const share = z.number().min(0).max(1);
const weight = z.number().min(0).max(100);
const range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low <= high, "the first must not exceed the second");

const zoom = range.refine(([low]) => low > 0, "a zoom must be above 0");

const channels = z.int().min(4).max(1024);

const backbone = z.enum(["residual", "mobilenet"]).optional();

const network = z.strictObject({
  /** Channels at a half, a quarter, an eighth and a sixteenth of the view's resolution. Few at the top, where they are dear. */
  widths: z.tuple([channels, channels, channels, channels]).default([16, 48, 96, 192]),
  /** Blocks per stage, from half resolution down: two convolutions and a shortcut, or a separable convolution. */
  blocks: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1), z.int().min(1)]).default([1, 2, 2, 1]),
  /** Side of the square view the network sees, in its own pixels; a multiple of 16. */
  viewSize: z.int().min(32).max(256).multipleOf(16).default(64),
  /**
   * What the encoder is made of. Absent, residual blocks. "mobilenet" is MobileNet v1, which can start from ImageNet: with
   * blocks 1, 2, 2, 6, and widths 16, 32, 64, 128 for a width multiplier of 0.25.
   */
  backbone,
});

/** Read before what is missing is filled in: see {@link tunedNetwork}. */
const ownNetwork = z.strictObject({
  widths: network.shape.widths.unwrap(),
  blocks: network.shape.blocks.unwrap(),
  backbone,
});

/** The network of the weights that a probe keeps. */
const frozenNetwork = z.strictObject(ownNetwork.shape, {
  error: ({ input }) => (input === undefined ? "none; --init FOLDER names weights and says their network" : undefined),
});

const optimisation = {
  /** Crops per step. */
  batch: z.int().min(2).max(512),
  /** Peak of the one-cycle schedule (Smith and Topin 2018): linear rise over `warmup`, cosine fall to zero. */
  learningRate: z.number().positive().max(1),
  warmup: share,
  /** Decoupled (Loshchilov and Hutter 2019); not on normalisation and biases. */
  weightDecay: z.number().min(0).max(10),
  /** Gradients are scaled down to this global norm. */
  clipNorm: z.number().positive(),
  /** Decay of the weight average; what is kept and tested is always the average. */
  averageDecay: share,
};

/** Other stains and cameras: more than the gains of `brightness` and `colour`. Absent, none. */
const jitter = z
  .strictObject({
    /** Stain between e^-c and e^c times as strong, about the training crops' mean colour. */
    contrast: z.number().min(0).max(2).default(0),
    /** Share of the views that are shown without colour. */
    grey: share.default(0),
  })
  .optional();

const distill = z.strictObject({
  /** Stage 1 on or off. Off, masks still come from it where posing or suppression needs them: see `pose`. */
  steps: z.int().min(1).max(1_000_000).default(450),
  batch: optimisation.batch.default(32),
  learningRate: optimisation.learningRate.default(6e-3),
  warmup: optimisation.warmup.default(0.15),
  weightDecay: optimisation.weightDecay.default(0.02),
  clipNorm: optimisation.clipNorm.default(5),
  averageDecay: optimisation.averageDecay.default(0.98),
  /** Weights of the spatial tasks; 0 switches one off. */
  tasks: z
    .strictObject({
      /** Foreground, cross-entropy plus Dice. Everything downstream reads it, so it cannot be off. */
      mask: z.number().positive().default(1),
      /** Signed distance to the boundary in units of the head's equivalent radius, smooth L1. */
      distance: weight.default(1),
      /** Acrosome inside the head; it also gives the pose its direction. */
      parts: weight.default(0.5),
      /** Relative rotation between two views of one head, as cosine and sine. */
      rotation: weight.default(0.2),
    })
    .prefault({}),
  /** Weight the pixel tasks of an image by the reliability of its pseudo-mask. */
  reliabilityWeighting: z.boolean().default(true),
  /** The averaged network replaces pseudo-masks it consistently disagrees with. */
  teacher: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Shares of the steps after which it looks. */
      rounds: z.array(share).default([0.5, 0.75]),
      /** It disagrees where the IoU of its mask with the pseudo-mask is below this … */
      disagreement: share.default(0.75),
      /** … and consistently so where its masks of rotated views agree with each other at least this well. */
      consistency: share.default(0.9),
    })
    .prefault({}),
  augmentation: z
    .strictObject({
      /** Zoom of the view. Wide, since stage 2 looks closer than stage 1. */
      zoom: zoom.default([0.8, 1.7]),
      /** Shift, as a share of the view. */
      shift: share.default(0.1),
      brightness: share.default(0.2),
      colour: share.default(0.06),
      jitter,
    })
    .prefault({}),
  /** Also learn from the other folds' images, never their labels. Reports say so. */
  transductive: z.boolean().default(false),
});

/** A linear probe on wavelets beside stage 2's network: wavelets.ts. A prediction is the mean of both. */
const wavelets = z.strictObject({
  viewSize: z.int().min(32).max(256).multipleOf(16).default(64),
  /** It learns every head out of focus, too: under Gaussians of these deviations, in the view's pixels. */
  blur: z.array(z.number().positive().max(16)).max(4).default([1, 2]),
  /** In units of a head's mean squared feature. */
  ridge: z.number().min(1e-3).max(100).default(0.3),
  sharpness: z.number().positive().max(100).default(8),
  share: share.default(0.5),
});

const tuning = z.strictObject({
  steps: z.int().min(1).max(1_000_000).default(320),
  batch: optimisation.batch.default(32),
  learningRate: optimisation.learningRate.default(2e-3),
  warmup: optimisation.warmup.default(0.15),
  weightDecay: optimisation.weightDecay.default(0.05),
  clipNorm: optimisation.clipNorm.default(5),
  averageDecay: optimisation.averageDecay.default(0.98),
  /** Start from the distilled encoder, from random weights, or from those that stage 1 starts from, ImageNet's (--init). */
  initialise: z.enum(["distilled", "scratch", "imagenet"]).default("distilled"),
  /** An encoder of its own, which then cannot start from stage 1's: stage 1 gives masks and poses alone. Absent, the same. */
  network: ownNetwork.optional(),
  /** The encoder's learning rate relative to the new head's, where it does not start from random weights. */
  encoderRate: z.number().positive().max(10).default(1),
  /** (a) Turn the head upright by its predicted mask. Off: the whole crop, with free rotation in training. */
  pose: z.boolean().default(true),
  /** Side of stage 2's view in its own pixels, where it is to look closer than stage 1: `network.viewSize` where absent. */
  viewSize: z.int().min(32).max(256).multipleOf(16).optional(),
  /** The view's side relative to the long heads of the training images (95th percentile of the length). */
  margin: z.number().min(1).max(4).default(1.1),
  /** (b) Remove what lies beyond the predicted mask plus a margin. */
  suppress: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Range of the random margin in training, in view pixels; its middle is used in prediction. */
      margin: z
        .tuple([z.int().min(0).max(16), z.int().min(0).max(16)])
        .refine(([low, high]) => low <= high, "the first must not exceed the second")
        .default([2, 8]),
    })
    .prefault({}),
  /** What stage 1 says of the head's shape as further channels of the view: shape-maps.ts. Absent, none. */
  shapeMaps: z
    .array(z.enum(["distance", "acrosome"]))
    .min(1)
    .refine((maps) => new Set(maps).size === maps.length, "each once")
    .optional(),
  /** (c) How the last feature map is pooled: over the mask, over everything, or both side by side. */
  pooling: z.enum(["mask", "average", "both"]).default("both"),
  /** Which feature maps are pooled: absent, the last one; "all" adds those of finer scales. */
  pooledScales: z.enum(["last", "all"]).optional(),
  /** (d) Weight of the mask as an auxiliary task; off by default, since the decoder costs as much as the classifier. */
  auxiliaryMask: weight.default(0),
  /** (e) Weight of the tie between predictions on the view with and without background; costs a second pass. */
  consistency: weight.default(0),
  /** Against label noise: experts' votes as soft targets where there are any. */
  votes: z.boolean().default(true),
  labelSmoothing: share.default(0.1),
  /** Same-class mixup: parameter of the Beta distribution; 0 is off. */
  mixup: z.number().min(0).max(10).default(0),
  /** Cross-entropy, or generalised cross-entropy (Zhang and Sabuncu 2018, q = 0.7). */
  loss: z.enum(["crossEntropy", "generalised"]).default("crossEntropy"),
  /**
   * Learn what each label is likely to be, from the heads that look alike to stage 1, instead of the label as given. Heads
   * without a label then take part in stage 2, too, with `distill.transductive` those of the test fold: label-refinement.ts.
   */
  refineLabels: z.boolean().optional(),
  /**
   * Beside stage 2's network a linear probe on frozen weights from elsewhere (--init, which says the network): probe.ts. A
   * prediction is the mean of both. Absent, none.
   */
  probe: z
    .strictObject({
      network: frozenNetwork,
      /** Side of the view that it sees, in its own pixels. */
      viewSize: z.int().min(32).max(256).multipleOf(16).default(128),
      /** In units of a head's mean squared feature. */
      ridge: z.number().min(1e-3).max(100).default(0.1),
      /** Its opinion is the softmax of this many times the regression's value. */
      sharpness: z.number().positive().max(100).default(8),
      /** Its part in the mean. */
      share: share.default(0.5),
    })
    .optional(),
  /** The same on wavelets, which take no weights. null: none, as by default where heads are not turned or `probe` is there. */
  wavelets: wavelets.nullable().optional(),
  /** Weight an image by the share of its experts who chose the majority class. */
  agreementWeighting: z.boolean().default(false),
  dropout: share.default(0.4),
  augmentation: z
    .strictObject({
      /** Degrees either way about the pose. */
      rotation: z.number().min(0).max(180).default(12),
      zoom: zoom.default([0.9, 1.1]),
      shift: share.default(0.06),
      mirror: z.boolean().default(true),
      brightness: share.default(0.2),
      colour: share.default(0.06),
      jitter,
    })
    .prefault({}),
  /** Prediction averages these views, in the graph. */
  testViews: z
    .strictObject({
      mirror: z.boolean().default(true),
      /** Degrees about the pose. */
      rotations: z.array(z.number()).min(1).default([-8, 0, 8]),
    })
    .prefault({}),
});

/** Wavelets where nothing is said of them and nothing is in their way. */
const tune = tuning.transform(({ wavelets: asked, ...rest }) => ({
  ...rest,
  wavelets: asked === undefined ? (rest.pose && !rest.probe ? wavelets.parse({}) : null) : asked,
}));

/** What stage 1 learns a map by. */
const TASK_OF = { distance: "distance", acrosome: "parts" } as const;

export const configSchema = z
  .strictObject({
    network: network.prefault({}),
    /** Colour of a view: as it is, or relative to the crop's background (removes the tint of stain and lamp). */
    colour: z.enum(["absolute", "background"]).default("absolute"),
    distill: distill.prefault({}),
    tune: tune.prefault({}),
  })
  .refine(({ tune }) => !tune.network || tune.initialise !== "distilled", {
    path: ["tune", "initialise"],
    message: '"distilled" with an encoder of its own (tune.network); expected "scratch" or "imagenet"',
  })
  .refine(({ tune }) => !tune.probe || tune.initialise !== "imagenet", {
    path: ["tune", "initialise"],
    message: '"imagenet" beside a probe (tune.probe), whose weights those are; expected "distilled" or "scratch"',
  })
  .refine(({ tune }) => !(tune.probe ?? tune.wavelets) || tune.pose, {
    path: ["tune", "pose"],
    message: "false beside a probe (tune.probe, tune.wavelets), which sees upright heads; expected true",
  })
  .refine(({ network, tune }) => !tune.shapeMaps || (tune.network?.backbone ?? network.backbone) !== "mobilenet", {
    path: ["tune", "shapeMaps"],
    message: 'with "mobilenet", whose first layer is as it was trained elsewhere; expected residual blocks',
  })
  .refine(({ distill: { tasks }, tune }) => !tune.shapeMaps?.some((map) => tasks[TASK_OF[map]] === 0), {
    path: ["tune", "shapeMaps"],
    message: "with a map that stage 1 does not learn (its weight in distill.tasks is 0); expected a task above 0",
  })
  .refine(({ tune }) => !(tune.probe && tune.wavelets), {
    path: ["tune", "wavelets"],
    message: "beside tune.probe; expected one of them",
  });

export type Config = z.infer<typeof configSchema>;

/** Stage 2's network. */
export function tunedNetwork({ network, tune }: Config): Config["network"] {
  return { ...network, ...tune.network, viewSize: tune.viewSize ?? network.viewSize };
}

/** How a probe learns and what its part is, where there is one, whatever it is on. */
export function probeSettings({ tune }: Config): { ridge: number; sharpness: number; share: number } | undefined {
  return tune.probe ?? tune.wavelets ?? undefined;
}

/** The network that a probe keeps frozen, where there is one. */
export function probeNetwork({ tune: { probe } }: Config): Config["network"] | undefined {
  return probe && { ...probe.network, viewSize: probe.viewSize };
}

/** The network that weights from elsewhere (`--init`) are for. */
export const networkForInit = (config: Config): Config["network"] => probeNetwork(config) ?? tunedNetwork(config);

/** Whether weights from elsewhere (`--init`) are for stage 1, too. */
export const initServesStage1 = ({ tune }: Config): boolean => tune.network === undefined && tune.probe === undefined;

/** The default configuration, every value resolved. */
export const defaultConfig: Config = configSchema.parse({});

/** Checks a configuration and fills in defaults. Throws `config/*`, naming the key. */
export function resolveConfig(value: unknown, where = "configuration"): Config {
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const key = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    throw new AndroscopeError("config/unknown-key", {
      expected: `keys of the ${key || "top"} level that exist`,
      found: issue.keys.map((k) => [key, k].filter(Boolean).join(".")).join(", "),
      where,
      fix: "Correct the name or remove it; docs/method.md lists every key.",
    });
  }
  throw new AndroscopeError("config/bad-value", {
    expected: `a valid ${key || "configuration"}`,
    found: issue.message,
    where,
    fix: `Change ${key || "it"}; docs/method.md lists every key with its range.`,
  });
}
