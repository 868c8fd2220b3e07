/** What every route does: asks the store, and tells the open pages what has changed. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { version } from "../../runs/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import type { AnalysisQueue } from "../analysis/queue.ts";
import {
  type API,
  type AppEvent,
  type ImageRecord,
  MOST_DECISIONS,
  type ResponseOf,
  type RouteName,
  type SampleReport,
} from "../api.ts";
import type { Judgings } from "../judgings/judgings.ts";
import type { Learnings } from "../learnings/learnings.ts";
import type { Pictures } from "../pictures/pictures.ts";
import type { Database } from "../store/database.ts";
import { exportCsv, exportGeoJson, exportJson } from "../store/exports.ts";
import { headOf, listHeads, tileByKey, tilesOf } from "../store/heads.ts";
import { imageOf, listImages } from "../store/images.ts";
import { listOpinions, sampleOpinions } from "../store/judgings.ts";
import { changedHeads, learningOf, listLearnings } from "../store/learnings.ts";
import { logOfHead } from "../store/log.ts";
import { opinionsOn } from "../store/opinions.ts";
import { requireReader, requireSample } from "../store/refusals.ts";
import { RESEARCH_USE, reportOf } from "../store/report.ts";
import {
  type Acted,
  addHead,
  changeOutline,
  countDisagreements,
  decide,
  disagreements,
  noteSeen,
  settle,
} from "../store/review.ts";
import {
  assignReading,
  calibrate,
  changeSample,
  createReader,
  createSample,
  listReaders,
  listSamples,
  sampleOf,
} from "../store/samples.ts";
import { undo } from "../store/undo.ts";
import type { Events } from "./events.ts";
import type { Guard } from "./guard.ts";
import { takeUpload, type UploadLimits } from "./uploads.ts";

export interface Context {
  db: Database;
  /** Of the data. */
  folder: string;
  analyser: Analyser;
  learnings: Learnings;
  judgings: Judgings;
  queue: AnalysisQueue;
  pictures: Pictures;
  events: Events;
  guard: Guard;
  limits: UploadLimits;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type Part<N extends RouteName, K extends string> = (typeof API)[N] extends { [key in K]: infer S } ? S : undefined;

