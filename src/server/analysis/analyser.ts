/** What the server has images analysed by. */
import type { AnalyserDescription, Analysis } from "../../fields/index.ts";
import type { ImageKind } from "../api.ts";

export interface ScaledAnalysis extends Analysis {
  /** Pixels that a usual head was taken to be long; of photographs in which there are any. */
  headLength?: number;
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
  dispose(): void | Promise<void>;
}
