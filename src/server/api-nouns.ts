/**
 * The nouns of the app's API as zod schemas, shared by the server and the page. Imports nothing that needs Node.
 *
 * Lengths are pixels of the photograph, x to the right and y down, its top left corner at (0, 0). Times are ISO 8601 in
 * UTC. Ids are whole numbers that the server gives and never uses again.
 */
import { z } from "zod";

export const idSchema = z.int().positive();
export const time = z.iso.datetime();
const finite = z.number();
const point = z.tuple([finite, finite]);
/** SHA-256 in hexadecimal. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** One line that a person types: no control characters. */
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u);
/** Text that a person types; may be empty and have several lines. */
const text = (most: number) => z.string().max(most);

export const nameSchema = line(200);
export const readerNameSchema = line(80);
export const noteSchema = text(4000);
export const reasonSchema = text(1000);

/**
 * Made by the client, a new one for each act (`crypto.randomUUID()`): a request that is sent again with the same id and
 * the same content is answered as the first time and done once; with other content it is refused, `review/id-reused`.
 */
export const actIdSchema = z.uuid();

/** Every refusal of the API has this body. Programs match on `code`; docs/app-api.md lists the codes. */
export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  expected: z.string().optional(),
  found: z.string().optional(),
  where: z.string().optional(),
  fix: z.string().optional(),
});
export const failureSchema = z.object({ error: errorSchema });

export const readerSchema = z.object({ id: idSchema, name: z.string(), created: time });

/** Which networks found and judged heads: src/fields/head.ts. */
export const analyserSchema = z.object({
  program: z.string(),
  classes: z.array(z.string()),
  model: z.string(),
  detector: z.string(),
  licence: z.string(),
  /** Where the model was learned from readers' decisions: the model before, and how many heads. */
  adapted: z.object({ base: z.string(), heads: z.int() }).optional(),
});

export const CALIBRATION_METHODS = ["stage-micrometer", "scale-bar", "objective", "file", "other"] as const;
/** How many micrometres a pixel is, and how that was found out. `umPerPx: null` says that it is not known. */
export const calibrationSchema = z.object({
  umPerPx: z.number().positive().max(100).nullable(),
  method: z.enum(CALIBRATION_METHODS),
  detail: text(1000),
  reader: z.object({ id: idSchema, name: z.string() }),
  at: time,
});

export const IMAGE_STATES = ["queued", "running", "done", "failed"] as const;
/** `field`: a photograph of a smear. `crop`: cut for one head. */
export const imageKindSchema = z.enum(["field", "crop"]);

export const imageSchema = z.object({
  id: idSchema,
  sample: idSchema,
  /** As the user's file was called: may be personal. */
  name: z.string(),
  kind: imageKindSchema,
  sha256,
  bytes: z.int(),
  format: z.enum(["bmp", "png", "jpeg", "tiff", "webp"]),
  width: z.int(),
  height: z.int(),
  uploaded: time,
  state: z.enum(IMAGE_STATES),
  /** Why it failed; it can be queued again. */
  error: errorSchema.nullable(),
  analysed: time.nullable(),
  /** What the analysis took. */
  seconds: z.number().nullable(),
  analyser: analyserSchema.nullable(),
  /** Pixels that a usual head was taken to be long; of photographs that were analysed. */
  headLength: z.number().nullable(),
  heads: z.int(),
});

export const READER_ROLES = ["open", "blind"] as const;
/** A reader's work on a sample. `blind`: sees nobody else's decision on a head before deciding it. */
export const readingSchema = z.object({
  reader: z.object({ id: idSchema, name: z.string() }),
  role: z.enum(READER_ROLES),
  created: time,
  /** Heads that the reader has decided now, of {@link sampleSchema}.heads. */
  decided: z.int(),
  /** Decided heads whose decision this blind reader changed after seeing another's. */
  changedAfterReveal: z.int(),
  lastAt: time.nullable(),
});

export const sampleSchema = z.object({
  id: idSchema,
  name: z.string(),
  note: z.string(),
  created: time,
  archived: z.boolean(),
  umPerPx: z.number().nullable(),
  calibration: calibrationSchema.nullable(),
  images: z.object({ queued: z.int(), running: z.int(), done: z.int(), failed: z.int() }),
  /** All that can be decided: found ones of every state and added ones. */
  heads: z.int(),
  cut: z.int(),
  refused: z.int(),
  /** Heads with a decision of at least one reader, or a consensus. */
  decided: z.int(),
  readings: z.array(readingSchema),
});

