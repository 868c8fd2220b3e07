/** A server's events in a test of the page: what is told here is what the page hears. */
import { vi } from "vitest";
import type { AppEvent } from "../../../src/server/api.ts";

/** Puts a connection in place of the browser's. What is returned tells an event to the one opened last. */
export function stubEvents(): (event: AppEvent) => void {
  let last: Source | undefined;
  class Source {
    onmessage: (message: { data: string }) => void = () => {};
    constructor() {
      last = this;
    }
    close() {}
  }
  vi.stubGlobal("EventSource", Source);
  return (event) => {
    if (!last) throw new Error("nothing listens yet");
    last.onmessage({ data: JSON.stringify(event) });
  };
}
