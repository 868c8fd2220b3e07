/** What the server has images analysed by. */
import type { AnalyserDescription, Analysis } from "../../fields/index.ts";
import type { ImageKind } from "../api.ts";

export interface Analyser {
  /** Which kinds of images it can analyse. */
  readonly kinds: readonly ImageKind[];
  describe(): AnalyserDescription;
  /** @throws `image/*`, `field/*`, `analysis/*`; the signal's reason where it is given up */
  analyse(path: string, kind: ImageKind, signal: AbortSignal): Promise<Analysis>;
  dispose(): void | Promise<void>;
}