/** Why a head is left out of the count. */
export const EXCLUSIONS = ["no-head", "cut", "unjudgeable"] as const;
export const valueSchema = z.discriminatedUnion("kind", [
  /** One of the classes of `GET /api/about`. */
  z.object({ kind: z.literal("class"), class: z.string().max(80) }),
  z.object({ kind: z.literal("excluded"), why: z.enum(EXCLUSIONS) }),
]);

export const decisionSchema = z.object({
  reader: z.object({ id: idSchema, name: z.string() }),
  value: valueSchema,
  reason: z.string(),
  at: time,
  /** Of the log's row. */
  seq: z.int(),
});

export const MOST_OUTLINE_POINTS = 4000;
/** Corners of a closed outline. */
export const outlineSchema = z.array(point).min(3).max(MOST_OUTLINE_POINTS);

/** src/heads/morphometry.ts says what each is. In micrometres: times the sample's `umPerPx`, areas times its square. */
export const measuresSchema = z.object({
  areaPx: finite,
  perimeterPx: finite,
  lengthPx: finite,
  widthPx: finite,
  ellipticity: finite,
  elongation: finite,
  rugosity: finite,
  regularity: finite,
  symmetry: finite,
  acrosomeShare: finite,
  vacuoles: finite,
  vacuoleShare: finite,
  angleDeg: finite,
  centreX: finite,
  centreY: finite,
});

export const headSchema = z.object({
  id: idSchema,
  image: idSchema,
  /** Within its image, from 1; added heads follow the found ones. */
  number: z.int().positive(),
  /** As the analysis found it; added heads are `head`. */
  state: z.enum(["head", "cut", "refused"]),
  reason: z.enum(["detector", "mask", "size"]).nullable(),
  /** Who found it. */
  source: z.enum(["model", "reader"]),
  score: finite,
  agreement: finite,
  centre: point,
  /** Unit vector along the major axis towards the tail. */
  axis: point,
  /** The model's, in the order of its own classes; empty for heads that are cut or added. */
  probabilities: z.array(finite),
  /** The model's class; null where it gives none: cut, refused or added heads. */
  modelClass: z.string().nullable(),
  /** SHA-256 of the model that gave probabilities and class; null where none did, or while `hidden`. */
  judgedBy: z.string().nullable(),
  measures: measuresSchema.nullable(),
  /** Who drew the outline that holds now; the measures are of this outline. */
  outlineBy: z.enum(["model", "reader"]),
  /** Left out of lists unless `outlines=true`. */
  outline: outlineSchema.optional(),
  /** A square of the image as a picture, `GET /api/thumbnails/:key`; x and y of its corner may lie outside the image. */
  thumbnail: z.object({ key: z.string(), x: finite, y: finite, side: finite }),
  /** The asking reader's own. */
  decision: decisionSchema.nullable(),
  /** Others' decisions and the consensus are kept back from the asking reader, who reads blind and has not decided. */
  hidden: z.boolean(),
  others: z.array(decisionSchema),
  consensus: decisionSchema.nullable(),
});

export const LOG_ACTIONS = [
  "sample-create",
  "sample-change",
  "calibrate",
  "reading",
  "decide",
  "consensus",
  "outline",
  "add-head",
  /** What the analysis of an image found; without a reader. */
  "analysis",
  /** Another model judges from then on; of no sample. */
  "model",
  /** A sample's undecided heads judged again with another model. */
  "judge",
] as const;

/** One act. What `old` and `new` hold follows from `action`: docs/app-api.md. */
export const logRowSchema = z.object({
  seq: z.int(),
  at: time,
  /** Made by the client. */
  act: z.string(),
  action: z.enum(LOG_ACTIONS),
  reader: z.object({ id: idSchema, name: z.string() }).nullable(),
  sample: idSchema.nullable(),
  head: idSchema.nullable(),
  old: z.json(),
  new: z.json(),
  reason: z.string(),
  /** The row that this one takes back. */
  undoes: z.int().nullable(),
  hash: sha256,
});

const classCounts = z.record(z.string(), z.int());
/** Every head of the sample is in exactly one of these. */
export const countsSchema = z.object({
  classes: classCounts,
  /** Left out, by reason. */
  excluded: z.object({ "no-head": z.int(), cut: z.int(), unjudgeable: z.int() }),
  /** The model's alone: found, but given no class. Of readers' counts: 0. */
  cut: z.int(),
  refused: z.int(),
  /** Nobody has decided it; of the model's count: heads that readers added. */
  undecided: z.int(),
  /** Of the final count alone: readers differ and nobody has settled it. */
  disputed: z.int(),
});

export const agreementSchema = z.object({
  readers: z.tuple([z.object({ id: idSchema, name: z.string() }), z.object({ id: idSchema, name: z.string() })]),
  /** Heads that both decided. */
  heads: z.int(),
  agreed: z.int(),
  /** Cohen's kappa (1960) over classes and "excluded"; null where it has no value. */
  kappa: z.number().nullable(),
});

