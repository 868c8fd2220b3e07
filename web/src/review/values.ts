/** Decisions and classes in words, and how unsure the model is. */
import type { Decision, Head, Value } from "../../../src/server/api.ts";

export type Exclusion = Extract<Value, { kind: "excluded" }>["why"];

/** Reasons to leave a head out, by the digit that chooses them after X. */
export const EXCLUSIONS = [
  { why: "no-head", name: "No head", more: "debris, a droplet, a clump" },
  { why: "cut", name: "Cut off", more: "by the border of the picture" },
  { why: "unjudgeable", name: "Cannot be judged", more: "out of focus, overlapping, badly stained" },
] as const satisfies readonly { why: Exclusion; name: string; more: string }[];

export const ofClass = (name: string): Value => ({ kind: "class", class: name });
export const excluded = (why: Exclusion): Value => ({ kind: "excluded", why });

export function sameValue(a: Value | null | undefined, b: Value | null | undefined): boolean {
  if (!a || !b) return !a && !b;
  if (a.kind === "class") return b.kind === "class" && a.class === b.class;
  return b.kind === "excluded" && a.why === b.why;
}

export function valueInWords(value: Value | null | undefined): string {
  if (!value) return "undecided";
  if (value.kind === "class") return value.class;
  return EXCLUSIONS.find(({ why }) => why === value.why)!.name.toLowerCase();
}

/** Sets that number their classes call them `01_Normal`; people say Normal. */
export const className = (name: string) => name.replace(/^\d+[_\s-]+/, "");

/** All decisions on a head that the reader may see. */
export const decisionsOn = (head: Head): Decision[] => [...(head.decision ? [head.decision] : []), ...head.others];

/** The consensus; else what all who decided agree on; else null. */
export function finalValue(head: Head): Value | "disputed" | null {
  if (head.consensus) return head.consensus.value;
  const [first, ...others] = decisionsOn(head);
  if (!first) return null;
  return others.every(({ value }) => sameValue(value, first.value)) ? first.value : "disputed";
}

/** 1 − the largest probability; 2 for heads without probabilities, which nobody but a reader can judge. */
export function uncertainty({ probabilities }: Pick<Head, "probabilities">): number {
  return probabilities.length > 0 ? 1 - Math.max(...probabilities) : 2;
}

/** The class that stands for a head where only one fits: the reader's own, else the model's. */
export function shownClass(head: Head, withModel: boolean): string | null {
  if (head.decision) return head.decision.value.kind === "class" ? head.decision.value.class : null;
  return withModel ? head.modelClass : null;
}
