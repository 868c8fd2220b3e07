/** What the server tells by itself. One connection for the whole page. */
import type { AppEvent } from "../../../src/server/api.ts";
import { urlOf } from "./routes.ts";

const listeners = new Set<(event: AppEvent) => void>();
let source: EventSource | undefined;

/** Milliseconds after which the page goes on without the connection. */
const PATIENCE = 1000;

/**
 * Opens the connection. Ends when the server has said hello: what is loaded after that misses nothing. A hello that comes
 * later than the page waits for it, and the next one where the connection broke and the browser opened it again, says to
 * load anew.
 */
export function listen(): Promise<void> {
  source?.close();
  source = new EventSource(urlOf("events", {}));
  return new Promise((resolve) => {
    let goesOn = false;
    source!.onmessage = ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as AppEvent;
      if (event.type === "hello" && !goesOn) {
        goesOn = true;
        resolve();
        return;
      }
      for (const listener of [...listeners]) listener(event);
    };
    setTimeout(() => {
      goesOn = true;
      resolve();
    }, PATIENCE);
  });
}

/** Whether it only tells how far something is: what was loaded stays right. */
export function isProgress(event: AppEvent): boolean {
  return event.type === "queue" || event.type === "image" || (event.type === "judging" && event.state !== "done");
}

export function onEvent(listener: (event: AppEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
