/** What a cross-validation's report is drawn from; report-data.json holds it. */
import type { Curve } from "./figures/learning-curves.ts";

/** A figure with its 95 % interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** Outlines in pixels of the crop. */
export type Outlines = readonly (readonly (readonly [number, number])[])[];

/** A crop with what was seen in it. */
export interface ReportCrop {
  id: string;
  /** The picture as a data: address. */
  picture: string;
  /** Of the crop, in pixels; the picture may be smaller. */
  width: number;
  height: number;
  /** Of the mask that stage 1 predicted. */
  outlines: Outlines;
  /** Of stage 0's pseudo-mask, where it is to be compared. */
  pseudoOutlines?: Outlines;
  fold?: string;
  truth?: string;
  predicted?: string;
  /** What the heads that look alike make of it. */
  likely?: string;
  probabilities?: readonly number[];
  notes?: readonly string[];
}

export interface ClassFigures {
  name: string;
  /** Images with this label, and images given this label by the network. */
  support: number;
  predicted: number;
  precision: Estimate;
  recall: Estimate;
  f1: Estimate;
}

export interface FoldFigures {
  name: string;
  train: number;
  test: number;
  correct: number;
  accuracy: Estimate;
  balancedAccuracy: number;
  macroF1: number;
  logLoss: number;
  seconds: number;
  peakRssBytes: number;
}

export interface CalibrationPoint extends Estimate {
  /** The bin's borders, its mean confidence; `value` is its accuracy. */
  from: number;
  to: number;
  confidence: number;
  count: number;
}

export interface CoveragePoint extends Estimate {
  /** Share of the images kept, their number, and the confidence of the least certain of them. `value` is accuracy. */
  share: number;
  count: number;
  confidence: number;
}

/** How images of one origin lie in the folds. */
export interface Grouping {
  /** "group" or "patient". */
  key: string;
  count: number;
  /** Those with images in more than one fold. */
  divided: number;
}

export interface AlteredFigures {
  accuracy: number;
  interval: { low: number; high: number };
}

export interface RunReportData {
  title: string;
  protocol: {
    text: string;
    /** How the folds came about. */
    split: string;
    /** Stage 1 saw the test images, without labels. */
    transductive: boolean;
    grouping: readonly Grouping[];
  };
  /** Set where the literature's selection rule was computed too. */
  optimisticAccuracy?: number;
  dataset: {
    kind: string;
    images: number;
    tested: number;
    skipped: number;
    hash: string;
    classes: readonly string[];
    counts: readonly number[];
  };
  metrics: {
    count: number;
    correct: number;
    accuracy: number;
    accuracyInterval: { low: number; high: number };
    balancedAccuracy: number;
    macroPrecision: number;
    macroRecall: number;
    macroF1: number;
    kappa: number;
    /** Matthews' correlation coefficient; reports of older runs do not have it. */
    matthews?: number;
    /** Of two classes: area under the receiver operating characteristic, and F0.5 with each as the positive one. */
    rocArea?: number;
    fHalf?: readonly number[];
    logLoss: number;
    brier: number;
    calibrationError: number;
    /** Rows are given labels, columns predictions. */
    confusion: readonly (readonly number[])[];
  };
  classes: readonly ClassFigures[];
  folds: readonly FoldFigures[];
  calibration: readonly CalibrationPoint[];
  coverage: readonly CoveragePoint[];
  curves: {
    stage1: readonly Curve[];
    stage2: readonly Curve[];
    trainingAccuracy: readonly Curve[];
    /** Accuracy on the test fold, looked at for the literature's rule only. */
    testAccuracy: readonly Curve[];
  };
  masks: {
    /** Of every pseudo-mask. */
    reliability: readonly number[];
    /** Pseudo-masks that stage 0 found implausible: they taught nothing. */
    rejected: number;
    /** IoU of stage 1's mask with the pseudo-mask, test images. */
    testOverlap: readonly number[];
    /** The same on training images, its median over all folds. */
    trainingOverlap: number;
    /** Pseudo-masks that the teacher replaced, over all folds, of how many. */
    replaced: number;
    taught: number;
  };
  /** Set by androscope robustness. */
  robustness?: {
    /** Hash of the images, their number, and the seed of what the alterations drew. */
    dataset: string;
    images: number;
    seed: number;
    plain: AlteredFigures;
    rows: readonly (AlteredFigures & {
      name: string;
      what: string;
      kind: "shift" | "shortcut";
      /** Share of the images with another class than without the alteration. */
      changed: number;
    })[];
  };
  mistakes: readonly ReportCrop[];
  doubtful: readonly ReportCrop[];
  /** Where labels were refined: how many training images there were, and of how many the label is likelier another. */
  labels?: { count: number; doubted: number; crops: readonly ReportCrop[] };
  problems: readonly { id: string; code: string; message: string }[];
  config: unknown;
  /** Settings that are not the default. */
  changed: readonly { key: string; value: unknown; usual: unknown }[];
  environment: Readonly<Record<string, unknown>>;
  seed: number;
  threads: number;
  /** Where the networks were computed; reports of older runs do not say. */
  device?: string;
  seconds: number;
  /** Folds worked on at one time, at most; 1 where absent. */
  workers?: number;
  /** Of one process. */
  peakRssBytes: number;
  /** Of all that ran at one time, at most. */
  totalPeakRssBytes?: number;
  version: string;
  command: string;
}
