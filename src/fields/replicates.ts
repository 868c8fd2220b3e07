/**
 * Whether two counts of one sample agree, as the WHO laboratory manual asks before they are taken together: the difference
 * of two percentages is compared with what counting alone explains.
 */
import { type Interval, wilson } from "../evaluation/index.ts";

const Z = 1.959963984540054;

/** So many heads of a class among so many counted. */
export interface Counted {
  readonly count: number;
  readonly total: number;
}

export interface Agreement {
  /** First less second, as shares. */
  readonly difference: number;
  /** Newcombe's interval of the difference (1998, method 10: from Wilson's of either share), 95 %. */
  readonly interval: Interval;
  /** Share of both counts together. */
  readonly mean: number;
  /**
   * 95 % of the differences that counting alone makes are at most this: 1.96 √(p(1 - p)(1/n₁ + 1/n₂)); for equal n the
   * manual's 1.96 √(2p(100 - p)/n) in per cent. The manual's own table gives it in whole per cent for 200 heads each.
   */
  readonly limit: number;
  readonly acceptable: boolean;
}

/** @throws RangeError where either is no count of a part of some heads */
export function compareReplicates(first: Counted, second: Counted): Agreement {
  for (const { count, total } of [first, second]) {
    if (!(Number.isInteger(count) && Number.isInteger(total) && count >= 0 && total > 0 && count <= total)) {
      throw new RangeError(`${count} of ${total} heads`);
    }
  }
  const [p, q] = [first.count / first.total, second.count / second.total];
  const mean = (first.count + second.count) / (first.total + second.total);
  const limit = Z * Math.sqrt(mean * (1 - mean) * (1 / first.total + 1 / second.total));
  const [a, b] = [wilson(first.count, first.total), wilson(second.count, second.total)];
  const difference = p - q;
  return {
    difference,
    interval: {
      low: difference - Math.hypot(p - a.low, b.high - q),
      high: difference + Math.hypot(a.high - p, q - b.low),
    },
    mean,
    limit,
    acceptable: Math.abs(difference) <= limit,
  };
}
