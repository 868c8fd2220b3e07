export type { Analyser } from "./analysis/analyser.ts";
export { analyserProcess } from "./analysis/process.ts";
export { type App, type AppOptions, startApp } from "./app.ts";
export { isLoopback } from "./http/guard.ts";
export { learnerProcess } from "./learnings/process.ts";
export { buildPage, type PageBuild } from "./page-build.ts";
export { type Verification, verifyFolder } from "./store/verify.ts";
