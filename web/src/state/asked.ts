/** What a view asks of the server, and asks again. */
import { useCallback, useEffect, useRef, useState } from "react";
import type { AppEvent } from "../../../src/server/api.ts";
import { inWords } from "../api/client.ts";
import { onEvent } from "../api/events.ts";

export interface Asked<T> {
  value: T | undefined;
  failure: string | undefined;
  reload: () => void;
}

const soon = () => 300;

/** @param key asks anew where it changes @param again events after which the answer is another
 * @param gather milliseconds in which reasons to ask again are gathered, at most those of the most urgent one */
export function useAsked<T>(
  key: string,
  call: (signal: AbortSignal) => Promise<T>,
  again: (event: AppEvent) => boolean = () => false,
  gather: (event: AppEvent) => number = soon,
): Asked<T> {
  const [state, setState] = useState<{ key: string; value?: T; failure?: string }>({ key });
  const [count, setCount] = useState(0);
  const latest = useRef({ call, again, gather });
  latest.current = { call, again, gather };
  const reload = useCallback(() => setCount((n) => n + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `count` is what asking again is
  useEffect(() => {
    const control = new AbortController();
    latest.current.call(control.signal).then(
      (value) => !control.signal.aborted && setState({ key, value }),
      (failure) =>
        !control.signal.aborted &&
        setState((now) => ({
          key,
          failure: inWords(failure),
          ...(now.key === key && now.value !== undefined ? { value: now.value } : {}),
        })),
    );
    return () => control.abort();
  }, [key, count]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let due = Number.POSITIVE_INFINITY;
    const ask = () => {
      due = Number.POSITIVE_INFINITY;
      reload();
    };
    const stop = onEvent((event) => {
      if (!latest.current.again(event)) return;
      const wait = latest.current.gather(event);
      if (performance.now() + wait >= due) return;
      clearTimeout(timer);
      due = performance.now() + wait;
      timer = setTimeout(ask, wait);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [reload]);

  const fits = state.key === key;
  return { value: fits ? state.value : undefined, failure: fits ? state.failure : undefined, reload };
}
