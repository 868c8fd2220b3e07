export { foldsInPool, foldsInWorkers } from "./folds.ts";
export { type PoolHooks, WorkerPool } from "./pool.ts";
export type { Task, TaskInputs, TaskKind } from "./task.ts";
export { type Workers, workersFor } from "./workers.ts";
