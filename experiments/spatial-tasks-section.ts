/** What each spatial task of stage 1 earns, as Markdown. */
import { isDeepStrictEqual } from "node:util";
import { type Config, defaultConfig } from "../src/learning/index.ts";
import { mean, percent } from "./sections.ts";

/** One run of spatial-tasks.ts; numbers of training images over folds and repeats. */
export interface TaskCount {
  tasks: Config["distill"]["tasks"];
  seed: number;
  /** Without a label, where 90 % are hidden; of these stage 1's features find the published one. */
  unlabelled: number;
  spread: number;
  /** A fifth of the labels flipped; of these images the published one comes out. */
  labels: number;
  refined: number;
  /** Test images; their masks against stage 0's, median Dice. */
  heads: number;
  dice: number;
  /** Of test images: degrees between the pose in the turned crop and the pose turned, median; and more than 90 of them. */
  turn: number;
  reversed: number;
}

const WORDS = { distance: "distance", parts: "acrosome", rotation: "rotation" } as const;

const furtherOf = (tasks: TaskCount["tasks"]) =>
  (Object.keys(WORDS) as (keyof typeof WORDS)[]).filter((task) => tasks[task] > 0);

function named(tasks: TaskCount["tasks"]): string {
  const further = furtherOf(tasks);
  const name = further.length === 3 ? "all four" : ["mask", ...further.map((task) => WORDS[task])].join(", ");
  return isDeepStrictEqual(tasks, defaultConfig.distill.tasks) ? `${name}: the default` : name;
}

export function spatialTasksSection(counts: readonly TaskCount[]): string {
  const fewFirst = counts.toSorted((a, b) => furtherOf(a.tasks).length - furtherOf(b.tasks).length);
  const groups = Map.groupBy(fewFirst, ({ tasks }) => named(tasks));
  return [
    "| tasks of stage 1 | seed | nine labels in ten hidden: found by its features | a fifth flipped: right when refined | unseen heads: mask against stage 0's, median Dice | turned by a quarter: error of the pose, median | the other way round |",
    "|---|---|---|---|---|---|---|",
    ...[...groups].map(([name, of]) => {
      const total = (key: "unlabelled" | "spread" | "labels" | "refined" | "reversed" | "heads") =>
        of.reduce((sum, count) => sum + count[key], 0);
      const cells = [
        of.map(({ seed }) => seed).join(", "),
        percent(total("spread") / total("unlabelled")),
        percent(total("refined") / total("labels")),
        mean(of.map(({ dice }) => dice)).toFixed(3),
        `${mean(of.map(({ turn }) => turn)).toFixed(1)}°`,
        `${total("reversed")} of ${total("heads")}`,
      ];
      return `| ${name} | ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}
