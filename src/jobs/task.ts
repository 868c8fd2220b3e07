/**
 * Tasks: pieces of work that any process can do, since everything a result depends on is in one plain document. A task
 * leaves its result in files of its own, as a whole; done twice, elsewhere or again after a crash it leaves the same.
 */
import type { FoldTask } from "../evaluation/index.ts";

/** What workers can do, and what they need for it. `perform.ts` does it. */
export interface TaskInputs {
  /** Stage 1 of a fold. */
  "distill-fold": { task: FoldTask; folder: string };
  /** A whole fold, or what stage 1 left to do. */
  fold: { task: FoldTask; folder: string };
}

export type TaskKind = keyof TaskInputs;

export type Task = {
  [Kind in TaskKind]: {
    kind: Kind;
    /** Names the task in its pool; the same for the same result. */
    id: string;
    /** For people: "fold 3, stage 1". */
    label: string;
    /** Plain data: it travels to another process as JSON. */
    input: TaskInputs[Kind];
    /** How much work it is, in the units in which it tells its progress. */
    units: number;
    /** The task, of the same call, that must be done before. */
    after?: string;
  };
}[TaskKind];
