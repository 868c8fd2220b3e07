/** From image files to predictions and measures: what one thread does with its share of the images. */
import { contrast, type Morphometry, morphometry, parts } from "../heads/index.ts";
import { type Image, readCrop } from "../imaging/index.ts";
import { isAndroscopeError } from "../runs/index.ts";
import type { Model, ModelMetadata, Prediction } from "./model.ts";
import { frameToCrop } from "./segmenter.ts";

/** What became of one image file: a prediction and its measures, or what is wrong with it. */
export type FilePrediction =
  | {
      readonly path: string;
      readonly prediction: Omit<Prediction, "mask" | "acrosome">;
      /** Absent where the mask is empty. */
      readonly measures: Morphometry | undefined;
    }
  | { readonly path: string; readonly problem: { readonly code: string; readonly message: string } };

/** Crops that go through the network together. Which ones follows from their order alone, never from who computes them. */
export const BATCH = 16;
/** Of the canvas that holds a batch: 16 crops of 512×512. One large picture must not make all of them large. */
const CANVAS_PIXELS = 2 ** 22;
/** Images that are read while earlier ones are computed; few, since each may be a large one. */
const READ_AHEAD = 4;

function fits(images: readonly Image[]): boolean {
  const width = Math.max(...images.map((image) => image.width));
  const height = Math.max(...images.map((image) => image.height));
  return images.length * width * height <= CANVAS_PIXELS;
}

/** Measures the head that the model outlined, on the crop itself. */
export function measure(
  image: Image,
  { mask: frame }: Pick<Prediction, "mask">,
  { viewSize, frameExtent }: Pick<ModelMetadata, "viewSize" | "frameExtent">,
): Morphometry | undefined {
  const mask = frameToCrop(frame, viewSize, frameExtent, image.width, image.height);
  const { plane } = contrast(image);
  return morphometry(mask, parts(mask, plane), plane);
}

/** Predicts at most {@link BATCH} images, in order. An image that cannot be used is told of; the others go on. */
export async function predictShare(model: Model, paths: readonly string[]): Promise<FilePrediction[]> {
  const found: FilePrediction[] = [];
  let batch: { place: number; image: Image }[] = [];
  const classifyBatch = async () => {
    const predictions = batch.length > 0 ? await model.predict(batch.map(({ image }) => image)) : [];
    for (const [i, { mask, acrosome: _, ...prediction }] of predictions.entries()) {
      const { place, image } = batch[i]!;
      found[place] = { path: paths[place]!, prediction, measures: measure(image, { mask }, model.metadata) };
    }
    batch = [];
  };
  const read = (path: string) =>
    readCrop(path).catch((error: unknown) => {
      if (!isAndroscopeError(error)) throw error;
      return { problem: { code: error.code, message: error.message } };
    });
  const reading = paths.slice(0, READ_AHEAD).map(read);
  for (const [place, path] of paths.entries()) {
    const image = await reading.shift()!;
    if (place + READ_AHEAD < paths.length) reading.push(read(paths[place + READ_AHEAD]!));
    if ("problem" in image) {
      found[place] = { path, problem: image.problem };
      continue;
    }
    if (!fits([...batch.map((member) => member.image), image])) await classifyBatch();
    batch.push({ place, image });
  }
  await classifyBatch();
  return found;
}
