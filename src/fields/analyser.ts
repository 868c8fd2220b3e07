/**
 * A photograph from pixels to classified heads: found by the detector at working scale, outlined and measured on the
 * photograph itself, classified by the model on crops brought to the scale it was trained at.
 */
import { createHash } from "node:crypto";
import { contrast, morphometry, parts, refineBoundary } from "../heads/index.ts";
import {
  cut,
  gaussian,
  halfWidth,
  type Image,
  largestRegion,
  type Mask,
  outlines,
  type Plane,
  resized,
  windowAround,
} from "../imaging/index.ts";
import { BUNDLED_MODEL, frameToCrop, Model, type Prediction } from "../learning/index.ts";
import { AndroscopeError, readBytes } from "../runs/index.ts";
import { Detector, type Found, headsIn } from "./detection/detector.ts";
import { BUNDLED_DETECTOR, readDetector } from "./detection/detector-file.ts";
import { type ByteMap, fineMask } from "./detection/outline.ts";
import { atWorkingScale, HEAD_AREA, squareAround, WORKING_LENGTH } from "./detection/scale.ts";
import type { AnalyserDescription, Analysis, FoundHead, Outline, RefusalReason } from "./head.ts";

export interface AnalyserOptions {
  /** model.onnx; the one that comes with the program by default. */
  model?: string;
  /** A learned detector; the one that comes with the program by default. */
  detector?: string;
  threads: number;
}

/** Least mean probability of a head; settled on a quarter of the evaluation fields, as the area was. */
const LEAST_SCORE = 0.9;
/** Of a usual head's area: what is less is a droplet, what is more a clump. */
const AREA = [0.5, 2.5] as const;
/** Side of the window in which a head is outlined and measured, in usual lengths. */
const WINDOW = 2.2;
/** Crops that go through the model together. */
const BATCH = 16;

/** What the model and the measures need of one found region. */
interface Outlined {
  readonly found: Found;
  /** In its window. */
  readonly mask: Mask;
  /** The picture's border goes through it. */
  readonly isCut: boolean;
  /** Absorption, in the same window. */
  readonly stain: Plane;
  readonly left: number;
  readonly top: number;
}

export class Analyser {
  readonly description: AnalyserDescription;
  readonly #model: Model;
  readonly #detector: Detector;

  private constructor(description: AnalyserDescription, model: Model, detector: Detector) {
    this.description = description;
    this.#model = model;
    this.#detector = detector;
  }

  /** @throws `model/*`, `detector/*`, `file/*` */
  static async open({
    model: modelFile = BUNDLED_MODEL,
    detector: detectorFile,
    threads,
  }: AnalyserOptions): Promise<Analyser> {
    const modelBytes = await readBytes(modelFile);
    const kept = await readDetector(detectorFile ?? BUNDLED_DETECTOR);
    const model = await Model.from(modelBytes, modelFile, { threads });
    const detector = new Detector(kept.weights, kept.settings, { threads });
    const { program, classes, training, adaptation } = model.metadata;
    const licence = [...new Set([training.licence, kept.training.licence].filter(Boolean))].join("; ");
    const hash = createHash("sha256").update(modelBytes).digest("hex");
    const adapted = adaptation && { base: adaptation.base, heads: adaptation.heads };
    return new Analyser(
      { program, classes, model: hash, detector: kept.hash, licence, ...(adapted ? { adapted } : {}) },
      model,
      detector,
    );
  }

