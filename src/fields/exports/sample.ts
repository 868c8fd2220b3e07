/** What an export is made of: the pictures of one sample and what was found in them. */
import type { Criteria } from "../criteria.ts";
import type { AnalyserDescription, Analysis } from "../head.ts";

export const RESEARCH_USE = "Research use only; not for diagnosis.";

export interface AnalysedPicture {
  /** As the user named it; exports say which picture they mean by it. */
  readonly path: string;
  readonly analysis: Analysis;
  /** Calibration; unknown means lengths in pixels alone. */
  readonly umPerPx?: number | undefined;
  /** Numbers of the heads that a person took out of the count. */
  readonly excluded?: ReadonlySet<number>;
}

export interface AnalysedSample {
  readonly analyser: AnalyserDescription;
  readonly pictures: readonly AnalysedPicture[];
  /** Pictures that could not be used, and why. */
  readonly problems?: readonly { readonly path: string; readonly code: string; readonly message: string }[];
  readonly criteria?: Criteria;
  /** Index of the class that counts as normal. */
  readonly normalClass: number;
}
