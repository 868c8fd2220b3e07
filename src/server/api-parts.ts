/** What the routes of the app's API are made of. Imports nothing that needs Node. */
import { z } from "zod";
import * as nouns from "./api-nouns.ts";

/** An answer that is no JSON. */
export interface Media {
  readonly media: "image/webp" | "image/png" | "image/jpeg" | "text/csv" | "application/geo+json" | "text/event-stream";
}

export interface Route {
  readonly method: "GET" | "POST" | "PATCH";
  /** Parameters as `:name`. */
  readonly path: `/api/${string}`;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** JSON; `"files"`: multipart/form-data, see {@link uploadFieldsSchema}. */
  readonly body?: z.ZodType | "files";
  readonly response: z.ZodType | Media;
  /** True where no token is needed. */
  readonly open?: true;
}

/** In paths and queries numbers come as text. */
export const idText = z.coerce
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number);
/** Ids with commas between: at most 500. */
export const idsText = z
  .string()
  .regex(/^[1-9]\d{0,14}(,[1-9]\d{0,14}){0,499}$/)
  .transform((text) => text.split(",").map(Number));
export const flagText = z.enum(["true", "false"]).default("false");
export const sampleParams = z.object({ sample: idText });
export const imageParams = z.object({ image: idText });
export const headParams = z.object({ head: idText });
/** For whose eyes. */
export const forReader = z.object({ reader: idText });

/** Who acts, and the act's own id. */
export const act = z.object({ id: nouns.actIdSchema, reader: nouns.idSchema, reason: nouns.reasonSchema.default("") });

/** What an act answers: its row of the log. `replayed`: it had been done before, by the same id. */
export const doneSchema = z.object({ id: z.string(), seq: z.int(), at: z.iso.datetime(), replayed: z.boolean() });
