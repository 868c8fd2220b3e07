/**
 * The model: one .onnx file that takes raw crops. Mask, pose, warp and classifier are inside, so no runtime can
 * preprocess differently. Its metadata says what it is, and carries a golden crop whose output is checked at load.
 *
 * Inputs: `crops` uint8 [N, H, W, 3], each crop at the top left of its canvas; `sizes` float32 [N, 2], width and height
 * of each crop in pixels. Outputs: see {@link MODEL_OUTPUTS}.
 */
import { z } from "zod";
import { compile, InferenceRunner, input, readModelMetadata } from "../autodiff/index.ts";
import type { Image } from "../imaging/index.ts";
import { AndroscopeError, Random, readBytes, writeFileAtomic } from "../runs/index.ts";
import { acceptanceSchema, type Refusal, refusalOf } from "./acceptance.ts";
import { type ClassifierParts, classification } from "./classifier.ts";
import { probeSettings } from "./config.ts";
import { type DeviceChoice, usableDevice } from "./device.ts";

/** The layout of inputs, outputs and metadata. Raised when an older program could not read a newer model. */
export const MODEL_FORMAT = 1;

export const MODEL_OUTPUTS = {
  probabilities: "float32 [N, classes]",
  mask: "float32 [N, S, S, 1], probabilities in the frame: a window of frameExtent pixels about the crop's centre",
  acrosome: "float32 [N, S, S, 1], probabilities in the frame",
  centre: "float32 [N, 2], x and y of the head in pixels",
  axis: "float32 [N, 2], unit vector along the major axis towards the tail",
  extents: "float32 [N, 2], length and width in pixels of the ellipse with the mask's second moments",
  direction: "float32 [N, 1], how clearly the acrosome lies at one end",
  agreement: "float32 [N, 1], IoU of the masks of the upright and the upside-down crop",
  features: "float32 [N, channels], what the last layer saw",
} as const;

const metadataSchema = z.object({
  format: z.literal(MODEL_FORMAT),
  program: z.string(),
  classes: z.array(z.string()).min(1),
  frameExtent: z.number().positive(),
  viewExtent: z.number().positive(),
  viewSize: z.int().positive(),
  temperature: z.number().positive(),
  /** What it takes for a head; models that do not say take everything. */
  acceptance: acceptanceSchema.optional(),
  training: z.object({
    dataset: z.string(),
    hash: z.string(),
    images: z.int(),
    seed: z.int(),
    licence: z.string(),
    transductive: z.boolean(),
    /** SHA-256 of the weights from elsewhere that its encoders started from; models that do not say had none. */
    init: z.string().optional(),
    /** Where it was trained; models that do not say were trained on the processor. */
    device: z.string().optional(),
  }),
  /** Where a linear probe has its part in the probabilities (probe.ts). */
  probe: z.object({ share: z.number() }).optional(),
  /** Where its last layer was learned again from heads that somebody reviewed (last-layer.ts). */
  adaptation: z
    .object({
      /** SHA-256 of the model that it was before. */
      base: z.string(),
      heads: z.int(),
      strength: z.number(),
    })
    .optional(),
  /** Crop (base64 of width × height × 3 bytes) and what the model said of it when it was made. */
  golden: z.object({
    width: z.int().min(1).max(4096),
    height: z.int().min(1).max(4096),
    pixels: z.string(),
    probabilities: z.array(z.number()),
  }),
});

export type ModelMetadata = z.infer<typeof metadataSchema>;

/** How far a runtime may be from the golden output. */
export const GOLDEN_TOLERANCE = 1e-3;
/** Under which the metadata lie in the file. */
export const METADATA_KEY = "androscope";
/** The view's side in usual lengths: it is made for the long heads. */
const LONG_HEADS = 1.45;

/** What a model says of one crop. */
export interface Prediction {
  probabilities: number[];
  /** Index of the most probable class. */
  label: number;
  centre: [number, number];
  axis: [number, number];
  /** Pixels. */
  length: number;
  width: number;
  agreement: number;
  /** Set where this is no head that the model knows. Its class then means nothing. */
  refused?: Refusal;
  direction: number;
  /** [S, S] probabilities in the frame. */
  mask: Float32Array;
  acrosome: Float32Array;
  /** What the last layer saw, averaged over the views; where there is a probe, its logits are the last of them. */
  features: Float32Array;
}

export interface ModelDescription extends Pick<ModelMetadata, "program" | "training" | "acceptance"> {
  classes: readonly string[];
  /** Weights in half precision: half the size, and probabilities that differ in the third digit. */
  compact?: boolean;
}

