export { type Acceptance, acceptanceSchema, fitAcceptance, type Refusal, refusalOf } from "./acceptance.ts";
export { BUNDLED_MODEL } from "./bundled.ts";
export { colourGains, drawColourMix, recolouring } from "./colours.ts";
export {
  type Config,
  configSchema,
  defaultConfig,
  initServesStage1,
  networkForInit,
  probeNetwork,
  resolveConfig,
  tunedNetwork,
} from "./config.ts";
export { DEVICE_CHOICES, type DeviceChoice, inWords, usableDevice } from "./device.ts";
export { type TrainFinalResult, trainFinal } from "./final.ts";
export {
  type Classified,
  classify,
  colourStatistics,
  distillAhead,
  distilledFile,
  isDistilled,
  type MaskQuality,
  type Trained,
  type TrainingTask,
  train,
} from "./fold.ts";
export { headFeatures } from "./head-features.ts";
export {
  type EncoderInit,
  initRequired,
  keepInit,
  keptInit,
  networkOfInit,
  readInit,
  requireInit,
} from "./imagenet.ts";
export { doubted, type LabelOpinion, labelsCsv, likeliest, meanOpinions } from "./label-opinions.ts";
export { REFINEMENT, type RefinementSettings, refineLabels } from "./label-refinement.ts";
export {
  type LastLayer,
  LastLayerLearner,
  lastLayer,
  logProbabilities,
  type ReviewedFeatures,
  withLastLayer,
} from "./last-layer.ts";
export { loadConfig, withNetwork } from "./load-config.ts";
export {
  exportModel,
  MODEL_FORMAT,
  MODEL_OUTPUTS,
  Model,
  type ModelMetadata,
  type Prediction,
  writeModel,
} from "./model.ts";
export { decode, encode } from "./network.ts";
export { channelsLast, cropPlanes, readCropPlanes } from "./planes.ts";
export { viewExtentOf } from "./posed.ts";
export { type PredictedFiles, type PredictFilesOptions, predictFiles } from "./predict-files.ts";
export { type FilePrediction, measure } from "./predictions.ts";
export {
  acrosomeOf,
  cropOf,
  type PreparedSet,
  packPrepared,
  prepare,
  preparedFor,
  pseudoMaskOf,
  unpackPrepared,
} from "./prepare.ts";
export { probeNumbers } from "./probe.ts";
export { batchSampler } from "./schedule.ts";
export { frameToCrop, type SegmentedHead, Segmenter } from "./segmenter.ts";
export { averaged, type CurvePoint, removeCheckpoint, trainLoop } from "./training.ts";
export { crop, viewMap } from "./views.ts";
