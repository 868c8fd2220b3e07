/** Which heads the gallery shows, and in which order. */
import type { Head } from "../../../src/server/api.ts";
import { className, decisionsOn, finalValue, sameValue, uncertainty, valueInWords } from "./values.ts";

export const SORTS = {
  image: "Image and number",
  uncertain: "Most uncertain first",
  certain: "Most certain first",
  model: "Model's class",
  mine: "My class",
  length: "Longest first",
  area: "Largest first",
} as const;

export const STATUSES = {
  all: "All",
  undecided: "Undecided by me",
  decided: "Decided by me",
  against: "I differ from the model",
  differ: "Readers differ",
  excluded: "Excluded by me",
} as const;

export const STATES = {
  all: "All",
  head: "Whole heads",
  cut: "Cut by the border",
  refused: "Refused by the analysis",
} as const;

export interface Selection {
  sort: keyof typeof SORTS;
  status: keyof typeof STATUSES;
  state: keyof typeof STATES;
  /** The model's class or the reader's own; empty: all. */
  class: string;
  image: number | null;
  search: string;
}

export const EVERYTHING: Selection = {
  sort: "image",
  status: "all",
  state: "all",
  class: "",
  image: null,
  search: "",
};

/** @param heads by image and number @param nameOf an image's file name @returns ids */
export function select(
  heads: readonly Head[],
  selection: Selection,
  classes: readonly string[],
  nameOf: (image: number) => string,
): number[] {
  const matches = searchOf(selection.search, nameOf);
  const kept = heads.filter(
    (head) =>
      (selection.state === "all" || head.state === selection.state) &&
      (selection.image === null || head.image === selection.image) &&
      (selection.class === "" || classOf(head) === selection.class || head.modelClass === selection.class) &&
      hasStatus(head, selection.status) &&
      matches(head),
  );
  const order = ORDERS[selection.sort](classes);
  return (order ? kept.sort(order) : kept).map(({ id }) => id);
}

type Order = ((a: Head, b: Head) => number) | undefined;

/** Sorting is stable: equal heads stay by image and number. */
const ORDERS: Record<Selection["sort"], (classes: readonly string[]) => Order> = {
  image: () => undefined,
  uncertain: () => (a, b) => uncertainty(b) - uncertainty(a),
  certain: () => (a, b) => uncertainty(a) - uncertainty(b),
  model: (classes) => (a, b) =>
    placeOf(a.modelClass, classes) - placeOf(b.modelClass, classes) || uncertainty(a) - uncertainty(b),
  mine: (classes) => (a, b) => placeOf(classOf(a), classes) - placeOf(classOf(b), classes),
  length: () => (a, b) => (b.measures?.lengthPx ?? 0) - (a.measures?.lengthPx ?? 0),
  area: () => (a, b) => (b.measures?.areaPx ?? 0) - (a.measures?.areaPx ?? 0),
};

const placeOf = (name: string | null, classes: readonly string[]) => {
  const at = name === null ? -1 : classes.indexOf(name);
  return at === -1 ? classes.length : at;
};

const classOf = ({ decision }: Head) => (decision?.value.kind === "class" ? decision.value.class : null);

function hasStatus(head: Head, status: Selection["status"]): boolean {
  switch (status) {
    case "all":
      return true;
    case "undecided":
      return head.decision === null;
    case "decided":
      return head.decision !== null;
    case "excluded":
      return head.decision?.value.kind === "excluded";
    case "against":
      return (
        head.decision !== null &&
        head.modelClass !== null &&
        !sameValue(head.decision.value, { kind: "class", class: head.modelClass })
      );
    case "differ":
      return finalValue(head) === "disputed";
  }
}

/** Every word must be found: `#12` a head's number, anything else in the file's name, classes, reasons or readers. */
function searchOf(text: string, nameOf: (image: number) => string): (head: Head) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (head) => {
    const decisions = decisionsOn(head);
    const hay = [
      nameOf(head.image),
      className(head.modelClass ?? ""),
      head.state,
      ...decisions.flatMap(({ value, reason, reader }) => [className(valueInWords(value)), reason, reader.name]),
    ]
      .join("\n")
      .toLowerCase();
    return words.every((word) => (/^#\d+$/.test(word) ? word === `#${head.number}` : hay.includes(word)));
  };
}
