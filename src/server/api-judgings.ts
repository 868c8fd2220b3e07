/** Judging heads again with the model in use: nouns and routes of the app's API. Imports nothing that needs Node. */
import { z } from "zod";
import * as nouns from "./api-nouns.ts";
import { act, forReader, headParams, idText, type Route, sampleParams } from "./api-parts.ts";

/** A sample's undecided heads judged again with the model that was in use when it was asked for. */
export const judgingSchema = z.object({
  id: nouns.idSchema,
  sample: nouns.idSchema,
  reader: z.object({ id: nouns.idSchema, name: z.string() }),
  reason: z.string(),
  begun: nouns.time,
  state: z.enum(nouns.JUDGING_STATES),
  /** Why it failed; nothing was changed then. */
  error: nouns.errorSchema.nullable(),
  finished: nouns.time.nullable(),
  /** Who stopped it, at the time at which it is `finished`. */
  stoppedBy: z.object({ id: nouns.idSchema, name: z.string() }).nullable(),
  /** Whose opinion the heads were to get. */
  analyser: nouns.analyserSchema,
  /** What it changed; null before its end, and where it was stopped or failed. */
  result: z
    .object({
      /** Heads that carry the new opinion since. */
      heads: z.int(),
      /** Whose opinions they carried before, by SHA-256. */
      from: z.array(z.object({ model: z.string(), heads: z.int() })),
      /** Heads whose class, or whether they are one, is another since. */
      changed: z.int(),
      /** Heads that keep what they had: decided, or drawn elsewhere, while it ran, or not to be judged. */
      kept: z.int(),
      /** Images whose heads could not be judged. */
      problems: z.array(z.object({ image: nouns.idSchema, name: z.string(), error: nouns.errorSchema })),
    })
    .nullable(),
});

/** Whose opinions the heads of a sample carry. */
export const sampleOpinionsSchema = z.object({
  sample: z.object({ id: nouns.idSchema, name: z.string() }),
  /** The asking reader reads blind and has heads left: nothing else is told. */
  hidden: z.boolean(),
  models: z.array(
    z.object({
      analyser: nouns.analyserSchema,
      inUse: z.boolean(),
      /** That carry its opinion; `decided` of them have a decision or a consensus. */
      heads: z.int(),
      decided: z.int(),
    }),
  ),
  /** Undecided heads with the opinion of another model than the one in use: what judging again concerns. */
  outdated: z.int(),
  /** The newest first. */
  judgings: z.array(judgingSchema),
});

/** What a model said of a head. */
export const opinionSchema = z.object({
  analyser: nouns.analyserSchema,
  /** In which it was given; null: in the analysis of the image. */
  judging: nouns.idSchema.nullable(),
  at: nouns.time,
  state: nouns.headSchema.shape.state,
  reason: nouns.headSchema.shape.reason,
  agreement: z.number(),
  /** In the order of `analyser.classes`. */
  probabilities: z.array(z.number()),
  modelClass: z.string().nullable(),
});

export const JUDGING_ROUTES = {
  listOpinions: {
    method: "GET",
    path: "/api/opinions",
    summary: "Whose opinions the heads of every sample carry; without archived samples and those without heads.",
    query: forReader,
    response: z.object({ samples: z.array(sampleOpinionsSchema) }),
  },
  sampleOpinions: {
    method: "GET",
    path: "/api/samples/:sample/opinions",
    summary: "Whose opinions the heads of one sample carry, and when it was judged again.",
    params: sampleParams,
    query: forReader,
    response: sampleOpinionsSchema,
  },
  judgeAgain: {
    method: "POST",
    path: "/api/samples/:sample/judgings",
    summary:
      "Has the model in use judge every undecided head of the sample again that carries another one's opinion, in the background; all at once when it is done. Refused to a blind reader who has heads left.",
    params: sampleParams,
    body: act,
    response: judgingSchema,
  },
  stopJudging: {
    method: "POST",
    path: "/api/judgings/:judging/stop",
    summary: "Gives up a judging that waits or runs: nothing is changed. Who did is kept with it.",
    params: z.object({ judging: idText }),
    body: z.object({ reader: nouns.idSchema }),
    response: z.object({ ok: z.literal(true) }),
  },
  headOpinions: {
    method: "GET",
    path: "/api/heads/:head/opinions",
    summary:
      "What models said of a head, the oldest first; the last one holds. None while it is hidden from the reader.",
    params: headParams,
    query: forReader,
    response: z.object({ opinions: z.array(opinionSchema), hidden: z.boolean() }),
  },
} as const satisfies Record<string, Route>;

export type Judging = z.infer<typeof judgingSchema>;
export type SampleOpinions = z.infer<typeof sampleOpinionsSchema>;
export type HeadOpinion = z.infer<typeof opinionSchema>;
