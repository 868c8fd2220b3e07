export { type CrossvalOptions, type CrossvalResult, type CrossvalRun, crossValidate } from "./crossval.ts";
export { writeCrossvalReport } from "./crossval-report.ts";
export { type Environment, environment } from "./environment.ts";
export {
  distillFold,
  type FoldPlace,
  type FoldsRun,
  type FoldTask,
  foldsInTurn,
  isFoldDistilled,
  runFold,
} from "./fold-task.ts";
export * from "./metrics.ts";
export { drawFolds, publishedFolds, type SplitOptions } from "./splits.ts";
