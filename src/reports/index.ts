export type {
  CalibrationPoint,
  ClassFigures,
  CoveragePoint,
  Estimate,
  FoldFigures,
  Grouping,
  Outlines,
  ReportCrop,
  RunReportData,
} from "./data.ts";
export { escapeHtml, median } from "./html.ts";
export { pictureOf, softOutlines } from "./picture.ts";
export { renderRunReport } from "./run-report.ts";
