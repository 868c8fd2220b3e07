/** A learner in a process of its own: the server keeps answering, and giving up is ending it. */

import { AndroscopeError } from "../../runs/index.ts";
import type { NetworkOptions } from "../analysis/networks.ts";
import { analyserProcess } from "../analysis/process.ts";
import { Helper } from "../child.ts";
import type { Learned, Learner } from "./learner.ts";

/** Far more than thousands of heads take on a slow machine: what takes longer hangs. */
const SECONDS = 4 * 3600;

/** Nothing is loaded before it is asked to learn. @param networks what the program was started with */
export function learnerProcess(networks: NetworkOptions): Learner {
  const threads = 1;
  const helper = new Helper(
    new URL("./helper.ts", import.meta.url),
    [JSON.stringify(networks), String(threads)],
    (found) => broken(found),
  );
  return {
    learn: (order, signal, heard) =>
      helper.run<Learned>(order, {
        ...{ milliseconds: SECONDS * 1000, tooSlow: () => broken(`one that took more than ${SECONDS / 3600} hours`) },
        ...{ signal, heard },
      }),
    open: (model) => analyserProcess({ ...networks, model }),
    dispose: () => helper.close(),
  };
}

const broken = (found: string) =>
  new AndroscopeError("learning/failed", {
    expected: "a learning that comes to its end",
    found,
    fix: "Try it again; if it fails again, report it with the number of heads.",
  });
