/** Decoding every image of a dataset once: what cannot be read is reported, what can is measured. */
import { createHash } from "node:crypto";
import type { DecodedImage } from "../imaging/index.ts";
import { isAndroscopeError, type Progress, silent } from "../runs/index.ts";
import type { Dataset, Problem, Sample } from "./dataset.ts";
import { problemOf } from "./files.ts";

export interface ImageFacts {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** "bmp", "png", … by content; "npy" for arrays. */
  readonly format: string;
  /** Bits per channel as stored. */
  readonly bitDepth: number;
  /** Channels as stored. */
  readonly channels: number;
  /** SHA-256 of size and RGB pixels: equal for one picture saved in two lossless formats. */
  readonly pixels: string;
}

export interface Checked {
  /** Without the images that cannot be decoded; they are among its problems. */
  readonly dataset: Dataset;
  /** One per remaining sample, in their order. */
  readonly facts: readonly ImageFacts[];
}

/** Decodes all images, one at a time. Only failures that are no fault of an image are thrown. */
export async function checkImages(dataset: Dataset, progress: Progress = silent): Promise<Checked> {
  const samples: Sample[] = [];
  const facts: ImageFacts[] = [];
  const bad: Problem[] = [];
  progress.start("Reading images", dataset.samples.length);
  for (const sample of dataset.samples) {
    try {
      facts.push(measure(sample.id, await sample.load()));
      samples.push(sample);
    } catch (error) {
      if (!isAndroscopeError(error)) throw error;
      bad.push(problemOf(sample.id, error, dataset.root));
    }
    progress.update(samples.length + bad.length);
  }
  progress.finish(bad.length > 0 ? `${bad.length} unreadable` : "");
  if (bad.length === 0) return { dataset, facts };
  const hash = createHash("sha256").update(dataset.hash);
  for (const { id } of bad) hash.update(`\n${id}`);
  const problems = [...dataset.problems, ...bad];
  return { dataset: { ...dataset, samples, problems, hash: hash.digest("hex") }, facts };
}

function measure(id: string, image: Awaited<ReturnType<Sample["load"]>>): ImageFacts {
  const { width, height, data } = image;
  // Arrays are decoded by their adapter, which has no file format to tell.
  const source = (image as Partial<DecodedImage>).source ?? { format: "npy", bitDepth: 8, channels: 1 };
  const pixels = createHash("sha256").update(`${width}x${height}:`).update(data).digest("hex");
  return { id, width, height, ...source, pixels };
}
