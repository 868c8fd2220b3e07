/** Learning models from what readers decided: nouns and routes of the app's API. Imports nothing that needs Node. */
import { z } from "zod";
import * as nouns from "./api-nouns.ts";
import { act, doneSchema, forReader, idText, type Route } from "./api-parts.ts";

export const MOST_LEARNED_SAMPLES = 1000;

/** Two models on reviewed heads that neither learned from. */
export const comparisonSchema = z.object({
  heads: z.int(),
  images: z.int(),
  /** Heads that each model gives the class of their readers. */
  correct: z.object({ before: z.int(), after: z.int() }),
  /** Wrong before and right after; the other way round. */
  mended: z.int(),
  spoilt: z.int(),
  /** Of the difference of the accuracies, 95 %. */
  interval: z.object({ low: z.number(), high: z.number() }),
  classes: z.array(z.object({ name: z.string(), heads: z.int(), before: z.int(), after: z.int() })),
});

/** A model learned from what readers decided. */
export const learningSchema = z.object({
  id: nouns.idSchema,
  reader: z.object({ id: nouns.idSchema, name: z.string() }),
  samples: z.array(z.object({ id: nouns.idSchema, name: z.string() })),
  begun: nouns.time,
  state: z.enum(nouns.LEARNING_STATES),
  error: nouns.errorSchema.nullable(),
  finished: nouns.time.nullable(),
  /** Who stopped it, at the time at which it is `finished`. */
  stoppedBy: z.object({ id: nouns.idSchema, name: z.string() }).nullable(),
  /** SHA-256 of the model that judged when it began. */
  before: z.string(),
  /** Of the one that was learned; null where nothing better was found. */
  model: nouns.sha256.nullable(),
  /** The asking reader reads one of the samples blind and has heads left: the result is kept back. */
  hidden: z.boolean(),
  result: z
    .object({
      /** What was learned from. */
      learned: z.object({ heads: z.int(), images: z.int() }),
      /** How strongly the last layer is pulled to the old one; null where it was left as it was. */
      strength: z.number().nullable(),
      comparison: comparisonSchema,
      /** Completed comparisons of which held-out images are these or some of these, up to now, this one too. */
      comparisons: z.int(),
    })
    .nullable(),
  /** Its model is the one chosen in this data folder; `about.learning` says whether it judges, since `--model` goes first. */
  inUse: z.boolean(),
});

/** A head of the comparison that the two models give different classes. */
export const changedHeadSchema = z.object({
  head: nouns.headSchema,
  sample: nouns.idSchema,
  /** Its readers'. */
  label: z.string(),
  before: z.string(),
  after: z.string(),
});

export const LEARNING_ROUTES = {
  listLearnings: {
    method: "GET",
    path: "/api/learnings",
    summary: "All models that were learned from decisions, the newest first.",
    query: forReader,
    response: z.object({ learnings: z.array(learningSchema) }),
  },
  startLearning: {
    method: "POST",
    path: "/api/learnings",
    summary:
      "Learns a model from the final classes of some samples' heads, a third of the images kept for comparing it. One at a time. Refused to a blind reader who has heads left.",
    body: act.omit({ reason: true }).extend({ samples: z.array(nouns.idSchema).min(1).max(MOST_LEARNED_SAMPLES) }),
    response: learningSchema,
  },
  getLearning: {
    method: "GET",
    path: "/api/learnings/:learning",
    summary: "One learning with the compared heads on which the two models differ; none for a reader who is blind.",
    params: z.object({ learning: idText }),
    query: forReader,
    response: z.object({ learning: learningSchema, changed: z.array(changedHeadSchema) }),
  },
  stopLearning: {
    method: "POST",
    path: "/api/learnings/:learning/stop",
    summary: "Gives up a learning that runs; who did is kept with it.",
    params: z.object({ learning: idText }),
    body: z.object({ reader: nouns.idSchema }),
    response: z.object({ ok: z.literal(true) }),
  },
  useModel: {
    method: "POST",
    path: "/api/model",
    summary:
      "Has a learned model judge what is analysed from now on; `learning: null`: the one that the program was started with. What was analysed keeps its opinion until it is judged again.",
    body: act.extend({ learning: nouns.idSchema.nullable() }),
    response: doneSchema.extend({ analyser: nouns.analyserSchema, learning: nouns.idSchema.nullable() }),
  },
} as const satisfies Record<string, Route>;

export type Learning = z.infer<typeof learningSchema>;
export type ChangedHead = z.infer<typeof changedHeadSchema>;
