/**
 * Uploads: files are taken one after the other, each streamed to the disk under a name of the server's, bounded in bytes
 * and time, decoded once in the helper process, and only then kept and queued. A file that is refused says why, and the
 * rest goes on.
 */
import { rm } from "node:fs/promises";
import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { AndroscopeError, isAndroscopeError } from "../../runs/index.ts";
import { type ImageKind, type ImageRecord, type Uploaded, uploadFieldsSchema } from "../api.ts";
import type { Pictures } from "../pictures/pictures.ts";
import type { Database } from "../store/database.ts";
import { addImage } from "../store/images.ts";
import { keep, receive } from "../store/originals.ts";
import { requireSample } from "../store/refusals.ts";
import { apiError } from "./failures.ts";

export interface UploadLimits {
  /** Of one file. */
  fileBytes: number;
  filesPerUpload: number;
  pixels: number;
  /** For one file to arrive. */
  seconds: number;
}

export const UPLOAD_LIMITS: UploadLimits = {
  // A BMP of 100 megapixels has 300 MB.
  fileBytes: 512 * 2 ** 20,
  filesPerUpload: 5000,
  pixels: 100_000_000,
  seconds: 300,
};

export interface UploadPlace {
  db: Database;
  /** Of the data. */
  folder: string;
  pictures: Pictures;
  limits: UploadLimits;
  /** Called with every new image, as soon as it is kept. */
  added: (image: ImageRecord) => void;
}

/** @throws `upload/not-multipart`, `server/not-found`, `review/archived`; what is wrong with a file stands in its line */
export async function takeUpload(request: FastifyRequest, sample: number, place: UploadPlace): Promise<Uploaded[]> {
  requireSample(place.db, sample, true);
  if (!request.isMultipart()) throw notMultipart("another content type");
  const { limits } = place;
  // One file more than may be: it is refused by name, and so are those after it.
  const parts = request.parts({
    limits: {
      fileSize: limits.fileBytes,
      files: 2 * limits.filesPerUpload,
      fields: 10,
      fieldSize: 1000,
      headerPairs: 20,
    },
  });
  let kind: ImageKind | undefined;
  const found: Uploaded[] = [];
  try {
    for await (const part of parts) {
      if (part.type === "field") {
        kind = uploadFieldsSchema.safeParse({ [part.fieldname]: part.value }).data?.kind ?? kind;
        continue;
      }
      if (kind === undefined) throw notMultipart("a file before the field kind, which is field or crop");
      found.push(await takeFile(part, { sample, kind, tooMany: found.length >= limits.filesPerUpload }, place));
    }
  } catch (error) {
    throw asRefusal(error, limits);
  }
  if (found.length === 0) throw notMultipart("no file");
  return found;
}

async function takeFile(
  part: MultipartFile,
  { sample, kind, tooMany }: { sample: number; kind: ImageKind; tooMany: boolean },
  { db, folder, pictures, limits, added }: UploadPlace,
): Promise<Uploaded> {
  const name = displayName(part.filename);
  let received: Awaited<ReturnType<typeof receive>> | undefined;
  try {
    if (tooMany) throw tooManyFiles(limits);
    const limit = AbortSignal.timeout(limits.seconds * 1000);
    received = await receive(folder, part.file, limit).catch((error) => {
      throw limit.aborted ? tooSlow(limits) : error;
    });
    if (part.file.truncated) throw tooLarge(limits);
    const inspected = await pictures.inspect(received.path, limits.pixels);
    await keep(folder, received);
    const { sha256, bytes } = received;
    const { image, duplicate } = addImage(db, { sample, name, kind, sha256, bytes, ...inspected });
    if (!duplicate) added(image);
    return { ok: true, name, duplicate, image };
  } catch (error) {
    // The connection is gone, or the multipart is damaged: there is no rest to go on with.
    if (part.file.errored && !isAndroscopeError(error)) throw error;
    if (!isAndroscopeError(error)) process.stderr.write(`androscope: an upload failed: ${(error as Error).message}\n`);
    return { ok: false, name, error: apiError(error) };
  } finally {
    // What was not read to its end would hold up the files after it.
    part.file.resume();
    if (received) await rm(received.path, { force: true });
  }
}

/** As the user's file is called, on one line; it is shown, and never becomes a path. */
function displayName(given: string | undefined): string {
  const name = (given ?? "")
    .replace(/^.*[\\/]/s, "")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
    .trim();
  return [...name].slice(0, 255).join("") || "unnamed";
}

function notMultipart(found: string): AndroscopeError {
  return new AndroscopeError("upload/not-multipart", {
    expected: "multipart/form-data: the field kind, then files",
    found,
    fix: "Send it as docs/app-api.md tells.",
  });
}

const tooManyFiles = ({ filesPerUpload }: UploadLimits) =>
  new AndroscopeError("upload/too-many", {
    expected: `at most ${filesPerUpload} files at once`,
    found: "more",
    fix: "Send the others in another upload.",
  });

const tooLarge = ({ fileBytes }: UploadLimits) =>
  new AndroscopeError("upload/too-large", {
    expected: `at most ${Math.round(fileBytes / 2 ** 20)} MiB`,
    found: "more",
    fix: "Save it in a format that packs, such as PNG or TIFF with LZW.",
  });

const tooSlow = ({ seconds }: UploadLimits) =>
  new AndroscopeError("upload/too-slow", {
    expected: `a file within ${seconds} s`,
    found: "one that had not arrived",
    fix: "Send it again, alone.",
  });

/** Errors of the multipart reader as ours. */
function asRefusal(error: unknown, limits: UploadLimits): unknown {
  if (isAndroscopeError(error)) return error;
  const code = String((error as { code?: string }).code ?? "");
  if (code.startsWith("FST_") && code.endsWith("_LIMIT")) return tooManyFiles(limits);
  return new AndroscopeError("upload/broken-off", {
    expected: "a whole upload",
    found: "one that ended before its end",
    fix: "Send it again: what was taken is not taken twice.",
    cause: error,
  });
}
