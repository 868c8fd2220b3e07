export { type ReportCrop, type RunReportData, renderRunReport } from "./run-report.ts";
