import { expect, test, vi } from "vitest";
import type { ResponseOf } from "../../../src/server/api.ts";
import { NoAnswer, Refusal } from "../api/client.ts";
import { type Pending, Queue } from "./queue.ts";

const act = (head: number, some: Partial<Omit<Pending, "id">> = {}) => ({
  ...{ sample: 1, reader: 1, head, value: { kind: "class", class: "Normal" } as const, reason: "" },
  ...some,
});
type Answer = ResponseOf<"decide">;
const NOTHING: Answer = { done: [], heads: [] };
const done = (batch: readonly Pending[]): Answer => ({
  done: batch.map(({ id }, i) => ({ id, seq: i + 1, at: "2026-01-01T00:00:00Z", replayed: false })),
  heads: [],
});

/** A server that does what is asked for each request in turn, then answers all. */
function server(...first: ((batch: readonly Pending[]) => Promise<Answer>)[]) {
  const batches: number[][] = [];
  const ids: string[][] = [];
  const send = async (batch: readonly Pending[]) => {
    batches.push(batch.map(({ head }) => head));
    ids.push(batch.map(({ id }) => id));
    return (first.shift() ?? (async () => done(batch)))(batch);
  };
  return { batches, ids, send };
}

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  };
}

const refuse = (status: number) => async () => {
  throw new Refusal(status, { code: "x", message: "no" });
};

test("what comes while a request is under way goes together with the next, in order", async () => {
  let answer = (_: Answer) => {};
  const { batches, send } = server(() => new Promise((resolve) => (answer = resolve)));
  const queue = new Queue(send);
  for (const head of [1, 2, 3]) queue.add(act(head));
  expect(queue.state.get().waiting).toBe(3);
  await vi.waitFor(() => expect(batches).toEqual([[1]]));
  expect(queue.isPending(1, 2)).toBe(true);
  answer(NOTHING);
  await queue.empty();
  expect(batches).toEqual([[1], [2, 3]]);
  expect(queue.state.get().waiting).toBe(0);
});

test("a batch holds one reader, one sample, and no head twice", async () => {
  let answer = (_: Answer) => {};
  const { batches, send } = server(() => new Promise((resolve) => (answer = resolve)));
  const queue = new Queue(send);
  queue.add(act(1));
  for (const more of [act(2), act(2), act(3), act(4, { reader: 2 }), act(5, { reader: 2, sample: 2 })]) queue.add(more);
  await vi.waitFor(() => expect(batches).toHaveLength(1));
  answer(NOTHING);
  await queue.empty();
  expect(batches).toEqual([[1], [2], [2, 3], [4], [5]]);
});

test("a lost answer is asked for again with the same ids, and what waits is told", async () => {
  vi.useFakeTimers();
  const lost = async () => {
    throw new NoAnswer("gone");
  };
  const { batches, ids, send } = server(lost, refuse(503), refuse(401));
  const queue = new Queue(send);
  queue.add(act(1));
  await vi.waitFor(() => expect(queue.state.get().trouble).toMatch(/does not answer/));
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  await queue.empty();
  expect(batches).toEqual([[1], [1], [1], [1]]);
  expect(new Set(ids.flat()).size).toBe(1);
  expect(queue.state.get()).toEqual({ waiting: 0, trouble: undefined, refused: undefined });
});

test("of a batch that is refused each goes alone; the one at fault is told, the others are saved", async () => {
  const settled: [number, boolean][] = [];
  let answer = (_: Answer) => {};
  const { send } = server(() => new Promise((resolve) => (answer = resolve)));
  const queue = new Queue(async (batch) => {
    if (batch.some(({ head }) => head === 3))
      throw new Refusal(422, { code: "review/unknown-class", message: "no such class" });
    return send(batch);
  });
  queue.onSettled = (batch, ok) =>
    settled.push(...batch.map(({ head }): [number, boolean] => [head, ok !== undefined]));
  for (const head of [1, 2, 3, 4]) queue.add(act(head));
  await vi.waitFor(() => expect(queue.state.get().waiting).toBe(4));
  answer(NOTHING);
  await queue.empty();
  expect(settled).toEqual([
    [1, true],
    [2, true],
    [3, false],
    [4, true],
  ]);
  expect(queue.state.get().refused).toBe("no such class");
});

test("what was not answered outlives the page", async () => {
  const kept = storage();
  const before = new Queue(() => new Promise(() => {}), kept);
  before.add(act(7));
  before.add(act(8));
  const { batches, ids, send } = server();
  const after = new Queue(send, kept);
  expect(after.state.get().waiting).toBe(2);
  await after.empty();
  expect(batches).toEqual([[7, 8]]);
  expect(new Set(ids.flat()).size).toBe(2);
  expect(new Queue(send, kept).state.get().waiting).toBe(0);
});

test("a storage that holds something else is taken for empty", () => {
  const odd = { getItem: () => "{not json", setItem: () => {} };
  expect(new Queue(server().send, odd).state.get().waiting).toBe(0);
});
