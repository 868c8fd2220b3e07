/** What screen readers are told, and what the line at the bottom says. */
import { storeOf } from "./store.ts";

export interface Said {
  text: string;
  /** Rises, so that the same text is told twice. */
  count: number;
  trouble: boolean;
}

export const said = storeOf<Said>({ text: "", count: 0, trouble: false });

export function say(text: string): void {
  said.set(({ count }) => ({ text, count: count + 1, trouble: false }));
}

/** Something went wrong: stays until something else is said. */
export function complain(text: string): void {
  said.set(({ count }) => ({ text, count: count + 1, trouble: true }));
}
