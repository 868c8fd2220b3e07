/** The folds of a cross-validation as tasks of a pool. */
import { type FoldsRun, type FoldTask, foldsInTurn, isFoldDistilled } from "../evaluation/index.ts";
import { hashOf } from "../runs/index.ts";
import { WorkerPool } from "./pool.ts";
import type { Task } from "./task.ts";
import { trainingBytes, type Workers, workersFor } from "./workers.ts";

type RunFolds = (tasks: readonly FoldTask[], run: FoldsRun) => Promise<void>;

/** For a cross-validation's `runFolds`: so many processes, or with one, this one. */
export function foldsInWorkers(workers: Workers): RunFolds {
  return async (folds, run) => {
    const { set, progress } = run.place;
    const [{ config, threads } = { config: undefined, threads: 1 }] = folds;
    if (!config) return;
    const count = workersFor(workers, { tasks: folds.length, threads, bytes: trainingBytes(config, set) });
    if (count === 1) return foldsInTurn(folds, run);
    await foldsInPool(new WorkerPool({ workers: count, progress }))(folds, run);
  };
}

/** The same in a pool that others may use, too: several cross-validations at a time share its workers. */
export function foldsInPool(pool: WorkerPool): RunFolds {
  return async (folds, { place, started, restarted, finished }) => {
    const { folder } = place;
    const foldOf = new Map<string, FoldTask>();
    const first: Task[] = [];
    const second: Task[] = [];
    for (const task of folds) {
      const id = hashOf(task);
      foldOf.set(id, task);
      const { config, fold } = task;
      const stage1 = `${id} stage 1`;
      const distilled = isFoldDistilled(folder, task);
      if (!distilled) {
        foldOf.set(stage1, task);
        first.push({
          kind: "distill-fold",
          id: stage1,
          label: `fold ${fold}, stage 1`,
          input: { task, folder },
          units: config.distill.steps,
        });
      }
      second.push({
        kind: "fold",
        id,
        label: `fold ${fold}, stage 2`,
        input: { task, folder },
        units: config.tune.steps,
        ...(distilled ? {} : { after: stage1 }),
      });
    }
    // Halves of folds, the longer first: whole folds would leave workers idle at the end, as five on two workers do.
    const begun = new Set<FoldTask>();
    await pool.run([...first, ...second], {
      started: async ({ id }) => {
        const fold = foldOf.get(id)!;
        if (begun.has(fold)) return;
        begun.add(fold);
        await started(fold);
      },
      restarted: ({ id, label }, how) => restarted(foldOf.get(id)!, `${label}: its process ${how}`),
      finished: async ({ kind, id }) => {
        if (kind === "fold") await finished(foldOf.get(id)!);
      },
    });
  };
}
