/** Which view the address names. */
import { type Store, storeOf } from "./store.ts";

export type Route =
  | { view: "samples" }
  | { view: "learning" }
  | { view: "images" | "heads" | "disagreements" | "report"; sample: number }
  | { view: "picture"; sample: number; image: number }
  | { view: "unknown" };

const VIEWS = ["images", "heads", "disagreements", "report"] as const;

export function routeOf(path: string): Route {
  if (path === "/") return { view: "samples" };
  if (path === "/learning") return { view: "learning" };
  const found = /^\/samples\/([1-9]\d{0,14})\/(\w+)(?:\/([1-9]\d{0,14}))?\/?$/.exec(path);
  if (!found) return { view: "unknown" };
  const sample = Number(found[1]);
  if (found[2] === "images" && found[3]) return { view: "picture", sample, image: Number(found[3]) };
  const view = VIEWS.find((name) => name === found[2]);
  return view && !found[3] ? { view, sample } : { view: "unknown" };
}

export function pathOf(route: Exclude<Route, { view: "unknown" }>): string {
  if (route.view === "samples") return "/";
  if (route.view === "learning") return "/learning";
  if (route.view === "picture") return `/samples/${route.sample}/images/${route.image}`;
  return `/samples/${route.sample}/${route.view}`;
}

export const route: Store<Route> = storeOf(routeOf(location.pathname));

export function go(to: Exclude<Route, { view: "unknown" }>): void {
  const path = pathOf(to);
  if (path !== location.pathname) history.pushState(null, "", path);
  route.set(routeOf(path));
}

addEventListener("popstate", () => route.set(routeOf(location.pathname)));
