/** An analyser in a process of its own, so that the server keeps answering, and outlives what crashes in native code. */
import { availableParallelism } from "node:os";
import type { AnalyserDescription } from "../../fields/index.ts";
import { AndroscopeError } from "../../runs/index.ts";
import type { ImageKind } from "../api.ts";
import { Helper } from "../child.ts";
import type { Analyser, KnownHeads, Opinion, ScaledAnalysis } from "./analyser.ts";
import type { NetworkOptions } from "./networks.ts";

export type AnalysisOrder =
  | { do: "describe" }
  | { do: "analyse"; path: string; kind: ImageKind; scaleFrom?: readonly string[] }
  | { do: "judge"; known: KnownHeads };

/** Far more than an analysis takes on a slow machine: what takes longer hangs. */
const SECONDS: Record<ImageKind, number> = { crop: 120, field: 1800 };
const LOADING_SECONDS = 120;

/** Starts it and loads the networks. @throws `model/*`, `detector/*`, `file/*` */
export async function analyserProcess(networks: NetworkOptions): Promise<Analyser> {
  // One core is left to the server and the browser.
  const threads = Math.max(1, availableParallelism() - 1);
  const helper = new Helper(
    new URL("./helper.ts", import.meta.url),
    [JSON.stringify(networks), String(threads)],
    crashed,
  );
  const limit = (seconds: number) => ({ milliseconds: seconds * 1000, tooSlow: () => tooSlow(seconds) });
  try {
    const { kinds, settings, description } = await helper.run<{
      kinds: readonly ImageKind[];
      settings?: Readonly<Record<string, string>>;
      description: AnalyserDescription;
    }>({ do: "describe" } satisfies AnalysisOrder, limit(LOADING_SECONDS));
    return {
      kinds,
      ...(settings ? { settings } : {}),
      describe: () => description,
      analyse: (path, kind, signal, scaleFrom) =>
        helper.run<ScaledAnalysis>(
          { do: "analyse", path, kind, ...(scaleFrom ? { scaleFrom } : {}) } satisfies AnalysisOrder,
          {
            ...limit(SECONDS[kind]),
            signal,
          },
        ),
      judge: (known, signal) =>
        helper.run<(Opinion | undefined)[]>({ do: "judge", known } satisfies AnalysisOrder, {
          ...limit(SECONDS[known.kind]),
          signal,
        }),
      dispose: () => helper.close(),
    };
  } catch (error) {
    helper.close();
    throw error;
  }
}

const crashed = (how: string) =>
  new AndroscopeError("analysis/failed", {
    expected: "an analysis that comes to its end",
    found: how,
    fix: "Try it again; if it fails again, report it with the image's size and format.",
  });

const tooSlow = (seconds: number) =>
  new AndroscopeError("analysis/too-slow", {
    expected: `an analysis within ${seconds} s`,
    found: "one that took longer",
    fix: "Try it again when the machine has less to do, or cut the photograph into parts.",
  });
