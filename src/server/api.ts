/**
 * Every route of the app's server: method, path, what goes in and what comes out. The server checks requests by these
 * schemas, `GET /api/openapi.json` is made of them, and the page takes its types from them. Imports nothing that needs
 * Node. What the routes mean is told in docs/app-api.md.
 *
 * A reader is named by `reader` in the query or the body. There are no accounts: it says whose eyes the answer is for,
 * so that somebody who reads blind is shown nobody else's decisions.
 */
import { z } from "zod";
import { JUDGING_ROUTES, judgingSchema, opinionSchema } from "./api-judgings.ts";
import { LEARNING_ROUTES } from "./api-learnings.ts";
import * as nouns from "./api-nouns.ts";
import {
  act,
  doneSchema,
  flagText,
  forReader,
  headParams,
  idsText,
  idText,
  imageParams,
  type Route,
  sampleParams,
} from "./api-parts.ts";

export * from "./api-judgings.ts";
export * from "./api-learnings.ts";
export * from "./api-nouns.ts";
export { doneSchema, type Media, type Route } from "./api-parts.ts";

/**
 * The parts of an upload, in this order: the field `kind`, then any number of files called `files`. A file that is
 * refused does not keep the others from being taken.
 */
export const uploadFieldsSchema = z.object({ kind: nouns.imageKindSchema });
export const uploadedSchema = z.discriminatedUnion("ok", [
  /** `duplicate`: the sample had this very file already; `image` is that one. */
  z.object({ ok: z.literal(true), name: z.string(), duplicate: z.boolean(), image: nouns.imageSchema }),
  z.object({ ok: z.literal(false), name: z.string(), error: nouns.errorSchema }),
]);

/** One decision of a batch. `value: null` takes the reader's decision back. */
export const decisionRequestSchema = z.object({
  id: nouns.actIdSchema,
  head: nouns.idSchema,
  value: nouns.valueSchema.nullable(),
  reason: nouns.reasonSchema.default(""),
});
export const MOST_DECISIONS = 5000;

export const aboutSchema = z.object({
  version: z.string(),
  /** Those of the model, which readers decide between. */
  classes: z.array(z.string()),
  /** What analyses images now. */
  analyser: nouns.analyserSchema,
  /** Whose model that is; null: the one that the program was started with. */
  learning: nouns.idSchema.nullable(),
  /**
   * The learned model that is chosen here, where its file was missing or damaged at the start: the model of the start judges
   * until the file is back and the app started again, or another model is chosen.
   */
  lostModel: z.object({ learning: nouns.idSchema, model: nouns.sha256, error: nouns.errorSchema }).nullable(),
  /** Whether a model can be learned here. */
  learns: z.boolean(),
  /** Kinds of images that can be analysed. */
  kinds: z.array(nouns.imageKindSchema),
  limits: z.object({ fileBytes: z.int(), filesPerUpload: z.int(), pixels: z.int(), decisions: z.int() }),
  use: z.string(),
});

/** Widths of pictures for the browser; `full` is the image's own. A wider one than the image is the image's own. */
export const PIXEL_WIDTHS = ["256", "512", "1024", "2048", "4096", "full"] as const;

