/** Time left and progress of several tasks, against a clock that is turned by hand. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Progress } from "../runs/index.ts";
import { Overview } from "./overview.ts";
import type { Task } from "./task.ts";

// What a task is about does not matter here.
const input = {} as never;
const task = (kind: Task["kind"], id: string, units: number, after?: string): Task => ({
  kind,
  id,
  label: id,
  input,
  units,
  ...(after ? { after } : {}),
});

let now = 0;
let said: string[] = [];
const progress: Progress = {
  start: (label, total) => said.push(`start ${label}, ${total}`),
  update: (done, note, left) => said.push(`${done}, ${left === undefined ? "?" : `${Math.round(left)} s`}, ${note}`),
  finish: () => said.push("finish"),
  log: (line) => said.push(line),
};
const overview = (workers: number) => new Overview(workers, progress, () => now);
beforeEach(() => {
  now = 0;
  said = [];
});

describe("time left", () => {
  test("goes by what each kind of task took so far, and by the order over the workers", () => {
    const view = overview(2);
    const first = ["a", "b", "c"].map((id) => task("distill-fold", id, 10));
    const second = ["a", "b", "c"].map((id) => task("fold", `${id}2`, 10, id));
    for (const each of [...first, ...second]) view.add(each);
    expect(view.secondsLeft()).toBeUndefined();
    view.update(first[0]!, 0, "");
    view.update(first[1]!, 0, "");
    now = 4000;
    view.update(first[0]!, 1, "");
    view.update(first[1]!, 1, "");
    // 4 s a unit, also where nothing is known yet: a and b until 36, c and then a2 until 76, b2, and c2 until 116.
    expect(view.secondsLeft()).toBe(116);
    now = 40_000;
    view.finish(first[0]!);
    view.finish(first[1]!);
    view.update(first[2]!, 0, "");
    view.update(second[0]!, 0, "");
    now = 41_000;
    view.update(first[2]!, 0, "");
    view.update(second[0]!, 1, "");
    // A unit of the second kind takes 1 s. c takes 41 s for 10 (1 s went by without one); a2 9, b2 10, c2 after c 10.
    expect(view.secondsLeft()).toBeCloseTo(10 * (81 / 20) + 10, 5);
  });

  test("does not take a checkpoint's steps for speed", () => {
    const view = overview(1);
    const resumed = task("fold", "a", 100);
    view.add(resumed);
    view.update(resumed, 50, "");
    now = 10_000;
    view.update(resumed, 51, "");
    expect(view.secondsLeft()).toBe(490);
    // Killed, and begun again from an earlier one.
    now = 20_000;
    view.update(resumed, 40, "");
    now = 22_000;
    view.update(resumed, 41, "");
    expect(view.secondsLeft()).toBe(118);
  });
});

test("what is said: all tasks as one piece of work, and who is at what", () => {
  const view = overview(2);
  const [a, b] = [task("fold", "a", 10), task("fold", "b", 10)];
  view.add(a);
  view.add(b);
  view.update(a, 0, "");
  now = 1000;
  view.update(a, 1, "loss 2");
  view.update(b, 1, "loss 3");
  view.log("a remark");
  now = 10_000;
  view.finish(a);
  view.finish(b);
  expect(said).toEqual([
    "start 2 tasks, 2 at a time, 20",
    "0, ?, a",
    "1, 10 s, a loss 2",
    "2, 9 s, a loss 2; b loss 3",
    "a remark",
    "11, 9 s, b loss 3",
    "20, 0 s, ",
    "finish",
  ]);
});

test("tasks that will not be done are forgotten, and what is over begins anew", () => {
  const view = overview(2);
  const [a, b] = [task("fold", "a", 10), task("fold", "b", 10)];
  view.add(a);
  view.update(a, 1, "");
  view.drop(({ id }) => id === "a");
  view.update(a, 2, "");
  view.finish(a);
  view.add(b);
  view.update(b, 1, "");
  expect(said).toEqual([
    "start 1 task, 2 at a time, 10",
    "1, ?, a",
    "finish",
    "start 1 task, 2 at a time, 10",
    "1, ?, b",
  ]);
});
