/** Progress with time left, on stderr so that stdout stays the result's. */

export interface Progress {
  /** Begins a piece of work of `total` units; ends the one before. */
  start(label: string, total: number): void;
  /**
   * Sets the units done so far, with a short note such as a loss.
   * @param secondsLeft where the caller knows better than to divide the time so far by the units done
   */
  update(done: number, note?: string, secondsLeft?: number): void;
  /** Ends the current piece of work. */
  finish(note?: string): void;
  /** Prints a line that stays. */
  log(line: string): void;
}

export const silent: Progress = { start() {}, update() {}, finish() {}, log() {} };

/** "1 h 02 min", "3 min 05 s", "12 s". */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  if (s >= 60) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${s} s`;
}

/** A live line on a terminal; elsewhere a line every ten seconds, so that logs stay readable. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const live = Boolean(stream.isTTY);
  let label = "";
  let total = 0;
  let begun = 0;
  let printed = 0;
  let open = false;

  const draw = (line: string, stays: boolean) => {
    if (live) stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 100) - 1)}${stays ? "\n" : ""}`);
    else stream.write(`${line}\n`);
  };
  return {
    start(nextLabel, nextTotal) {
      if (open) this.finish();
      label = nextLabel;
      total = nextTotal;
      begun = printed = performance.now();
      open = true;
      if (live) draw(`${label} …`, false);
    },
    update(done, note = "", secondsLeft) {
      const now = performance.now();
      if (!open || now - printed < (live ? 100 : 10_000)) return;
      printed = now;
      const elapsed = (now - begun) / 1000;
      const remaining = secondsLeft ?? (done > 0 ? (elapsed / done) * (total - done) : undefined);
      const left = remaining === undefined ? "" : `${formatDuration(remaining)} left`;
      const percent = total > 0 ? `${Math.floor((100 * done) / total)} %` : "";
      draw([label, `${done}/${total}`, percent, left, note].filter(Boolean).join("  "), false);
    },
    finish(note = "") {
      if (!open) return;
      open = false;
      draw(
        [label, "done in", formatDuration((performance.now() - begun) / 1000), note].filter(Boolean).join(" "),
        true,
      );
    },
    log(line) {
      draw(line, true);
    },
  };
}
