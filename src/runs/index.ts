export * from "./arrays.ts";
export * from "./csv.ts";
export * from "./errors.ts";
export * from "./files.ts";
export * from "./progress.ts";
export * from "./random.ts";
export * from "./run-folder.ts";
export * from "./version.ts";