  /**
   * Every head in a photograph.
   * @param headLength pixels that a usual head is long in it: `estimateHeadLength`
   * @throws `field/too-small`
   */
  async field(image: Image, headLength: number): Promise<Analysis> {
    if (Math.min(image.width, image.height) < headLength) {
      throw new AndroscopeError("field/too-small", {
        expected: `a photograph in which heads of ${Math.round(headLength)} px have room`,
        found: `${image.width} × ${image.height}`,
        fix: "Check --head-length.",
      });
    }
    const working = await atWorkingScale(image, headLength);
    const map = { width: working.width, height: working.height, data: await this.#detector.headMap(working) };
    const found = headsIn(map.data, map.width, map.height);
    const outlined = found
      .map((region) => outlineOf(image, map, region, headLength))
      .filter((head) => head !== undefined);
    const judged = await this.#classify(image, outlined, headLength);
    const heads = outlined.map((head, k) => foundHead(head, judged[k]));
    heads.sort((a, b) => a.centre[1] - b.centre[1] || a.centre[0] - b.centre[0]);
    return {
      width: image.width,
      height: image.height,
      heads: heads.map((head, k) => ({ ...head, number: k + 1 })),
    };
  }

  /** The head nearest the centre of a crop; one that was cut for its head. */
  async crop(image: Image): Promise<Analysis> {
    const prediction = await this.judgeCrop(image);
    const { viewSize, frameExtent } = this.#model.metadata;
    const mask = frameToCrop(prediction.mask, viewSize, frameExtent, image.width, image.height);
    const head = largestRegion(mask);
    const { width, height } = image;
    if (!head) return { width, height, heads: [] };
    const { plane } = contrast(image);
    return { width, height, heads: [{ ...measured(head, plane, 0, 0, prediction), score: 1, number: 1 }] };
  }

  /**
   * What the model says of heads whose places are known, found before or drawn by somebody.
   * @param centres in pixels of the photograph
   */
  async judge(
    image: Image,
    headLength: number,
    centres: readonly (readonly [number, number])[],
  ): Promise<Prediction[]> {
    const { frameExtent } = this.#model.metadata;
    const side = Math.round((frameExtent * headLength) / this.#model.headLength);
    const judged: Prediction[] = [];
    for (let from = 0; from < centres.length; from += BATCH) {
      const crops = await Promise.all(
        centres.slice(from, from + BATCH).map(([x, y]) => {
          const { image: square } = squareAround(image, x, y, side);
          return resized(square, Math.round(frameExtent), Math.round(frameExtent));
        }),
      );
      judged.push(...(await this.#model.predict(crops)));
    }
    return judged;
  }

  /** What the model says of a crop that was cut for one head. */
  async judgeCrop(image: Image): Promise<Prediction> {
    return (await this.#model.predict([image]))[0]!;
  }

  /** Predictions for what the detector takes for whole heads; undefined for the rest. */
  async #classify(image: Image, heads: readonly Outlined[], headLength: number): Promise<(Prediction | undefined)[]> {
    const wanted = heads.flatMap((head, k) => (refusalBefore(head) || head.isCut ? [] : [k]));
    const unit = headLength / WORKING_LENGTH;
    const predictions = await this.judge(
      image,
      headLength,
      wanted.map((k) => [heads[k]!.found.x * unit, heads[k]!.found.y * unit]),
    );
    const judged = new Array<Prediction | undefined>(heads.length).fill(undefined);
    for (const [i, k] of wanted.entries()) judged[k] = predictions[i];
    return judged;
  }

  dispose(): void {
    this.#model.dispose();
    this.#detector.dispose();
  }
}

/** What the detector itself refuses. */
function refusalBefore({
  found: { score, area },
  isCut,
}: Pick<Outlined, "found" | "isCut">): RefusalReason | undefined {
  if (score < LEAST_SCORE) return "detector";
  // Of what the border cuts, nobody knows the size.
  if (isCut) return undefined;
  return area < AREA[0] * HEAD_AREA || area > AREA[1] * HEAD_AREA ? "size" : undefined;
}

/** A region's mask on the photograph, its boundary where the stain falls; undefined where nothing is left of it. */
function outlineOf(image: Image, map: ByteMap, found: Found, headLength: number): Outlined | undefined {
  const unit = headLength / WORKING_LENGTH;
  // A clump is larger than a head.
  const reach = Math.max(1, Math.sqrt(found.area / HEAD_AREA));
  const side = Math.round(WINDOW * headLength * reach);
  const { image: window, left, top } = squareAround(image, found.x * unit, found.y * unit, side);
  const rough = largestRegion(fineMask(map, found.pixels, { left, top, side, scale: 1 / unit }));
  if (!rough) return undefined;
  // The background is seen in the whole window; all the rest concerns the head and what its boundary may move.
  const { plane } = contrast(window);
  const sigma = SMOOTHING * headLength;
  const tight = windowAround(rough, 2 + Math.ceil(3 * sigma + BOUNDARY.band * halfWidth(rough)))!;
  const stain = cut(plane, tight);
  const refined = refineBoundary(gaussian(stain, sigma), cut(rough, tight), BOUNDARY);
  const place = { left: left + tight.left, top: top + tight.top };
  const { mask, onBorder } = withinPicture(refined, place, image);
  // Beyond the picture its edge is repeated, and what is refined there shrinks: the network's own mask tells, too.
  const chord = Math.max(onBorder, withinPicture(rough, { left, top }, image).onBorder);
  return mask && { found, mask, stain, isCut: chord > LEAST_CHORD * headLength, ...place };
}

/** What of a mask lies in the picture, and how many of its pixels lie on the picture's border. */
function withinPicture(
  { width, height, data }: Mask,
  { left, top }: { left: number; top: number },
  picture: Pick<Image, "width" | "height">,
): { mask: Mask | undefined; onBorder: number } {
  let onBorder = 0;
  const inside = data.map((value, i) => {
    const x = left + (i % width);
    const y = top + Math.floor(i / width);
    if (value === 0 || x < 0 || y < 0 || x >= picture.width || y >= picture.height) return 0;
    if (x === 0 || y === 0 || x === picture.width - 1 || y === picture.height - 1) onBorder++;
    return 1;
  });
  return { mask: largestRegion({ width, height, data: inside }), onBorder };
}

/** A head is cut where the picture's border goes through it on more than this, in usual lengths: not where it just touches. */
const LEAST_CHORD = 0.15;

/** Of stage 0: its smoothing in usual lengths, and its boundary (heads/boundary.ts). */
const SMOOTHING = 0.015;
const BOUNDARY = { opening: 0.5, fall: 0.4, reach: 0.3, band: 0.3 };

function foundHead({ found, mask, isCut, stain, left, top }: Outlined, prediction: Prediction | undefined): FoundHead {
  const before = refusalBefore({ found, isCut });
  const base = { ...measured(mask, stain, left, top, prediction), score: found.score, number: 0 };
  if (before) return { ...base, state: "refused", reason: before };
  return isCut ? { ...base, state: "cut" } : base;
}

/** Outline, pose and measures of a mask in a window of the picture. */
function measured(
  mask: Mask,
  stain: Plane,
  left: number,
  top: number,
  prediction: Prediction | undefined,
): Omit<FoundHead, "number" | "score"> {
  const measures = morphometry(mask, parts(mask, stain), stain)!;
  const outer = outlines(mask).sort((a, b) => b.length - a.length)[0]!;
  const angle = (measures.angleDeg * Math.PI) / 180;
  const centre = [measures.centreX + left, measures.centreY + top] as const;
  return {
    state: prediction?.refused ? "refused" : "head",
    ...(prediction?.refused ? { reason: prediction.refused } : {}),
    outline: outer.map(([x, y]) => [x + left, y + top] as const) as Outline,
    centre,
    // The model's pose is learned and wins; of what it was not asked about the stain tells.
    axis: prediction ? ([...prediction.axis] as [number, number]) : [Math.cos(angle), Math.sin(angle)],
    probabilities: prediction?.probabilities ?? [],
    agreement: prediction?.agreement ?? 0,
    measures: { ...measures, centreX: centre[0], centreY: centre[1] },
  };
}