/** Builds the model's bytes; the golden output is computed by running it once. */
export async function exportModel(parts: ClassifierParts, description: ModelDescription): Promise<Uint8Array> {
  const { acceptance, compact = false } = description;
  const crops = input("crops", [-1, -1, -1, 3], "uint8");
  const sizes = input("sizes", [-1, 2]);
  const all = classification(crops, sizes, parts);
  const outputs = Object.fromEntries(
    Object.keys(MODEL_OUTPUTS).map((name) => [name, all[name as keyof typeof MODEL_OUTPUTS]]),
  );
  const golden = goldenCrop(Math.round(parts.geometry.frameExtent));
  const probabilities = await goldenAnswer(compile(outputs, { halfWeights: compact }), golden);
  const metadata: ModelMetadata = {
    format: MODEL_FORMAT,
    program: description.program,
    classes: [...description.classes],
    frameExtent: parts.geometry.frameExtent,
    viewExtent: parts.geometry.viewExtent,
    viewSize: parts.config.network.viewSize,
    temperature: parts.temperature,
    ...(acceptance ? { acceptance } : {}),
    ...(parts.probe ? { probe: { share: probeSettings(parts.config)!.share } } : {}),
    training: description.training,
    golden: {
      width: golden.width,
      height: golden.height,
      pixels: Buffer.from(golden.data).toString("base64"),
      probabilities,
    },
  };
  return compile(outputs, {
    halfWeights: compact,
    metadata: {
      [METADATA_KEY]: JSON.stringify(metadata),
      licence: description.training.licence,
      use: "Research use only; not for diagnosis.",
    },
  });
}

/** What a model, whole or still without its description, says of its golden crop. */
export async function goldenAnswer(bytes: Uint8Array, golden: Image): Promise<number[]> {
  const runner = await InferenceRunner.create(bytes, { threads: 1 });
  const { probabilities } = await runner.run(
    { crops: canvasOf([golden]), sizes: sizesOf([golden]) },
    { crops: [1, golden.height, golden.width, 3] },
  );
  runner.dispose();
  return [...(probabilities!.data as Float32Array)];
}

/** The crop whose answer a model's metadata hold. */
export function goldenOf({ golden: { width, height, pixels } }: Pick<ModelMetadata, "golden">): Image {
  return { width, height, data: new Uint8Array(Buffer.from(pixels, "base64")) };
}

/** A drawn crop, nobody's: a dark tilted oval with a lighter end on a pale ground, with noise. */
function goldenCrop(side: number): Image {
  const random = Random.seeded(20220207).stream("golden");
  const size = Math.max(16, side);
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [(x + 0.5) / size - 0.5, (y + 0.5) / size - 0.5];
      const along = (dx * 0.8 + dy * 0.6) / 0.24;
      const across = (dx * -0.6 + dy * 0.8) / 0.15;
      const inside = along ** 2 + across ** 2 < 1;
      const colour = inside ? (along < 0 ? [190, 150, 190] : [110, 80, 150]) : [225, 205, 215];
      for (let c = 0; c < 3; c++)
        data[(y * size + x) * 3 + c] = Math.max(0, Math.min(255, colour[c]! + random.normal(0, 4)));
    }
  }
  return { width: size, height: size, data };
}

/** Crops on one canvas, each at the top left. */
function canvasOf(images: readonly Image[]): Uint8Array {
  const width = Math.max(...images.map((image) => image.width));
  const height = Math.max(...images.map((image) => image.height));
  const canvas = new Uint8Array(images.length * width * height * 3);
  for (const [i, image] of images.entries()) {
    const row = image.width * 3;
    // A crop as wide as the canvas lies in it in one piece.
    if (image.width === width) canvas.set(image.data.subarray(0, image.height * row), i * height * row);
    else
      for (let y = 0; y < image.height; y++)
        canvas.set(image.data.subarray(y * row, (y + 1) * row), (i * height + y) * width * 3);
  }
  return canvas;
}

function sizesOf(images: readonly Image[]): Float32Array {
  return Float32Array.from(images.flatMap(({ width, height }) => [width, height]));
}

export interface ModelOptions {
  /** Threads per operator. Default 2. */
  threads?: number;
  /** Where it predicts; the processor by default. */
  device?: DeviceChoice;
}

/** A model ready to predict. */
export class Model {
  readonly metadata: ModelMetadata;
  readonly #runner: InferenceRunner;

  private constructor(runner: InferenceRunner, metadata: ModelMetadata) {
    this.#runner = runner;
    this.metadata = metadata;
  }

  /** Reads and checks a model file. Throws `model/*`, `device/*`. */
  static async load(path: string, options: ModelOptions = {}): Promise<Model> {
    return Model.from(await readBytes(path), path, options);
  }

