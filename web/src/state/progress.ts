/** How far the analysis of images is. */
import type { AppEvent } from "../../../src/server/api.ts";
import { onEvent } from "../api/events.ts";
import { say } from "./announce.ts";
import { type Store, storeOf } from "./store.ts";

export interface ImageProgress {
  state: Extract<AppEvent, { type: "image" }>["state"];
  ahead: number;
  /** When it will be done, in milliseconds of this browser's clock; undefined where it is not known. */
  until: number | undefined;
}

export interface QueueProgress {
  queued: number;
  running: number;
  until: number | undefined;
}

/** By image. */
export const progress: Store<ReadonlyMap<number, ImageProgress>> = storeOf<ReadonlyMap<number, ImageProgress>>(
  new Map(),
);
export const wholeQueue: Store<QueueProgress> = storeOf({
  queued: 0,
  running: 0,
  until: undefined as number | undefined,
});

/** How far the learning that runs is. */
export interface LearningProgress {
  learning: number;
  done: number;
  of: number;
  until: number | undefined;
}
export const learningNow: Store<LearningProgress | undefined> = storeOf<LearningProgress | undefined>(undefined);

/** How far judging a sample again is, by judging. */
export interface JudgingProgress {
  state: Extract<AppEvent, { type: "judging" }>["state"];
  /** Heads. */
  done: number;
  of: number;
  until: number | undefined;
}
export const judgingsNow: Store<ReadonlyMap<number, JudgingProgress>> = storeOf<ReadonlyMap<number, JudgingProgress>>(
  new Map(),
);

const untilOf = (seconds: number | null) => (seconds === null ? undefined : Date.now() + 1000 * seconds);

onEvent((event) => {
  // How it ended may have been told while the connection was gone.
  if (event.type === "hello") learningNow.set(undefined);
  if (event.type === "image") {
    const { image, state, ahead, secondsLeft } = event;
    progress.set((now) => new Map(now).set(image, { state, ahead, until: untilOf(secondsLeft) }));
  }
  if (event.type === "learning") {
    const { learning, state, done, of, secondsLeft } = event;
    learningNow.set(state === "running" ? { learning, done, of, until: untilOf(secondsLeft) } : undefined);
    // Whoever began it may be anywhere on the page by then.
    if (state === "done") say("The learning is done: its result is under Learn from corrections.");
    if (state === "failed") say("The learning has ended without a result: Learn from corrections says why.");
  }
  if (event.type === "judging") {
    const { judging, state, done, of, secondsLeft } = event;
    judgingsNow.set((now) => new Map(now).set(judging, { state, done, of, until: untilOf(secondsLeft) }));
  }
  if (event.type === "queue") {
    const { queued, running, secondsLeft } = event;
    wholeQueue.set({ queued, running, until: untilOf(secondsLeft) });
  }
});
