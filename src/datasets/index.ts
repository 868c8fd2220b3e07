export type * from "./dataset.ts";
export { hashFile, isImageName, listImages } from "./files.ts";
export { formatManifest } from "./manifest.ts";
export { type OpenOptions, openDataset, requireTrainable } from "./open.ts";
