/** What share of a sample has which shape, how sure that is, and what was not counted. */
import { type Interval, wilson } from "../evaluation/index.ts";
import { Random } from "../runs/index.ts";
import { type Confusion, type CorrectedShare, correctedShares } from "./correction.ts";
import { type HeadCounts, normalClassOf } from "./counts.ts";

/** The WHO laboratory manual (2021) asks for at least so many assessed spermatozoa in each replicate. */
export const ENOUGH_HEADS = 200;
const DRAWS = 2000;
/** In simulations about 1 in 100 samples of four classes, one of them absent, were below it; with all present fewer. */
const IMPLAUSIBLE = 0.01;

export interface ClassShare {
  readonly name: string;
  readonly count: number;
  /** Null where no head was counted. */
  readonly share: number | null;
  /** Wilson, 95 %: what counting alone leaves open. */
  readonly interval: Interval;
  /** For the classifier's known confusion; absent without a usable confusion matrix. */
  readonly corrected?: CorrectedShare;
}

export type SampleWarning = "few-heads" | "not-corrected" | "inseparable" | "implausible";

export interface SampleStatistics {
  /** Whole, accepted heads that were classified and counted. */
  readonly counted: number;
  readonly refused: HeadCounts["refused"] & { readonly total: number };
  readonly cut: number;
  readonly excluded: number;
  readonly classes: readonly ClassShare[];
  /** The one of `classes` that counts as normal. */
  readonly normal: ClassShare;
  readonly warnings: readonly { readonly code: SampleWarning; readonly message: string }[];
}

export interface SampleOptions {
  /** Name of the class that counts as normal; absent, the one named normal. */
  readonly normal?: string;
  /** The model's out-of-fold confusion matrix. */
  readonly confusion?: Confusion;
  /** Of the bootstrap. Default 1. */
  readonly seed?: number;
  /** Of the bootstrap. 2000 leave the ends of an interval uncertain by a sixtieth of its length. */
  readonly draws?: number;
}

/** @throws `field/no-normal-class`, `field/bad-confusion` */
export function sampleStatistics(
  { classes, counts, refused, cut, excluded }: HeadCounts,
  { normal, confusion, seed = 1, draws = DRAWS }: SampleOptions = {},
): SampleStatistics {
  const normalClass = normalClassOf(classes, normal);
  const counted = counts.reduce((a, b) => a + b, 0);
  const random = Random.seeded(seed).stream("sample-statistics");
  const corrected = confusion && correctedShares(classes, counts, confusion, random, draws);
  const shares = classes.map(
    (name, c): ClassShare => ({
      name,
      count: counts[c]!,
      share: counted === 0 ? null : counts[c]! / counted,
      interval: wilson(counts[c]!, counted),
      ...(corrected ? { corrected: corrected.shares[c]! } : {}),
    }),
  );
  const warnings: { code: SampleWarning; message: string }[] = [];
  if (counted < ENOUGH_HEADS) {
    warnings.push({
      code: "few-heads",
      message: `${counted} heads were counted; the WHO laboratory manual (2021) asks for at least ${ENOUGH_HEADS}.`,
    });
  }
  if (confusion === undefined) {
    warnings.push({
      code: "not-corrected",
      message: "The shares are those of the classifier's answers: no confusion matrix was given to correct them by.",
    });
  } else if (corrected === undefined && counted > 0) {
    warnings.push({
      code: "inseparable",
      message: "The shares are not corrected: by its confusion matrix the classifier does not tell the classes apart.",
    });
  } else if (corrected && corrected.plausibility < IMPLAUSIBLE) {
    warnings.push({
      code: "implausible",
      message:
        "No shares explain these counts with the classifier's known confusion: here it errs in another way, and the corrected shares cannot be relied on.",
    });
  }
  return {
    counted,
    refused: { ...refused, total: refused.detector + refused.mask + refused.size },
    cut,
    excluded,
    classes: shares,
    normal: shares[normalClass]!,
    warnings,
  };
}
