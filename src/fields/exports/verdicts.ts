/** What speaks against a head, told apart: the network's class, and the limits. */
import { classOf } from "../counts.ts";
import { type Criteria, type Judgement, judge, overall } from "../criteria.ts";
import type { FoundHead } from "../head.ts";

export interface HeadVerdict {
  /** Index of the network's class; absent for what is not classified. */
  readonly label: number | undefined;
  /** By limit, in the order of the criteria; empty without criteria and for what is no whole head. */
  readonly limits: readonly Judgement[];
  readonly withinLimits: "inside" | "outside" | "unknown";
  /** "network" where its class is not the normal one, and the measures of broken limits. Empty: nothing does. */
  readonly against: readonly string[];
}

export function verdictOf(
  head: FoundHead,
  { umPerPx, criteria, normalClass }: { umPerPx?: number | undefined; criteria?: Criteria; normalClass: number },
): HeadVerdict {
  const label = classOf(head);
  // A cut head's length is not its length, and a clump has none.
  const limits = head.state === "head" && criteria ? judge(head.measures, umPerPx, criteria) : [];
  const broken = limits.filter(({ verdict }) => verdict === "below" || verdict === "above");
  return {
    label,
    limits,
    withinLimits: limits.length === 0 ? "unknown" : overall(limits),
    against: [
      ...(label !== undefined && label !== normalClass ? ["network"] : []),
      ...broken.map(({ measure }) => measure),
    ],
  };
}
