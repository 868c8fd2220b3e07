/** The connection over which the server tells, and the page that waits for it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AppEvent } from "../../../src/server/api.ts";
import { listen, onEvent } from "./events.ts";
import { stubEvents } from "./fixtures.ts";

const HELLO: AppEvent = { type: "hello", version: "1" };
let tell: (event: AppEvent) => void;
let heard: AppEvent[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  tell = stubEvents();
  heard = [];
  stop = onEvent((event) => heard.push(event));
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("the first hello opens the page, the next one says to load anew", async () => {
  const listening = listen();
  tell(HELLO);
  await listening;
  expect(heard).toEqual([]);
  // That it was waited for long enough changes nothing afterwards.
  await vi.runAllTimersAsync();
  tell(HELLO);
  expect(heard).toEqual([HELLO]);
});

test("a hello that comes after the page went on without it says to load anew: something may have been missed", async () => {
  const listening = listen();
  await vi.runAllTimersAsync();
  await listening;
  tell(HELLO);
  expect(heard).toEqual([HELLO]);
});
