/** From photographs to a detector: their scale, what they teach, the network. */
import type { Image } from "../../imaging/index.ts";
import { AndroscopeError, isAndroscopeError, type Progress, silent } from "../../runs/index.ts";
import type { KeptDetector } from "./detector-file.ts";
import { DETECTOR_SETTINGS, type DetectorSettings } from "./detector-network.ts";
import { estimateHeadLength } from "./head-length.ts";
import { learnDetector } from "./learn.ts";
import { lessonsFrom } from "./lessons.ts";
import { WORKING_LENGTH } from "./scale.ts";

export interface LearnFieldsOptions {
  /** Reads the photographs, some or all of them, as often as asked. */
  images: readonly (() => Promise<Image>)[];
  /** Pixels that a usual head is long; estimated by default. */
  headLength?: number;
  /** What the photographs are, and what may be done with them: for the file. */
  source: string;
  licence: string;
  program: string;
  seed: number;
  threads: number;
  settings?: Partial<DetectorSettings>;
  /** Told of photographs that cannot be used, by their place; without it the first of them ends everything. */
  onProblem?(index: number, error: AndroscopeError): void;
  progress?: Progress;
}

/** Fewer candidates that agree with each other teach nothing. */
const LEAST_HEADS = 20;
/** Pictures from which the scale is estimated. */
const SCALE_PICTURES = 5;
/** Working pixels that are kept in memory, seven bytes each: some 120 fields. More photographs than that add little. */
const MOST_PIXELS = 4e7;

/** @throws `field/no-scale`, `detector/no-lessons`, and what reading throws */
export async function learnFields(options: LearnFieldsOptions): Promise<Omit<KeptDetector, "hash">> {
  const { images, source, licence, program, seed, threads, progress = silent } = options;
  const settings = { ...DETECTOR_SETTINGS, ...options.settings };
  const headLength = options.headLength ?? (await estimateFrom(images));
  progress.log(`A usual head is taken to be ${headLength.toFixed(0)} pixels long`);
  progress.start("Looking at photographs", images.length);
  const lessons = await lessonsFrom(within(images, headLength, options.onProblem), headLength, (done) =>
    progress.update(done),
  );
  progress.finish();
  const candidates = lessons.reduce((sum, { verdicts }) => sum + verdicts.length, 0);
  const heads = lessons.reduce((sum, { verdicts }) => sum + verdicts.filter((verdict) => verdict === "head").length, 0);
  if (heads < LEAST_HEADS) {
    throw new AndroscopeError("detector/no-lessons", {
      expected: `at least ${LEAST_HEADS} candidates that look like heads`,
      found: `${heads} of ${candidates} in ${lessons.length} photographs`,
      fix: "Name more photographs, or check --head-length.",
    });
  }
  progress.log(`${heads} of ${candidates} candidates look alike and are taught as heads`);
  const weights = await learnDetector({ lessons, seed, threads, settings, progress });
  return {
    weights,
    settings,
    training: { program, source, images: lessons.length, candidates, headLength, seed, licence },
  };
}

/**
 * The usual length of a head in a sample's photographs, from a few of those that can be read.
 * @throws `field/no-scale`; where none can be read, what the last of them threw
 */
export async function estimateFrom(images: readonly (() => Promise<Image>)[]): Promise<number> {
  const read: Image[] = [];
  let failure: unknown;
  for (const image of spread(images)) {
    if (read.length === SCALE_PICTURES) break;
    try {
      read.push(await image());
    } catch (error) {
      if (!isAndroscopeError(error)) throw error;
      failure = error;
    }
  }
  if (read.length === 0 && failure !== undefined) throw failure;
  return estimateHeadLength(read);
}

async function* within(
  images: readonly (() => Promise<Image>)[],
  headLength: number,
  onProblem: LearnFieldsOptions["onProblem"],
): AsyncGenerator<Image> {
  let pixels = 0;
  // In an order that has all of the sample in its beginning.
  for (const read of spread(images)) {
    let image: Image;
    try {
      image = await read();
    } catch (error) {
      if (!isAndroscopeError(error) || !onProblem) throw error;
      onProblem(images.indexOf(read), error);
      continue;
    }
    pixels += image.width * image.height * (WORKING_LENGTH / headLength) ** 2;
    if (pixels > MOST_PIXELS) return;
    yield image;
  }
}

/** A list in an order whose every beginning comes from all over it: by the golden section. */
function spread<T>(list: readonly T[]): T[] {
  const golden = (Math.sqrt(5) - 1) / 2;
  const order = list.map((item, k) => ({ item, at: (k * golden) % 1 }));
  return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
}
