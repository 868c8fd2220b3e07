export * from "./decode.ts";
export * from "./distance.ts";
export * from "./encode.ts";
export * from "./filters.ts";
export type * from "./image.ts";
export * from "./regions.ts";
export * from "./tiff.ts";
export * from "./transform.ts";
export * from "./window.ts";
