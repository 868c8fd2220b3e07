/**
 * What is no head that the model knows: its mask is not steady (another one is drawn when the crop is turned upside
 * down), or its size is far from the heads it was trained on. Both are read off the heads that it was trained on itself:
 * how steady masks are differs from network to network by more than it does between heads that one learned from and
 * others (docs/results.md), so that limits of other networks do not fit.
 */
import { z } from "zod";
import { quantile } from "../imaging/index.ts";

const range = z.tuple([z.number().nonnegative(), z.number().positive()]);

export const acceptanceSchema = z.object({
  /** Least overlap of the masks of the upright and the turned crop. */
  agreement: z.number().min(0).max(1),
  /** Pixels, inclusive. */
  length: range,
  width: range,
});

export type Acceptance = z.infer<typeof acceptanceSchema>;

/** Why a crop is refused: its mask is not steady, or of a size that training heads do not have. */
export type Refusal = "mask" | "size";

interface Seen {
  agreement: number;
  /** Pixels. */
  length: number;
  width: number;
}

/** Share of known heads that may be refused for each of the reasons. */
const LOST = 0.01;
/** Heads somewhat smaller and larger than all that were seen are still heads. */
const SMALLER = 0.75;
const LARGER = 1.33;

/** The limits that let all but about one in a hundred of these heads through. @param heads as one and the same network sees them */
export function fitAcceptance(heads: readonly Seen[]): Acceptance {
  const at = (value: (head: Seen) => number, share: number) => quantile(Float64Array.from(heads, value), share);
  const within = (value: (head: Seen) => number): [number, number] => [
    SMALLER * at(value, LOST),
    LARGER * at(value, 1 - LOST),
  ];
  return {
    agreement: at((head) => head.agreement, LOST),
    length: within((head) => head.length),
    width: within((head) => head.width),
  };
}

/** @returns undefined where the crop is accepted, or the model has no limits */
export function refusalOf({ agreement, length, width }: Seen, limits: Acceptance | undefined): Refusal | undefined {
  if (!limits) return undefined;
  if (agreement < limits.agreement) return "mask";
  const inside = (value: number, [low, high]: readonly [number, number]) => value >= low && value <= high;
  return inside(length, limits.length) && inside(width, limits.width) ? undefined : "size";
}
