export { type AdaptedModel, adaptModel } from "./adapt-model.ts";
export {
  type Adaptation,
  adaptLastLayer,
  compareModels,
  type JudgedHead,
  LEAST_TO_ADAPT,
  type ModelComparison,
  type ReviewedHead,
} from "./adaptation.ts";
export { ALTERATIONS, type AlterationName } from "./alterations.ts";
export { bootstrap } from "./bootstrap.ts";
export { calibrateFolds, fitTemperature, withTemperature } from "./calibration.ts";
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
export { chooseInside, type InnerScores, nestedAccuracies } from "./nested.ts";
export { cohenKappa, fleissKappa, type RaterSummary, summarizeRaters } from "./raters.ts";
export {
  ALTERATION_NAMES,
  type AlteredPredictions,
  type RobustnessRow,
  robustnessRows,
  type TestedImage,
  testRobustness,
} from "./robustness.ts";
export {
  drawFolds,
  foldPerGroup,
  type HeldOutSplit,
  officialSplit,
  publishedFolds,
  type SplitOptions,
} from "./splits.ts";
export {
  configOf,
  hitsOf,
  packProbabilities,
  probabilitiesOf,
  runStudy,
  type Study,
  type StudyEntry,
  type StudyResults,
  type StudyRow,
  type StudyRun,
} from "./study.ts";
export { type RowSummary, summarizeStudy } from "./study-summary.ts";
export { changedTraining, type TrainingChange } from "./training-change.ts";
