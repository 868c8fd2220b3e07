/** Does a task, in whatever process. */
import { join } from "node:path";
import { distillFold, type FoldPlace, type FoldTask, runFold } from "../evaluation/index.ts";
import { keptInit, type PreparedSet, unpackPrepared } from "../learning/index.ts";
import { type Progress, readArrays } from "../runs/index.ts";
import type { Task, TaskInputs, TaskKind } from "./task.ts";

type Performer<Kind extends TaskKind> = (input: TaskInputs[Kind], progress: Progress) => Promise<void>;

const PERFORMERS: { [Kind in TaskKind]: Performer<Kind> } = {
  "distill-fold": async ({ task, folder }, progress) => distillFold(task, await placeFor(task, folder, progress)),
  fold: async ({ task, folder }, progress) => runFold(task, await placeFor(task, folder, progress)),
};

export function perform<Kind extends TaskKind>(
  { kind, input }: { kind: Kind; input: TaskInputs[Kind] } & Pick<Task, "id">,
  progress: Progress,
): Promise<void> {
  return PERFORMERS[kind](input, progress);
}

/** The run's owner has written crops and first weights down: read, not made again. */
async function placeFor({ init }: FoldTask, folder: string, progress: Progress): Promise<FoldPlace> {
  const set: PreparedSet = unpackPrepared(await readArrays(join(folder, "checkpoint", "prepared.bin")));
  return { folder, set, ...(init ? { init: await keptInit(folder) } : {}), progress };
}
