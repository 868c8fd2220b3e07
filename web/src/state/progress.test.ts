/** What the server tells of a learning, and what the page makes of it. */
import { expect, test, vi } from "vitest";
import { listen } from "../api/events.ts";
import { stubEvents } from "../api/fixtures.ts";
import { said } from "./announce.ts";
import { learningNow } from "./progress.ts";

test("a learning's end is said wherever one is; after a broken connection nothing old is shown of it", async () => {
  const tell = stubEvents();
  const listening = listen();
  tell({ type: "hello", version: "1" });
  await listening;
  const learning = { type: "learning", learning: 3, done: 1, of: 4, secondsLeft: null } as const;
  tell({ ...learning, state: "running" });
  expect(learningNow.get()).toMatchObject({ learning: 3, done: 1, of: 4 });
  expect(said.get().text).toBe("");
  tell({ ...learning, state: "done", done: 4 });
  expect(learningNow.get()).toBeUndefined();
  expect(said.get().text).toContain("The learning is done");
  tell({ ...learning, learning: 4, state: "running" });
  tell({ type: "hello", version: "1" });
  expect(learningNow.get()).toBeUndefined();
  tell({ ...learning, learning: 4, state: "failed" });
  expect(said.get().text).toContain("without a result");
  vi.unstubAllGlobals();
});
