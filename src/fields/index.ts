export { Analyser, type AnalyserOptions } from "./analyser.ts";
export { BUNDLED_DETECTOR, type KeptDetector, readDetector, writeDetector } from "./detector-file.ts";
export type { Analysis, AnalyserDescription, FoundHead, FoundState, Outline, RefusalReason } from "./head.ts";
export { estimateFrom, type LearnFieldsOptions, learnFields } from "./learn-fields.ts";
