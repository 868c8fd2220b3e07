import { useEffect, useState } from "react";
import { durationInWords } from "../numbers/format.ts";
import { wholeQueue } from "../state/progress.ts";
import { useStore } from "../state/store.ts";

/** The analysis of everything that waits, with the time left. */
export function Analysing() {
  const { queued, running, until } = useStore(wholeQueue);
  const now = useNow(queued + running > 0);
  if (queued + running === 0) return null;
  const left = until === undefined ? "" : `, ${durationInWords((until - now) / 1000)} left`;
  return (
    <span className="analysing">
      <span className="spinner" aria-hidden="true" />
      {queued + running} to analyse{left}
    </span>
  );
}

/** The time of day in milliseconds, once a second. */
export function useNow(active: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}