export interface Call<N extends RouteName> {
  params: Parsed<Part<N, "params">>;
  query: Parsed<Part<N, "query">>;
  body: Parsed<Part<N, "body">>;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** A route that answers by itself (a picture, a table, a stream) returns nothing that is JSON. */
export type Handlers = {
  [N in RouteName]?: (
    call: Call<N>,
  ) => [ResponseOf<N>] extends [never] ? unknown : ResponseOf<N> | Promise<ResponseOf<N>>;
};

/** Of what is known by its content. Private: no cache that others share. */
const FOR_EVER = "private, max-age=31536000, immutable";

export function handlersOf(context: Context, openapi: () => Record<string, unknown>): Handlers {
  const { db, folder, analyser, learnings, judgings, queue, pictures, events, guard, limits } = context;
  const { classes } = analyser.describe();
  const tell = (event: AppEvent) => events.tell(event);
  const changed = <T extends { id: number }>(sample: T): T => {
    tell({ type: "sample", sample: sample.id });
    return sample;
  };
  const acted = (reader: number, { done, sample, head }: Acted) => {
    if (!done.replayed) tell({ type: "review", sample, heads: [head.id], reader, acts: [done.id] });
    noteSeen(db, sample, reader, [head]);
    return { ...done, head };
  };
  const settings: SampleReport["settings"] = { kinds: [...analyser.kinds], ...analyser.settings };

  return {
    health: () => ({ ok: true, program: "androscope", version: version() }),
    openSession({ body, reply }) {
      guard.openSession(body.token, reply);
      return { ok: true };
    },
    openapi: () => openapi() as ResponseOf<"openapi">,
    about: () => ({
      version: version(),
      classes: [...classes],
      analyser: { ...analyser.describe(), classes: [...classes] },
      learning: learnings.inUse?.learning ?? null,
      lostModel: learnings.lost ?? null,
      learns: learnings.can,
      kinds: [...analyser.kinds],
      limits: {
        fileBytes: limits.fileBytes,
        filesPerUpload: limits.filesPerUpload,
        pixels: limits.pixels,
        decisions: MOST_DECISIONS,
      },
      use: RESEARCH_USE,
    }),

    listReaders: () => ({ readers: listReaders(db) }),
    createReader: ({ body }) => createReader(db, body.name),

    listSamples: ({ query }) => ({ samples: listSamples(db, query.archived === "true") }),
    createSample: ({ body }) => changed(createSample(db, body)),
    getSample: ({ params }) => sampleOf(db, params.sample),
    changeSample: ({ params, body }) => changed(changeSample(db, params.sample, body)),
    calibrate: ({ params, body }) => changed(calibrate(db, params.sample, body)),
    assignReading: ({ params, body }) => changed(assignReading(db, params.sample, body)),

    listImages: ({ params, query }) => ({ images: listImages(db, params.sample, query.ids) }),
    async uploadImages({ params, request }) {
      const place = { db, folder, pictures, limits, added: (image: ImageRecord) => queue.added([image]) };
      const end = queue.expect(params.sample);
      try {
        return { files: await takeUpload(request, params.sample, place) };
      } finally {
        end();
      }
    },
    getImage: ({ params }) => imageOf(db, params.image),
    retryImage: ({ params }) => queue.retry(params.image),
    async pixels({ params, query, reply }) {
      const { bytes, type } = await pictures.picture(imageOf(db, params.image), query.width);
      return reply.header("cache-control", FOR_EVER).type(type).send(bytes);
    },
    async thumbnail({ params, reply }) {
      const image = imageOf(db, tileByKey(db, params.key));
      const { bytes, type } = await pictures.thumbnail(image, params.key, () => tilesOf(db, image.id));
      return reply.header("cache-control", FOR_EVER).type(type).send(bytes);
    },

    listHeads({ params: { sample }, query: { reader, image, ids, outlines } }) {
      requireSample(db, sample);
      requireReader(db, reader);
      const heads = listHeads(db, { sample, reader, image, ids, outlines: outlines === "true" });
      noteSeen(db, sample, reader, heads);
      return { heads };
    },
    getHead({ params, query: { reader } }) {
      requireReader(db, reader);
      const head = headOf(db, params.head, reader);
      noteSeen(db, imageOf(db, head.image).sample, reader, [head]);
      return head;
    },
    async addHead({ params, body }) {
      const { outline, ...act } = body;
      const measures = await pictures.measure(imageOf(db, params.image), outline);
      return acted(body.reader, addHead(db, act, params.image, { outline, measures }));
    },
    async changeOutline({ params, body }) {
      const { outline, ...act } = body;
      const image = imageOf(db, headOf(db, params.head, body.reader).image);
      const drawn = outline && { outline, measures: await pictures.measure(image, outline) };
      return acted(body.reader, changeOutline(db, act, params.head, drawn));
    },
    headLog({ params, query: { reader } }) {
      requireReader(db, reader);
      const head = headOf(db, params.head, reader);
      const rows = logOfHead(db, head.id).filter((row) => !head.hidden || row.reader?.id === reader);
      noteSeen(db, imageOf(db, head.image).sample, reader, [head]);
      return { rows, hidden: head.hidden };
    },

    decide({ body }) {
      const { reader, decisions } = body;
      const { done, made, shown } = decide(db, reader, decisions, classes);
      for (const [sample, of] of made) tell({ type: "review", sample, reader, ...of });
      return { done, heads: shown };
    },
    undo({ body }) {
      const { done, sample, head, headId } = undo(db, body);
      if (!done.replayed) tell({ type: "review", sample, heads: [headId], reader: body.reader, acts: [done.id] });
      return { ...done, head };
    },
    settle: ({ body }) => acted(body.reader, settle(db, body, classes)),
    disagreements({ params, query: { reader, state } }) {
      const found = disagreements(db, params.sample, reader, state);
      noteSeen(
        db,
        params.sample,
        reader,
        found.map(({ head }) => head),
      );
      return { disagreements: found };
    },
    countDisagreements: ({ params, query }) => countDisagreements(db, params.sample, query.reader),

    report({ params: { sample }, query: { reader } }) {
      requireReader(db, reader);
      const report = reportOf(db, sample, reader, classes, settings);
      noteSeen(db, sample, reader, listHeads(db, { sample, reader }));
      return report;
    },
    exportCsv({ params: { sample }, query: { reader }, reply }) {
      const table = exportCsv(db, sample, reader, classes);
      noteSeen(db, sample, reader, listHeads(db, { sample, reader }));
      return reply
        .header("content-disposition", `attachment; filename="sample-${sample}.csv"`)
        .type("text/csv")
        .send(table);
    },
    exportJson({ params: { sample }, query: { reader }, reply }) {
      const document = exportJson(db, sample, reader, classes, settings);
      noteSeen(db, sample, reader, document.heads);
      reply.header("content-disposition", `attachment; filename="sample-${sample}.json"`);
      return document;
    },
    exportGeoJson({ params: { sample }, query: { reader, image }, reply }) {
      const document = exportGeoJson(db, sample, reader, image, analyser.describe());
      noteSeen(db, sample, reader, listHeads(db, { sample, reader }));
      reply.header("content-disposition", `attachment; filename="image-${image}.geojson"`);
      return reply.type("application/geo+json").send(JSON.stringify(document));
    },

    listLearnings: ({ query: { reader } }) => ({ learnings: listLearnings(db, reader) }),
    startLearning: ({ body }) => learnings.start(body),
    getLearning({ params, query: { reader } }) {
      const learning = learningOf(db, params.learning, reader);
      const changed = changedHeads(db, learning.id, reader);
      for (const { id } of learning.samples) {
        const seen = changed.filter(({ sample }) => sample === id).map(({ head }) => head);
        noteSeen(db, id, reader, seen);
      }
      return { learning, changed };
    },
    async stopLearning({ params, body }) {
      await learnings.stop(params.learning, body.reader);
      return { ok: true };
    },
    async useModel({ body: { learning, ...act } }) {
      const done = await learnings.use(act, learning);
      judgings.modelChanged();
      const description = analyser.describe();
      return {
        ...done,
        analyser: { ...description, classes: [...description.classes] },
        learning: learnings.inUse?.learning ?? null,
      };
    },

    listOpinions: ({ query: { reader } }) => ({ samples: listOpinions(db, reader, analyser.describe().model) }),
    sampleOpinions: ({ params: { sample }, query: { reader } }) =>
      sampleOpinions(db, sample, reader, analyser.describe().model),
    judgeAgain: ({ params, body }) => judgings.start(body, params.sample),
    stopJudging({ params, body }) {
      judgings.stop(params.judging, body.reader);
      return { ok: true };
    },
    headOpinions({ params, query: { reader } }) {
      requireReader(db, reader);
      const { id, hidden } = headOf(db, params.head, reader);
      return { opinions: hidden ? [] : opinionsOn(db, id), hidden };
    },

    events: ({ reply }) => events.add(reply),
  };
}
