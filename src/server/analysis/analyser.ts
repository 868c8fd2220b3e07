/** What the server has images analysed by. */
import type { AnalyserDescription, Analysis, FoundHead } from "../../fields/index.ts";
import type { ImageKind } from "../api.ts";

export interface ScaledAnalysis extends Analysis {
  /** Pixels that a usual head was taken to be long; of photographs in which there are any. */
  headLength?: number;
}

/** What a model says of a head whose place and outline are known. */
export interface Opinion {
  /** Whether it is a head to the model. */
  readonly state: Exclude<FoundHead["state"], "cut">;
  readonly reason?: FoundHead["reason"];
  /** By class, in the model's order. */
  readonly probabilities: readonly number[];
  readonly agreement: number;
}

/** An image some of whose heads are to be judged again. */
export interface KnownHeads {
  readonly path: string;
  readonly kind: ImageKind;
  /** Of a photograph: pixels that a usual head was taken to be long when they were found; undefined where nobody noted it. */
  readonly headLength?: number | undefined;
  readonly centres: readonly (readonly [number, number])[];
}

export interface Analyser {
  /** Which kinds of images it can analyse. */
  readonly kinds: readonly ImageKind[];
  /** What else its answers depend on, for reports. */
  readonly settings?: Readonly<Record<string, string>>;
  describe(): AnalyserDescription;
  /**
   * @param scaleFrom photographs of the same microscope, this one or others, that tell how long heads are in it
   * @throws `image/*`, `field/*`, `analysis/*`; the signal's reason where it is given up
   */
  analyse(path: string, kind: ImageKind, signal: AbortSignal, scaleFrom?: readonly string[]): Promise<ScaledAnalysis>;
  /**
   * What the model says of heads that were found before; undefined where it can say nothing.
   * @throws as {@link analyse}
   */
  judge(known: KnownHeads, signal: AbortSignal): Promise<(Opinion | undefined)[]>;
  dispose(): void | Promise<void>;
}