  static async from(bytes: Uint8Array, where: string, options: ModelOptions = {}): Promise<Model> {
    const { threads = 2 } = options;
    const metadata = readMetadata(bytes, where);
    const device = await usableDevice(options.device);
    const runner = await InferenceRunner.create(bytes, { threads, device }).catch((cause) => {
      throw notAModel(where, `a file that ONNX Runtime refuses: ${(cause as Error).message.slice(0, 200)}`, cause);
    });
    const model = new Model(runner, metadata);
    const { golden } = metadata;
    // A foreign graph under our description lacks inputs or outputs.
    const [prediction] = await model.predict([goldenOf(metadata)]).catch((cause) => {
      model.dispose();
      throw notAModel(where, `a graph that does not take a crop: ${(cause as Error).message.slice(0, 200)}`, cause);
    });
    const off = Math.max(...prediction!.probabilities.map((p, c) => Math.abs(p - golden.probabilities[c]!)));
    if (!(off <= GOLDEN_TOLERANCE)) {
      model.dispose();
      throw new AndroscopeError("model/golden", {
        expected: `the model's own answer to its golden crop within ${GOLDEN_TOLERANCE}`,
        found: `a difference of ${off}`,
        where,
        fix: "The file is damaged or this runtime computes it wrongly: get the file again, or run androscope doctor.",
      });
    }
    return model;
  }

  /** About the length in pixels of the heads that it was trained on: half-way between the limits of what it accepts. */
  get headLength(): number {
    const { acceptance, viewExtent } = this.metadata;
    return acceptance ? Math.sqrt(acceptance.length[0] * acceptance.length[1]) : viewExtent / LONG_HEADS;
  }

  /** Classifies crops of any sizes, all in one batch. */
  async predict(images: readonly Image[]): Promise<Prediction[]> {
    if (images.length === 0) return [];
    const height = Math.max(...images.map((image) => image.height));
    const width = Math.max(...images.map((image) => image.width));
    const out = await this.#runner.run(
      { crops: canvasOf(images), sizes: sizesOf(images) },
      { crops: [images.length, height, width, 3] },
    );
    const classes = this.metadata.classes.length;
    const frame = this.metadata.viewSize ** 2;
    const channels = (out.features!.data as Float32Array).length / images.length;
    const row = (name: string, i: number, size: number) =>
      (out[name]!.data as Float32Array).slice(i * size, (i + 1) * size);
    return images.map((_, i) => {
      const probabilities = [...row("probabilities", i, classes)];
      const [length, headWidth] = row("extents", i, 2) as unknown as [number, number];
      const agreement = row("agreement", i, 1)[0]!;
      const refused = refusalOf({ agreement, length, width: headWidth }, this.metadata.acceptance);
      return {
        probabilities,
        label: probabilities.indexOf(Math.max(...probabilities)),
        centre: [...row("centre", i, 2)] as [number, number],
        axis: [...row("axis", i, 2)] as [number, number],
        length,
        width: headWidth,
        agreement,
        ...(refused ? { refused } : {}),
        direction: row("direction", i, 1)[0]!,
        mask: row("mask", i, frame),
        acrosome: row("acrosome", i, frame),
        features: row("features", i, channels),
      };
    });
  }

  dispose(): void {
    this.#runner.dispose();
  }
}

/** @throws `model/not-a-model`, `model/newer` */
export function readMetadata(bytes: Uint8Array, where: string): ModelMetadata {
  let text: string | undefined;
  try {
    text = readModelMetadata(bytes)[METADATA_KEY];
  } catch (cause) {
    throw notAModel(where, "a file that is not ONNX", cause);
  }
  if (text === undefined) throw notAModel(where, "an ONNX file without Androscope's description");
  let value: { format?: unknown };
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAModel(where, "a damaged description", cause);
  }
  if (typeof value.format === "number" && value.format > MODEL_FORMAT) {
    throw new AndroscopeError("model/newer", {
      expected: `a model of format ${MODEL_FORMAT} or older`,
      found: `format ${value.format}`,
      where,
      fix: "Update Androscope, or train the model again with this version.",
    });
  }
  const parsed = metadataSchema.safeParse(value);
  if (!parsed.success)
    throw notAModel(where, `a description with ${parsed.error.issues[0]!.path.join(".")} missing or wrong`);
  return parsed.data;
}

function notAModel(where: string, found: string, cause?: unknown): AndroscopeError {
  return new AndroscopeError("model/not-a-model", {
    expected: "a model that Androscope exported",
    found,
    where,
    fix: "Give a model.onnx from a run folder of androscope train.",
    cause,
  });
}

export async function writeModel(path: string, bytes: Uint8Array): Promise<void> {
  await writeFileAtomic(path, bytes);
}
