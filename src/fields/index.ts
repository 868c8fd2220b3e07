export { Analyser, type AnalyserOptions } from "./analyser.ts";
export { BUNDLED_CONFUSION, loadConfusion } from "./confusion-file.ts";
export {
  type Confusion,
  type CorrectedShare,
  type Correction,
  correctedShares,
  requireConfusion,
} from "./correction.ts";
export { classOf, countHeads, type HeadCounts, isCounted, normalClassOf } from "./counts.ts";
export {
  BUNDLED_CRITERIA,
  type Criteria,
  type Judgement,
  judge,
  type Limit,
  loadCriteria,
  overall,
  parseCriteria,
  type Verdict,
} from "./criteria.ts";
export { BUNDLED_DETECTOR, type KeptDetector, readDetector, writeDetector } from "./detection/detector-file.ts";
export { estimateFrom, type LearnFieldsOptions, learnFields } from "./detection/learn-fields.ts";
export { type CocoDocument, coco } from "./exports/coco.ts";
export { type Colour, colourOf } from "./exports/colours.ts";
export { type GeoJsonCollection, type GeoJsonOptions, geoJson } from "./exports/geojson.ts";
export { headsCsv } from "./exports/heads-csv.ts";
export { fixed, measureCells, micrometreCells } from "./exports/measure-cells.ts";
export { outputStems } from "./exports/names.ts";
export { type OverlayOptions, overlay } from "./exports/overlay.ts";
export { type AnalysedPicture, type AnalysedSample, RESEARCH_USE } from "./exports/sample.ts";
export { limitCounts, type SummaryDocument, summaryDocument, summaryText } from "./exports/summary.ts";
export { type HeadVerdict, verdictOf } from "./exports/verdicts.ts";
export { type ExportOptions, writeExports } from "./exports/write.ts";
export type { AnalyserDescription, Analysis, FoundHead, FoundState, Outline, RefusalReason } from "./head.ts";
export { type Micrometres, micrometres } from "./measures.ts";
export { type Agreement, type Counted, compareReplicates } from "./replicates.ts";
export { countSample, filesOfPicture, type SampleCount, type SampleCountOptions } from "./sample-count.ts";
export {
  type ClassShare,
  ENOUGH_HEADS,
  type SampleOptions,
  type SampleStatistics,
  type SampleWarning,
  sampleStatistics,
} from "./statistics.ts";
