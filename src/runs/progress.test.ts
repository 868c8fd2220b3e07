import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { formatDuration, silent, terminalProgress } from "./progress.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A stream that keeps what is written. */
function recorder(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  return { stream, written };
}

const CLEAR = "\r\x1b[2K";

test.each([
  [0, "0 s"],
  [0.4, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [185, "3 min 05 s"],
  [3599.4, "59 min 59 s"],
  [3599.6, "1 h 00 min"],
  [3725, "1 h 02 min"],
  [90_000, "25 h 00 min"],
  [-5, "0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

describe("in a log", () => {
  test("a line every ten seconds at most, with share and time left, and no control characters", () => {
    const { stream, written } = recorder(false);
    const progress = terminalProgress(stream);
    progress.start("Tuning", 200);
    for (let done = 1; done <= 100; done++) {
      vi.advanceTimersByTime(300);
      progress.update(done, `loss ${done}`);
    }
    // 30 s in steps of 0.3 s: lines at 10.2 and 20.4 s.
    expect(written).toEqual([
      "Tuning  34/200  17 %  50 s left  loss 34\n",
      "Tuning  68/200  34 %  40 s left  loss 68\n",
    ]);
    progress.finish("well");
    expect(written.at(-1)).toBe("Tuning done in 30 s well\n");
    expect(written.join("")).not.toContain("\x1b");
  });

  test("who knows better how much time is left is believed", () => {
    const { stream, written } = recorder(false);
    const progress = terminalProgress(stream);
    progress.start("Tuning", 200);
    vi.advanceTimersByTime(20_000);
    progress.update(100, "", 75);
    expect(written).toEqual(["Tuning  100/200  50 %  1 min 15 s left\n"]);
  });

  test("what comes before a start or after the end says nothing", () => {
    const { stream, written } = recorder(false);
    const progress = terminalProgress(stream);
    progress.update(1);
    progress.finish();
    progress.start("Reading", 1);
    progress.finish();
    vi.advanceTimersByTime(60_000);
    progress.update(1);
    progress.finish();
    expect(written).toEqual(["Reading done in 0 s\n"]);
  });

  test("a new piece of work ends the one before, and its clock starts anew", () => {
    const { stream, written } = recorder(false);
    const progress = terminalProgress(stream);
    progress.start("First", 2);
    vi.advanceTimersByTime(61_000);
    progress.start("Second", 2);
    vi.advanceTimersByTime(20_000);
    progress.update(1);
    progress.finish();
    expect(written).toEqual(["First done in 1 min 01 s\n", "Second  1/2  50 %  20 s left\n", "Second done in 20 s\n"]);
  });

  test("nothing done yet, or nothing to do, gives no senseless figures", () => {
    const { stream, written } = recorder(false);
    const progress = terminalProgress(stream);
    progress.start("Waiting", 0);
    vi.advanceTimersByTime(11_000);
    progress.update(0);
    expect(written.join("")).not.toMatch(/NaN|Infinity|left|%/);
  });
});

describe("on a terminal", () => {
  test("one line is drawn over and over; what stays ends with a line feed", () => {
    const { stream, written } = recorder(true, 80);
    const progress = terminalProgress(stream);
    progress.start("Tuning", 10);
    vi.advanceTimersByTime(50);
    progress.update(1);
    vi.advanceTimersByTime(100);
    progress.update(2);
    progress.log("a warning");
    progress.finish();
    expect(written.every((text) => text.startsWith(CLEAR))).toBe(true);
    expect(written.map((text) => text.slice(CLEAR.length))).toEqual([
      "Tuning …",
      "Tuning  2/10  20 %  1 s left",
      "a warning\n",
      "Tuning done in 0 s\n",
    ]);
  });

  test("a line never wraps", () => {
    const { stream, written } = recorder(true, 20);
    const progress = terminalProgress(stream);
    progress.start("A very long label of some piece of work", 10);
    vi.advanceTimersByTime(200);
    progress.update(5, "and a note");
    for (const text of written) expect(text.length - CLEAR.length).toBeLessThan(20);
  });
});

test("the silent one says nothing", () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    silent.start("x", 1);
    silent.update(1);
    silent.log("x");
    silent.finish();
    expect(write).not.toHaveBeenCalled();
  } finally {
    write.mockRestore();
  }
});
