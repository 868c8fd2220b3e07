/** Calls of the API. What fails, fails as {@link Refusal} or, where no answer came, as {@link NoAnswer}. */
import type { ApiError } from "../../../src/server/api.ts";
import { type Answer, type Asked, addressOf, type Call, ROUTES } from "./routes.ts";

/** The server answered that it will not. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: ApiError;

  constructor(status: number, error: ApiError) {
    super(error.message);
    this.name = "Refusal";
    this.status = status;
    this.error = error;
  }

  /** True where asking again may help. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 401;
  }
}

/** The server cannot be reached. */
export class NoAnswer extends Error {}

/** What a person is told of a failure. */
export function inWords(failure: unknown): string {
  if (failure instanceof Refusal) {
    const { message, fix } = failure.error;
    return fix && !message.includes(fix) ? `${message} ${fix}` : message;
  }
  if (failure instanceof NoAnswer) return "The server does not answer. Is androscope app still running?";
  return failure instanceof Error ? failure.message : String(failure);
}

let onNoToken = (): void => {};
/** Called at every answer that the session is over. */
export function whenNoToken(call: () => void): void {
  onNoToken = call;
}

export async function ask<N extends Asked>(name: N, call: Call<N>, signal?: AbortSignal): Promise<Answer<N>> {
  const [method, path] = ROUTES[name];
  const { params, query, body } = call as Record<"params" | "query", Record<string, unknown>> & { body?: unknown };
  const answer = await reach(addressOf(path, params, query), {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json; charset=utf-8" } }),
    ...(signal ? { signal } : {}),
  });
  return (await answer.json()) as Answer<N>;
}

async function reach(address: string, request: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address, { ...request, credentials: "same-origin" });
  } catch (cause) {
    if (request.signal?.aborted) throw cause;
    throw new NoAnswer("no answer", { cause });
  }
  if (!answer.ok) throw await refusalOf(answer.status, () => answer.json());
  return answer;
}

/** @param read gives the body, which another program between may have made */
export async function refusalOf(status: number, read: () => unknown): Promise<Refusal> {
  if (status === 401) onNoToken();
  try {
    const body = (await read()) as { error?: ApiError };
    if (typeof body?.error?.message === "string") return new Refusal(status, body.error);
  } catch {
    // No JSON: told below.
  }
  return new Refusal(status, { code: "unknown", message: `The server answered with status ${status}.` });
}

/** The id of an act. `crypto.randomUUID` is kept from pages that come from another machine without encryption. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
