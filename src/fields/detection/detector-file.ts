/** A learned detector in a file. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseState, type State, serializeState } from "../../autodiff/index.ts";
import {
  AndroscopeError,
  isAndroscopeError,
  packArrays,
  readBytes,
  unpackArrays,
  writeFileAtomic,
} from "../../runs/index.ts";
import type { DetectorSettings } from "./detector-network.ts";

/** Learned from HuSHeM's crops without their labels (CC BY 4.0): models/detector.md. */
export const BUNDLED_DETECTOR = fileURLToPath(new URL("../../../models/hushem.detector", import.meta.url));

/** The layout of the file. Raised when an older program could not read a newer one. */
const FORMAT = 1;

const channels = z.int().min(4).max(1024);
const count = z.int().min(1).max(16);
const metaSchema = z.object({
  kind: z.literal("androscope detector"),
  format: z.literal(FORMAT),
  settings: z.object({
    widths: z.tuple([channels, channels, channels, channels]),
    blocks: z.tuple([count, count, count, count]),
    viewSize: z.int().min(32).max(512),
    steps: z.int(),
    batch: z.int(),
    learningRate: z.number(),
  }),
  training: z.object({
    program: z.string(),
    /** What the photographs were, in words of whoever learned from them. */
    source: z.string(),
    images: z.int(),
    candidates: z.int(),
    headLength: z.number().positive(),
    seed: z.int(),
    licence: z.string(),
  }),
});

export type DetectorTraining = z.infer<typeof metaSchema>["training"];

export interface KeptDetector {
  readonly weights: State;
  readonly settings: DetectorSettings;
  readonly training: DetectorTraining;
  /** SHA-256 of the file. */
  readonly hash: string;
}

export async function writeDetector(
  path: string,
  { weights, settings, training }: Omit<KeptDetector, "hash">,
): Promise<void> {
  const meta = { kind: "androscope detector", format: FORMAT, settings, training };
  await writeFileAtomic(path, packArrays({ arrays: { weights: serializeState(weights) }, meta }));
}

/** @throws `detector/*`, `file/not-found` */
export async function readDetector(path: string): Promise<KeptDetector> {
  const bytes = await readBytes(path);
  const { arrays, meta } = contentOf(bytes, path);
  const described = meta as { kind?: unknown; format?: unknown };
  if (described?.kind === "androscope detector" && Number(described.format) > FORMAT) {
    throw new AndroscopeError("detector/newer", {
      expected: `a detector of format ${FORMAT} or older`,
      found: `format ${described.format}`,
      where: path,
      fix: "Update Androscope, or learn the detector again with this version.",
    });
  }
  const parsed = metaSchema.safeParse(meta);
  if (!parsed.success || !(arrays.weights instanceof Uint8Array)) throw notADetector(path, "another kind of file");
  const { settings, training } = parsed.data;
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { weights: parseState(arrays.weights), settings, training, hash };
}

function contentOf(bytes: Uint8Array, path: string) {
  try {
    return unpackArrays(bytes, path);
  } catch (cause) {
    if (!isAndroscopeError(cause)) throw cause;
    throw notADetector(path, cause.found, cause);
  }
}

function notADetector(where: string, found: string, cause?: unknown): AndroscopeError {
  return new AndroscopeError("detector/not-a-detector", {
    expected: "a detector that androscope field learn wrote",
    found,
    where,
    fix: "Name such a file, or leave --detector out for the one that comes with the program.",
    cause,
  });
}
