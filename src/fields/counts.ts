/** Counting heads: which class each counted head has, and everything that is found and not counted. */
import { argmax } from "../evaluation/index.ts";
import { AndroscopeError } from "../runs/index.ts";
import type { Analysis, FoundHead, RefusalReason } from "./head.ts";

export interface HeadCounts {
  readonly classes: readonly string[];
  /** Whole, accepted heads by class, in the order of `classes`. */
  readonly counts: readonly number[];
  readonly refused: Readonly<Record<RefusalReason, number>>;
  readonly cut: number;
  /** Whole heads that a person took out of the count. */
  readonly excluded: number;
}

/** Whether a head is counted: it is whole and nobody excluded it. */
export function isCounted(head: FoundHead, excluded?: ReadonlySet<number>): boolean {
  return head.state === "head" && !excluded?.has(head.number);
}

/** Index of the most probable class; undefined for a head that has none, as one that is cut or refused. */
export function classOf(head: FoundHead): number | undefined {
  return head.state === "head" && head.probabilities.length > 0 ? argmax(head.probabilities) : undefined;
}

/** @param pictures each with the numbers of the heads that a person took out of the count */
export function countHeads(
  pictures: Iterable<{ readonly analysis: Analysis; readonly excluded?: ReadonlySet<number> }>,
  classes: readonly string[],
): HeadCounts {
  const counts = classes.map(() => 0);
  const refused = { detector: 0, mask: 0, size: 0 };
  let [cut, left] = [0, 0];
  for (const { analysis, excluded } of pictures) {
    for (const head of analysis.heads) {
      const label = classOf(head);
      if (head.state === "cut") cut++;
      else if (head.state === "refused") refused[head.reason ?? "detector"]++;
      else if (!isCounted(head, excluded)) left++;
      else if (label !== undefined && label < counts.length) counts[label]!++;
      else throw new RangeError(`head ${head.number}: ${head.probabilities.length} probabilities for ${counts.length}`);
    }
  }
  return { classes, counts, refused, cut, excluded: left };
}

/**
 * Index of the class that counts as normal.
 * @param wanted its name, in any case; absent, the one named normal, whatever its case and numbering: 01_Normal
 * @throws `field/no-normal-class` where there is not exactly one
 */
export function normalClassOf(classes: readonly string[], wanted?: string): number {
  const key = (name: string) =>
    wanted === undefined ? name.replace(/^[\d\W_]+|[\d\W_]+$/g, "").toLowerCase() : name.toLowerCase();
  const sought = wanted === undefined ? "normal" : wanted.toLowerCase();
  // A name in exactly the case that was asked for goes before the others.
  const exact = wanted === undefined ? -1 : classes.indexOf(wanted);
  if (exact >= 0) return exact;
  const found = classes.flatMap((name, c) => (key(name) === sought ? [c] : []));
  if (found.length === 1) return found[0]!;
  throw new AndroscopeError("field/no-normal-class", {
    expected: `one class ${wanted === undefined ? "named normal" : JSON.stringify(wanted)}`,
    found: found.length === 0 ? classes.join(", ") : found.map((c) => classes[c]).join(" and "),
    fix: "Name the class that counts as normal.",
  });
}
