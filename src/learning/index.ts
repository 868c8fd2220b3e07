export { type Config, configSchema, defaultConfig, loadConfig, resolveConfig } from "./config.ts";
export { type Classified, classify, type MaskQuality, type Trained, type TrainingTask, train } from "./fold.ts";
export { exportModel, Model, MODEL_FORMAT, MODEL_OUTPUTS, type ModelMetadata, type Prediction, writeModel } from "./model.ts";
export { acrosomeOf, cropOf, packPrepared, type PreparedSet, prepare, pseudoMaskOf, unpackPrepared } from "./prepare.ts";
export { frameToCrop } from "./segmenter.ts";
export type { CurvePoint } from "./training.ts";
export { type TrainFinalResult, trainFinal } from "./final.ts";
