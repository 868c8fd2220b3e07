/**
 * A worker: a process that does one task and ends. Started by pool.ts, never by hand. It imports what it needs only once
 * it is sure to end with the process that started it.
 */
import type { Order, Report } from "./messages.ts";

/** Between two messages about progress, in milliseconds. */
const INTERVAL = 200;

// Nobody waits for the result any more: end at once, even in the middle of native code. Files are written as a whole.
const end = () => process.kill(process.pid, "SIGKILL");
process.once("disconnect", end);
if (!process.connected) end();
// A terminal sends these to all processes of a command. The one that started us decides; its end is ours.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});

// Where nobody hears it, the end is near.
const tell = (report: Report) => process.send!(report, () => {});

process.once("message", async (order: Order) => {
  const [{ perform }, { failureOf }] = await Promise.all([import("./perform.ts"), import("./messages.ts")]);
  // The newest of each interval: several steps may come at once.
  let newest: Report | undefined;
  let waiting = false;
  const progress = {
    start() {},
    update(done: number, note = "") {
      newest = { type: "progress", done, note };
      if (waiting) return;
      waiting = true;
      setTimeout(() => {
        waiting = false;
        tell(newest!);
      }, INTERVAL);
    },
    finish() {},
    log: (line: string) => void tell({ type: "remark", line }),
  };
  try {
    await perform(order, progress);
    tell({ type: "done" });
  } catch (error) {
    tell({ type: "failed", failure: failureOf(error) });
  }
});
tell({ type: "ready" });
