/** The list of heads and what is told of it meanwhile, against a server that answers when it is told to. */
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import type { Head } from "../../../src/server/api.ts";
import { Heads } from "./heads.ts";

const head = (id: number, some: Partial<Head> = {}) =>
  ({ id, image: id, number: 1, decision: null, measures: null, outlineBy: "model", ...some }) as unknown as Head;

/** Answers requests in turn. */
function serve(...answers: Head[][]) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (address: string) => {
    asked.push(new URL(address, "http://page").searchParams.get("ids") ?? "all");
    return new Response(JSON.stringify({ heads: answers.shift() ?? [] }), { status: 200 });
  });
  return asked;
}
afterEach(() => vi.unstubAllGlobals());

test("a head that is told of before the list is there does not come before the list", async () => {
  const asked = serve([head(1), head(2), head(3)], [head(3), head(4)]);
  const heads = new Heads(1, 1);
  const lists: number[][] = [];
  heads.onOthers = () => lists.push(heads.all().map(({ id }) => id));
  heads.heed({ type: "heads", sample: 1, image: 3, heads: [3, 4] });
  await heads.load();
  await vi.waitFor(() => expect(lists).toHaveLength(2));
  expect(lists).toEqual([
    [1, 2, 3],
    [1, 2, 3, 4],
  ]);
  expect(asked).toEqual(["all", "3,4"]);
});

test("heads that a server in trouble did not answer for are asked for again, with their outlines, and not for ever", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const asked: string[] = [];
  let status = 200;
  vi.stubGlobal("fetch", async (address: string) => {
    const query = new URL(address, "http://page").searchParams;
    asked.push(query.get("ids") ?? "all");
    const outline = query.get("outlines") ? { outline: [[0, 0]] as [number, number][] } : {};
    return new Response(JSON.stringify({ heads: [head(1, outline)] }), { status });
  });
  const heads = new Heads(1, 1);
  await heads.load();
  status = 500;
  const outlined = () => heads.outlineOf(heads.get(1)!);
  expect(outlined()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toEqual(["all", "1"]);
  status = 200;
  await vi.advanceTimersByTimeAsync(3000);
  expect(asked).toEqual(["all", "1", "1"]);
  expect(outlined()).toEqual([[0, 0]]);
  status = 500;
  heads.refresh([1]);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(asked).toHaveLength(3 + 6);
});

test("what this page did itself is not asked for again, what another did is", async () => {
  const asked = serve([head(1), head(2)], [head(1)], [head(1)]);
  const heads = new Heads(1, 1);
  await heads.load();
  heads.expect("mine");
  // The same reader decides the same head in a second window, which is told of first.
  const told = (acts: string[], sample = 1) => heads.heed({ type: "review", sample, heads: [1], reader: 1, acts });
  told(["of the second window"]);
  await vi.waitFor(() => expect(asked).toEqual(["all", "1"]));
  told(["mine"]);
  told(["of another sample"], 2);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(asked).toEqual(["all", "1"]);
  heads.expect("mine, too");
  told(["mine, too", "not mine"]);
  await vi.waitFor(() => expect(asked).toEqual(["all", "1", "1"]));
});

test("a decision on its way is not overwritten by an older answer, and one head's watcher hears of it alone", async () => {
  serve([head(1), head(2)], [head(1)], [head(1)]);
  const heads = new Heads(1, 1);
  await heads.load();
  const heard: number[] = [];
  heads.watch(1, () => heard.push(1));
  heads.watch(2, () => heard.push(2));
  const decision = {
    reader: { id: 1, name: "a" },
    value: { kind: "class", class: "x" } as const,
    reason: "",
    at: "",
    seq: 0,
  };
  heads.isPending = (id) => id === 1;
  heads.amend(1, decision);
  expect(heard).toEqual([1]);
  await heads.load();
  expect(heads.get(1)?.decision).toEqual(decision);
  heads.isPending = () => false;
  await heads.load();
  expect(heads.get(1)?.decision).toBeNull();
});

test("a head that is gone is taken out", async () => {
  serve([head(1), head(2)], []);
  const heads = new Heads(1, 1);
  await heads.load();
  heads.refresh([2]);
  await vi.waitFor(() => expect(heads.all().map(({ id }) => id)).toEqual([1]));
});
