/** The list of images and what is told of it meanwhile, against a server that answers when it is told to. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AppEvent, ImageRecord } from "../../../src/server/api.ts";
import { Images } from "./images.ts";

const image = (id: number, some: Partial<ImageRecord> = {}) => ({ id, state: "queued", ...some }) as ImageRecord;
const told = (id: number, sample = 1): AppEvent => ({
  ...{ type: "image", sample, image: id, state: "done" },
  ...{ ahead: 0, secondsLeft: 0, error: null },
});

let answers: ((images: ImageRecord[]) => void)[];
let asked: string[];
beforeEach(() => {
  [answers, asked] = [[], []];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(new URL(address, "http://page").searchParams.get("ids") ?? "all");
    return new Promise((resolve) =>
      answers.push((images) => resolve(new Response(JSON.stringify({ images }), { status: 200 }))),
    );
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function loaded(...list: ImageRecord[]): Promise<Images> {
  const images = new Images(1);
  const ready = images.load();
  answers.shift()!(list);
  await ready;
  return images;
}

const moment = () => vi.advanceTimersByTimeAsync(2000);

test("of a long list those alone are asked for again that something was told of, several together", async () => {
  const images = await loaded(image(1), image(2), image(3));
  const [, second] = images.list.get();
  for (const id of [3, 1, 3]) images.heed(told(id));
  images.heed(told(2, 7));
  await moment();
  expect(asked).toEqual(["all", "3,1"]);
  answers.shift()!([image(1, { state: "done", heads: 1 }), image(3, { state: "failed" })]);
  await moment();
  expect(images.list.get().map(({ id, state }) => [id, state])).toEqual([
    [1, "done"],
    [2, "queued"],
    [3, "failed"],
  ]);
  expect(images.list.get()[1], "what nobody told of is the same object: its row is not drawn anew").toBe(second);
  expect(asked).toHaveLength(2);
});

test("an image that another page added comes in its place", async () => {
  const images = await loaded(image(1), image(5));
  images.heed(told(4));
  await moment();
  answers.shift()!([image(4)]);
  await moment();
  expect(images.list.get().map(({ id }) => id)).toEqual([1, 4, 5]);
});

test("what is told while an answer is on its way is asked for after it: the older answer has not the last word", async () => {
  const images = await loaded(image(1), image(2));
  images.heed(told(1));
  await moment();
  images.heed(told(1));
  await moment();
  expect(asked, "one request at a time").toEqual(["all", "1"]);
  answers.shift()!([image(1, { state: "running" })]);
  await moment();
  answers.shift()!([image(1, { state: "done" })]);
  await moment();
  expect(images.get(1)?.state).toBe("done");

  // The same of a whole list, which a new connection asks for.
  images.heed({ type: "hello", version: "1" });
  images.heed(told(2));
  await moment();
  expect(asked).toEqual(["all", "1", "1", "all"]);
  answers.shift()!([image(1), image(2)]);
  await moment();
  answers.shift()!([image(2, { state: "done" })]);
  await moment();
  expect(images.get(2)?.state).toBe("done");
});

test("more than an address holds are asked for in parts", async () => {
  const images = await loaded();
  images.refresh(Array.from({ length: 501 }, (_, i) => i + 1));
  await moment();
  answers.shift()!([]);
  await moment();
  expect(asked.map((ids) => ids.split(",").length)).toEqual([1, 500, 1]);
});
