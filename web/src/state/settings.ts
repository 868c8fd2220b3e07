/** What a person chose on this browser; kept in its local storage. */
import { type Store, storeOf } from "./store.ts";

export interface Settings {
  theme: "system" | "light" | "dark";
  outlines: boolean;
  /** Whether the model's classes and probabilities are shown; `auto`: to all but blind readers. */
  model: "auto" | "show" | "hide";
  /** To the next head after a decision. */
  advance: boolean;
  reader: number | null;
}

const KEY = "androscope.settings";
const FIRST: Settings = { theme: "system", outlines: true, model: "auto", advance: true, reader: null };

function kept(): Settings {
  try {
    return { ...FIRST, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Settings>) };
  } catch {
    return FIRST;
  }
}

export const settings: Store<Settings> = storeOf(kept());

export function choose(some: Partial<Settings>): void {
  settings.set((now) => ({ ...now, ...some }));
  try {
    localStorage.setItem(KEY, JSON.stringify(settings.get()));
  } catch {
    // A browser that keeps nothing: the choice holds until the page is closed.
  }
}

/** Puts the theme on the document, now and at every change. */
export function applyTheme(): void {
  const apply = () => {
    const { theme } = settings.get();
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  apply();
  settings.subscribe(apply);
}
