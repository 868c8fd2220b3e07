/** What the server tells by itself. One connection for the whole page. */
import type { AppEvent } from "../../../src/server/api.ts";
import { urlOf } from "./routes.ts";

const listeners = new Set<(event: AppEvent) => void>();
let source: EventSource | undefined;

/** Opens the connection; the browser opens it again after a break, and the server then says hello. */
export function listen(): void {
  source?.close();
  source = new EventSource(urlOf("events", {}));
  const tell = ({ data }: MessageEvent<string>) => {
    const event = JSON.parse(data) as AppEvent;
    for (const listener of [...listeners]) listener(event);
  };
  source.onmessage = tell;
  for (const type of ["hello", "image", "queue", "heads", "review", "sample"] satisfies AppEvent["type"][]) {
    source.addEventListener(type, tell);
  }
}

export function onEvent(listener: (event: AppEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
