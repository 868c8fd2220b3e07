/** Server-sent events: one stream per open page. */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import { version } from "../../runs/index.ts";
import type { AppEvent } from "../api.ts";
import { SECURITY_HEADERS } from "./guard.ts";

/** So that neither side takes the other for gone, in milliseconds. */
const HEARTBEAT = 15_000;
/** A page that does not read what it is sent is let go; it comes back and loads anew. */
const MOST_BUFFERED = 2 ** 20;

export class Events {
  readonly #open = new Set<ServerResponse>();
  readonly #heart = setInterval(() => this.#send(": \n\n"), HEARTBEAT).unref();

  /** Takes over the answer and keeps it open. */
  add(reply: FastifyReply): void {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      "content-type": "text/event-stream",
      "cache-control": "no-store",
    });
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
    response.on("error", () => response.destroy());
    response.write(asText({ type: "hello", version: version() }));
  }

  tell(event: AppEvent): void {
    this.#send(asText(event));
  }

  #send(text: string): void {
    for (const response of this.#open) {
      if (response.writableLength > MOST_BUFFERED) response.destroy();
      else response.write(text);
    }
  }

  close(): void {
    clearInterval(this.#heart);
    for (const response of this.#open) response.end();
  }
}

const asText = (event: AppEvent) => `data: ${JSON.stringify(event)}\n\n`;
