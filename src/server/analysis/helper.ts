/** The helper process of analyses. Started by process.ts, never by hand. Loads the model once. */
import { serveOrders } from "../child.ts";
import type { Analyser } from "./analyser.ts";
import { type NetworkOptions, networkAnalyser } from "./networks.ts";
import type { AnalysisOrder } from "./process.ts";

const [networks, threads] = process.argv.slice(2) as [string, string];
let analyser: Promise<Analyser> | undefined;

serveOrders(async (order: AnalysisOrder) => {
  analyser ??= networkAnalyser(JSON.parse(networks) as NetworkOptions, Number(threads));
  const ready = await analyser;
  if (order.do === "describe") return { kinds: ready.kinds, settings: ready.settings, description: ready.describe() };
  if (order.do === "judge") return ready.judge(order.known, new AbortController().signal);
  return ready.analyse(order.path, order.kind, new AbortController().signal, order.scaleFrom);
});
