/** What the server has models learned by. */
import type { ModelComparison } from "../../evaluation/index.ts";
import type { Analyser } from "../analysis/analyser.ts";
import type { ImageKind } from "../api.ts";

/** An image with heads that readers gave a class. */
export interface ReviewedImage {
  path: string;
  kind: ImageKind;
  /** Of its content. */
  sha256: string;
  /** Kept from learning, to compare the models on. */
  held: boolean;
  /** Of a photograph: pixels that a usual head was taken to be long in its analysis. */
  headLength?: number;
  heads: { id: number; centre: readonly [number, number]; label: string }[];
}

export interface LearningOrder {
  images: ReviewedImage[];
  /** Path of the model that judges now; undefined: the one that the program was started with. */
  before?: string;
  /** Where the new model is to lie, under the SHA-256 of its bytes. */
  folder: string;
}

export interface Learned {
  /** SHA-256; undefined where nothing better than the model at the start was found. */
  model?: string;
  strength?: number;
  learned: { heads: number; images: number };
  comparison: ModelComparison;
  /** Compared heads that the two models give different classes. */
  changed: { id: number; label: string; before: string; after: string }[];
}

/** How much of the work is done. */
export interface LearningNews {
  done: number;
  of: number;
}

export interface Learner {
  /** @throws `learning/*`, `image/*`, `model/*`, `file/*`; the signal's reason where it is given up */
  learn(order: LearningOrder, signal: AbortSignal, heard: (news: LearningNews) => void): Promise<Learned>;
  /** What analyses images with that model instead. @throws `model/*`, `file/*` */
  open(model: string): Promise<Analyser>;
  dispose(): void;
}

/** Folder of learned models in the data folder. */
export const MODELS = "models";
/** The file of a learned model in it. */
export const modelFile = (model: string) => `${model}.onnx`;
