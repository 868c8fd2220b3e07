/** Getting in, who reads, and what the program can do. */
import type { About, Reader } from "../../../src/server/api.ts";
import { ask, inWords, NoAnswer, newId, Refusal, whenNoToken } from "../api/client.ts";
import { listen, onEvent } from "../api/events.ts";
import { say } from "./announce.ts";
import { choose, settings } from "./settings.ts";
import { type Store, storeOf } from "./store.ts";

export type Session =
  | { state: "opening" }
  /** No token, or one of an earlier start. */
  | { state: "closed" }
  | { state: "unreachable"; why: string }
  | { state: "open"; about: About; readers: readonly Reader[]; reader: Reader | undefined };

export const session: Store<Session> = storeOf<Session>({ state: "opening" });

whenNoToken(() => session.set({ state: "closed" }));

/** Takes the token out of the address, exchanges it and loads what every view needs. */
export async function openSession(token = takeToken()): Promise<void> {
  session.set({ state: "opening" });
  try {
    if (token !== undefined) await ask("openSession", { body: { token } });
    const [about, { readers }] = await Promise.all([ask("about", {}), ask("listReaders", {}), listen()]);
    const reader = readers.find(({ id }) => id === settings.get().reader);
    session.set({ state: "open", about, readers, reader });
  } catch (failure) {
    if (failure instanceof Refusal && failure.status === 401) session.set({ state: "closed" });
    else if (failure instanceof NoAnswer || failure instanceof Refusal) {
      session.set({ state: "unreachable", why: inWords(failure) });
    } else throw failure;
  }
}

/** Another model judges: what the program says of itself is asked again. */
onEvent(({ type }) => {
  if (type !== "model") return;
  void ask("about", {}).then(
    (about) => session.set((now) => (now.state === "open" ? { ...now, about } : now)),
    // The next view that asks tells that the server is gone.
    () => {},
  );
});

function takeToken(): string | undefined {
  const token = tokenIn(location.hash);
  if (token !== undefined) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** The token of an address or of what was copied of it. */
export function tokenIn(text: string): string | undefined {
  return /(?:^|[#&])token=([\w-]{1,200})/.exec(text)?.[1];
}

/** From now on this reader reads; a name that is new makes a reader. */
export async function readAs(name: string): Promise<void> {
  const reader = await ask("createReader", { body: { name } });
  choose({ reader: reader.id });
  // What the reader before did is nothing for the eyes of one who reads blind.
  say("");
  session.set((now) =>
    now.state === "open"
      ? { ...now, reader, readers: [...now.readers.filter(({ id }) => id !== reader.id), reader] }
      : now,
  );
}

/** The reader's part of an act. */
export const actOf = (reader: Reader) => ({ id: newId(), reader: reader.id });
