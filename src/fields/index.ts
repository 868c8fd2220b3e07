export type { AnalyserDescription, Analysis, FoundHead, FoundState, Outline, RefusalReason } from "./head.ts";
