/** Counts with their shares, and the model against the readers. */

import { type Interval, wilson } from "../../../src/evaluation/metrics.ts";
import type { Counts, Head } from "../../../src/server/api.ts";
import { finalValue } from "../review/values.ts";

export interface Share {
  count: number;
  share: number;
  /** Wilson's, 95 %. */
  interval: Interval;
}

/** Of the heads that have a class; undefined where none has. */
export function sharesOf(counts: Counts, classes: readonly string[]): { of: number; shares: Share[] } | undefined {
  const of = classes.reduce((sum, name) => sum + (counts.classes[name] ?? 0), 0);
  if (of === 0) return undefined;
  const shares = classes.map((name) => {
    const count = counts.classes[name] ?? 0;
    return { count, share: count / of, interval: wilson(count, of) };
  });
  return { of, shares };
}

/** What stands for a head in the report: the readers' final value, or the model's class where nobody has read yet. */
export type Basis = "final" | "model";

export function classIn(head: Head, basis: Basis): string | null {
  if (basis === "model") return head.modelClass;
  const value = finalValue(head);
  return value && value !== "disputed" && value.kind === "class" ? value.class : null;
}

/** Rows: the final class; columns: the model's. Heads that have both. */
export function against(
  heads: readonly Head[],
  classes: readonly string[],
): { table: number[][]; n: number; agreed: number } {
  const table = classes.map(() => classes.map(() => 0));
  let [n, agreed] = [0, 0];
  for (const head of heads) {
    const [final, model] = [classes.indexOf(classIn(head, "final") ?? ""), classes.indexOf(head.modelClass ?? "")];
    if (final < 0 || model < 0) continue;
    table[final]![model]!++;
    n++;
    if (final === model) agreed++;
  }
  return { table, n, agreed };
}

/** So many of a list, evenly spread over it. */
export function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / most)]!);
}
