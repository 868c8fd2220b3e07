/** The helper process of learnings. Started by process.ts, never by hand. */
import type { NetworkOptions } from "../analysis/networks.ts";
import { serveOrders } from "../child.ts";
import type { LearningOrder } from "./learner.ts";
import { learn } from "./networks.ts";

const [networks, threads] = process.argv.slice(2) as [string, string];

serveOrders((order: LearningOrder, tell) =>
  learn(order, JSON.parse(networks) as NetworkOptions, Number(threads), tell),
);