export const API = {
  health: {
    method: "GET",
    path: "/api/health",
    summary: "Whether the server answers.",
    open: true,
    response: z.object({ ok: z.literal(true), program: z.literal("androscope"), version: z.string() }),
  },
  openSession: {
    method: "POST",
    path: "/api/session",
    summary: "Exchanges the token of the start URL (after #token=) for a cookie that scripts cannot read.",
    open: true,
    body: z.object({ token: z.string().max(200) }),
    response: z.object({ ok: z.literal(true) }),
  },
  openapi: {
    method: "GET",
    path: "/api/openapi.json",
    summary: "This API as an OpenAPI 3.1 document.",
    response: z.record(z.string(), z.json()),
  },
  about: {
    method: "GET",
    path: "/api/about",
    summary: "Version, classes, analyser and limits.",
    response: aboutSchema,
  },

  listReaders: {
    method: "GET",
    path: "/api/readers",
    summary: "All readers.",
    response: z.object({ readers: z.array(nouns.readerSchema) }),
  },
  createReader: {
    method: "POST",
    path: "/api/readers",
    summary: "Makes a reader, or finds the one of this name.",
    body: z.object({ name: nouns.readerNameSchema }),
    response: nouns.readerSchema,
  },

  listSamples: {
    method: "GET",
    path: "/api/samples",
    summary: "All samples, the newest first.",
    query: z.object({ archived: flagText }),
    response: z.object({ samples: z.array(nouns.sampleSchema) }),
  },
  createSample: {
    method: "POST",
    path: "/api/samples",
    summary: "Makes a sample. Its calibration is not known until it is given.",
    body: act.omit({ reason: true }).extend({ name: nouns.nameSchema, note: nouns.noteSchema.default("") }),
    response: nouns.sampleSchema,
  },
  getSample: {
    method: "GET",
    path: "/api/samples/:sample",
    summary: "One sample.",
    params: sampleParams,
    response: nouns.sampleSchema,
  },
  changeSample: {
    method: "PATCH",
    path: "/api/samples/:sample",
    summary: "Another name or note, archived or not. Nothing is ever deleted.",
    params: sampleParams,
    body: act.extend({
      name: nouns.nameSchema.optional(),
      note: nouns.noteSchema.optional(),
      archived: z.boolean().optional(),
    }),
    response: nouns.sampleSchema,
  },
  calibrate: {
    method: "POST",
    path: "/api/samples/:sample/calibration",
    summary: "Says how many micrometres a pixel is and how that was found out; null: not known.",
    params: sampleParams,
    body: act.extend(nouns.calibrationSchema.pick({ umPerPx: true, method: true, detail: true }).shape),
    response: nouns.sampleSchema,
  },
  assignReading: {
    method: "POST",
    path: "/api/samples/:sample/readings",
    summary: "Puts the sample to a reader. Who has read openly cannot read blind afterwards.",
    params: sampleParams,
    body: act.extend({ assigned: nouns.idSchema, role: z.enum(nouns.READER_ROLES) }),
    response: nouns.sampleSchema,
  },

  listImages: {
    method: "GET",
    path: "/api/samples/:sample/images",
    summary: "The sample's images in the order of their upload, or some of them.",
    params: sampleParams,
    query: z.object({ ids: idsText.optional() }),
    response: z.object({ images: z.array(nouns.imageSchema) }),
  },
  uploadImages: {
    method: "POST",
    path: "/api/samples/:sample/images",
    summary: "Takes files and queues them. The answer has a line per file, in their order.",
    params: sampleParams,
    body: "files",
    response: z.object({ files: z.array(uploadedSchema) }),
  },
  getImage: {
    method: "GET",
    path: "/api/images/:image",
    summary: "One image.",
    params: imageParams,
    response: nouns.imageSchema,
  },
  retryImage: {
    method: "POST",
    path: "/api/images/:image/retry",
    summary: "Queues an image again whose analysis failed.",
    params: imageParams,
    response: nouns.imageSchema,
  },
  pixels: {
    method: "GET",
    path: "/api/images/:image/pixels",
    summary: "The image for the browser (JPEG; crops and what has at most 4 megapixels: PNG). Never changes.",
    params: imageParams,
    query: z.object({ width: z.enum(PIXEL_WIDTHS).default("2048") }),
    response: { media: "image/jpeg" },
  },
  thumbnail: {
    method: "GET",
    path: "/api/thumbnails/:key",
    summary: "A head's square of its image, 128 pixels wide. The key is of the content: never changes.",
    params: z.object({ key: z.string().regex(/^[0-9a-f]{32}$/) }),
    response: { media: "image/webp" },
  },

  listHeads: {
    method: "GET",
    path: "/api/samples/:sample/heads",
    summary: "All heads of a sample by image and number, or of one image, or some of them, with decisions.",
    params: sampleParams,
    query: forReader.extend({
      image: idText.optional(),
      ids: idsText.optional(),
      outlines: flagText,
    }),
    response: z.object({ heads: z.array(nouns.headSchema) }),
  },
  getHead: {
    method: "GET",
    path: "/api/heads/:head",
    summary: "One head with its outline.",
    params: headParams,
    query: forReader,
    response: nouns.headSchema,
  },
  addHead: {
    method: "POST",
    path: "/api/images/:image/heads",
    summary: "Adds a head that the analysis missed, by its outline; it is measured at once.",
    params: imageParams,
    body: act.extend({ outline: nouns.outlineSchema }),
    response: doneSchema.extend({ head: nouns.headSchema }),
  },
  changeOutline: {
    method: "POST",
    path: "/api/heads/:head/outline",
    summary: "Draws the head's outline anew and measures it again; null: the analysis's own again.",
    params: headParams,
    body: act.extend({ outline: nouns.outlineSchema.nullable() }),
    response: doneSchema.extend({ head: nouns.headSchema }),
  },
  headLog: {
    method: "GET",
    path: "/api/heads/:head/log",
    summary: "What was done with a head, the oldest first; without what is hidden from the reader.",
    params: headParams,
    query: forReader,
    response: z.object({ rows: z.array(nouns.logRowSchema), hidden: z.boolean() }),
  },

  decide: {
    method: "POST",
    path: "/api/decisions",
    summary: "Saves decisions of one reader on heads of one sample: all or none.",
    body: z.object({
      reader: nouns.idSchema,
      decisions: z.array(decisionRequestSchema).min(1).max(MOST_DECISIONS),
    }),
    /** `heads`: as a reader who reads blind may see them now, without outlines; none for others. */
    response: z.object({ done: z.array(doneSchema), heads: z.array(nouns.headSchema) }),
  },
  undo: {
    method: "POST",
    path: "/api/undo",
    summary:
      "Takes back an act: of the log's row `seq`, or the reader's newest in the sample that is not taken back yet.",
    body: act.extend({ sample: nouns.idSchema, seq: z.int().positive().optional() }),
    response: doneSchema.extend({ undoes: z.int(), head: nouns.headSchema.nullable() }),
  },
  settle: {
    method: "POST",
    path: "/api/consensus",
    summary: "Settles a head: who settles it, when and why is kept. `value: null` opens it again.",
    body: act.extend({ head: nouns.idSchema, value: nouns.valueSchema.nullable() }),
    response: doneSchema.extend({ head: nouns.headSchema }),
  },
  disagreements: {
    method: "GET",
    path: "/api/samples/:sample/disagreements",
    summary: "Heads on which readers differ.",
    params: sampleParams,
    query: forReader.extend({ state: z.enum(["open", "settled", "all"]).default("open") }),
    response: z.object({ disagreements: z.array(nouns.disagreementSchema) }),
  },
  countDisagreements: {
    method: "GET",
    path: "/api/samples/:sample/disagreements/count",
    summary: "How many heads readers differ on, as far as the reader may see.",
    params: sampleParams,
    query: forReader,
    response: z.object({ open: z.int(), settled: z.int() }),
  },

  report: {
    method: "GET",
    path: "/api/samples/:sample/report",
    summary: "Counts by class of the model, of each reader and final; who read what and when; with what.",
    params: sampleParams,
    query: forReader,
    response: nouns.sampleReportSchema,
  },
  exportCsv: {
    method: "GET",
    path: "/api/samples/:sample/export.csv",
    summary: "A row per head. Refused to a blind reader who has heads left.",
    params: sampleParams,
    query: forReader,
    response: { media: "text/csv" },
  },
  exportJson: {
    method: "GET",
    path: "/api/samples/:sample/export.json",
    summary:
      "Report, heads with outlines, former opinions of models, and log. Refused to a blind reader who has heads left.",
    params: sampleParams,
    query: forReader,
    response: z.object({
      report: nouns.sampleReportSchema,
      heads: z.array(nouns.headSchema),
      /** What models said of heads before these were judged again. */
      formerOpinions: z.array(opinionSchema.extend({ head: nouns.idSchema })),
      judgings: z.array(judgingSchema),
      log: z.array(nouns.logRowSchema),
    }),
  },
  exportGeoJson: {
    method: "GET",
    path: "/api/samples/:sample/export.geojson",
    summary: "Outlines of one image as GeoJSON, as QuPath reads it. Refused to a blind reader who has heads left.",
    params: sampleParams,
    query: forReader.extend({ image: idText }),
    response: { media: "application/geo+json" },
  },

  ...LEARNING_ROUTES,
  ...JUDGING_ROUTES,

  events: {
    method: "GET",
    path: "/api/events",
    summary: "Server-sent events: progress of the analysis with the time left, new heads, what others do.",
    response: { media: "text/event-stream" },
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof API;

/** What a caller sends: defaults may be left out. */
export type BodyOf<N extends RouteName> = (typeof API)[N] extends { body: infer B extends z.ZodType }
  ? z.input<B>
  : never;
export type QueryOf<N extends RouteName> = (typeof API)[N] extends { query: infer Q extends z.ZodType }
  ? z.input<Q>
  : never;
export type ParamsOf<N extends RouteName> = (typeof API)[N] extends { params: infer P extends z.ZodType }
  ? z.output<P>
  : never;
/** What comes back as JSON; never for pictures, tables and events. */
export type ResponseOf<N extends RouteName> = (typeof API)[N] extends { response: infer R extends z.ZodType }
  ? z.output<R>
  : never;
export type Uploaded = z.infer<typeof uploadedSchema>;
export type Done = z.infer<typeof doneSchema>;
export type About = z.infer<typeof aboutSchema>;