export const sampleReportSchema = z.object({
  sample: sampleSchema,
  /** The asking reader reads blind and has heads left: others' counts are kept back. */
  hidden: z.boolean(),
  classes: z.array(z.string()),
  /** Whatever model each head carries the opinion of; `models` tells them apart. */
  model: countsSchema,
  /** Every model whose opinions are in the sample: of how many heads, and its own count of these. Empty while `hidden`. */
  models: z.array(z.object({ analyser: analyserSchema, heads: z.int(), counts: countsSchema })),
  readers: z.array(z.object({ reading: readingSchema, counts: countsSchema })),
  /** A head's consensus; without one what all who decided it agree on. Null while hidden. */
  final: countsSchema.nullable(),
  agreement: z.array(agreementSchema),
  images: z.array(imageSchema),
  /** Each description once: of analyses, and of what heads were judged again by. */
  analysers: z.array(analyserSchema),
  program: z.string(),
  settings: z.record(z.string(), z.json()),
  /** Newest row of the log and its hash: who keeps them can later tell whether rows were taken away. */
  log: z.object({ rows: z.int(), hash: sha256 }),
  made: time,
  use: z.string(),
});

export const disagreementSchema = z.object({
  head: headSchema,
  /** At least two, not all equal. */
  decisions: z.array(decisionSchema),
  consensus: decisionSchema.nullable(),
});

/** Of a model that is learned from decisions: api-learnings.ts. */
export const LEARNING_STATES = ["running", "done", "failed"] as const;
/** Of heads that are judged again: api-judgings.ts. */
export const JUDGING_STATES = ["queued", "running", "done", "stopped", "failed"] as const;

/** What `GET /api/events` sends, as JSON in `data`. None holds a decision's value. */
export const eventSchema = z.discriminatedUnion("type", [
  /** First of every connection: load anew what is shown. */
  z.object({ type: z.literal("hello"), version: z.string() }),
  /** An image's state. `ahead`: images that are analysed before it. Null where the time left is not yet known. */
  z.object({
    type: z.literal("image"),
    sample: idSchema,
    image: idSchema,
    state: z.enum(IMAGE_STATES),
    ahead: z.int(),
    secondsLeft: z.number().nullable(),
    error: errorSchema.nullable(),
  }),
  /** The whole queue, at every change of it. */
  z.object({ type: z.literal("queue"), queued: z.int(), running: z.int(), secondsLeft: z.number().nullable() }),
  /** Heads that are new. */
  z.object({ type: z.literal("heads"), sample: idSchema, image: idSchema, heads: z.array(idSchema) }),
  /** Somebody decided or drew: ask for these heads again, unless all of these acts are one's own. */
  z.object({
    type: z.literal("review"),
    sample: idSchema,
    heads: z.array(idSchema),
    reader: idSchema,
    acts: z.array(actIdSchema),
  }),
  /** How far a learning is; when its state changes `done` is `of`. */
  z.object({
    type: z.literal("learning"),
    learning: idSchema,
    state: z.enum(LEARNING_STATES),
    done: z.int(),
    of: z.int(),
    secondsLeft: z.number().nullable(),
  }),
  /** How far judging a sample again is, in heads. Null where the time left is not yet known. When it is done ask for its heads again. */
  z.object({
    type: z.literal("judging"),
    judging: idSchema,
    sample: idSchema,
    state: z.enum(JUDGING_STATES),
    done: z.int(),
    of: z.int(),
    secondsLeft: z.number().nullable(),
  }),
  /** Another model judges what is analysed from now on. */
  z.object({ type: z.literal("model") }),
  /** A sample is new or has another name, note, calibration or reader. */
  z.object({ type: z.literal("sample"), sample: idSchema }),
]);

export type Reader = z.infer<typeof readerSchema>;
export type ImageRecord = z.infer<typeof imageSchema>;
export type ImageKind = z.infer<typeof imageKindSchema>;
export type Sample = z.infer<typeof sampleSchema>;
export type Reading = z.infer<typeof readingSchema>;
export type Calibration = z.infer<typeof calibrationSchema>;
export type Value = z.infer<typeof valueSchema>;
export type Decision = z.infer<typeof decisionSchema>;
export type Head = z.infer<typeof headSchema>;
export type LogRow = z.infer<typeof logRowSchema>;
export type Counts = z.infer<typeof countsSchema>;
export type SampleReport = z.infer<typeof sampleReportSchema>;
export type Disagreement = z.infer<typeof disagreementSchema>;
export type AppEvent = z.infer<typeof eventSchema>;
export type ApiError = z.infer<typeof errorSchema>;
