/** The rules of evaluation, as reports and metrics state them. */
import type { HeldOutSplit, Split } from "./splits.ts";

const PROTOCOL =
  "Fixed number of steps, averaged last weights, every image predicted once by a network that never saw it; nothing was chosen on test folds.";
const PAIRS_PROTOCOL =
  "Fixed number of steps, averaged last weights. Every two folds are kept from a network together and predicted by it, so every image is predicted once for each other fold: for choices among recipes that this other fold's score must not know of.";
const heldOutProtocol = ({ test, train }: HeldOutSplit, transductive: boolean) =>
  `Fixed number of steps, averaged last weights. Trained on the part ${train.join(" and ")} alone, tested once on the part ${test}, ${transductive ? "whose images stage 1 saw without labels" : "which the network never saw"}; this run chose nothing by it.`;
const TRANSDUCTIVE_PROTOCOL =
  "Fixed number of steps, averaged last weights, every image predicted once by a network whose stage 1 saw it without its label and whose stage 2 never did; nothing was chosen on test folds.";

/** By which rule a cross-validation came about, in one or two sentences. */
export function protocolOf(split: Split, transductive: boolean): string {
  if (split.kind === "pairs") return PAIRS_PROTOCOL;
  if (split.kind === "held-out") return heldOutProtocol(split, transductive);
  const protocol = transductive ? TRANSDUCTIVE_PROTOCOL : PROTOCOL;
  return split.kind === "one-out" ? `${protocol} One ${split.group} is left out at a time.` : protocol;
}
