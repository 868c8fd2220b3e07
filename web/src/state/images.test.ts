/** The list of images and what is told of it meanwhile, against a server that answers when it is told to. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AppEvent, ImageRecord } from "../../../src/server/api.ts";
import { Images } from "./images.ts";

const image = (id: number, some: Partial<ImageRecord> = {}) => ({ id, state: "queued", ...some }) as ImageRecord;
const told = (id: number, sample = 1): AppEvent => ({
  ...{ type: "image", sample, image: id, state: "done" },
  ...{ ahead: 0, secondsLeft: 0, error: null },
});

let answers: ((images: ImageRecord[], status?: number) => void)[];
let asked: string[];
beforeEach(() => {
  [answers, asked] = [[], []];
  vi.useFakeTimers();
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(new URL(address, "http://page").searchParams.get("ids") ?? "all");
    return new Promise((resolve) =>
      answers.push((images, status = 200) => resolve(new Response(JSON.stringify({ images }), { status }))),
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

describe("a server in trouble", () => {
  const later = (seconds: number) => vi.advanceTimersByTimeAsync(1000 * seconds);
  const refuse = async (status = 500) => {
    answers.shift()!([], status);
    await later(0);
  };

  test("is asked again after a pause, for what it did not answer alone", async () => {
    const images = await loaded(image(1), image(2));
    images.heed(told(1));
    await later(1);
    await refuse();
    expect(asked).toEqual(["all", "1"]);
    // Others are not kept waiting.
    images.heed(told(2));
    await later(1);
    expect(asked).toEqual(["all", "1", "2"]);
    answers.shift()!([image(2, { state: "done" })]);
    await later(3);
    expect(asked).toEqual(["all", "1", "2", "1"]);
    answers.shift()!([image(1, { state: "done" })]);
    await later(3600);
    expect(images.list.get().map(({ state }) => state)).toEqual(["done", "done"]);
    expect(asked).toHaveLength(4);
  });

  test("is asked a few times, less and less often, and then no more until something is told of", async () => {
    const images = await loaded(image(1));
    images.heed(told(1));
    const times: number[] = [];
    for (let second = 0; second < 3600; second++) {
      await later(1);
      if (answers.length === 0) continue;
      times.push(second);
      await refuse(503);
    }
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    expect(pauses).toHaveLength(5);
    expect(pauses.every((pause, i) => i === 0 || pause > pauses[i - 1]!)).toBe(true);
    images.heed(told(1));
    await later(1);
    expect(answers).toHaveLength(1);
    // And from then on as at first.
    await refuse();
    await later(4);
    expect(answers).toHaveLength(1);
  });

  test("is not asked again where it says that the request is wrong", async () => {
    const images = await loaded(image(1));
    images.heed(told(1));
    await later(1);
    await refuse(404);
    await later(3600);
    expect(asked).toEqual(["all", "1"]);
  });

  test("is asked again for the whole list, too, which a new connection wanted", async () => {
    const images = await loaded(image(1));
    images.heed({ type: "hello", version: "1" });
    await refuse();
    expect(asked).toEqual(["all", "all"]);
    await later(3);
    expect(asked).toEqual(["all", "all", "all"]);
    answers.shift()!([image(1), image(2)]);
    await later(3600);
    expect(images.list.get()).toHaveLength(2);
    expect(asked).toHaveLength(3);
  });
});

test("more than an address holds are asked for in parts", async () => {
  const images = await loaded();
  images.refresh(Array.from({ length: 501 }, (_, i) => i + 1));
  await moment();
  answers.shift()!([]);
  await moment();
  expect(asked.map((ids) => ids.split(",").length)).toEqual([1, 500, 1]);
});
