export { type Checked, checkImages, type ImageFacts } from "./check.ts";
export type * from "./dataset.ts";
export { type Description, describeDataset } from "./describe.ts";
export { hashFile, isImageName, listImages, problemOf, requireEmptyFolder } from "./files.ts";
export { type ImportResult, importPublicSet } from "./import.ts";
export { formatManifest } from "./manifest.ts";
export { combinedClasses, MHSMA_STRUCTURES, type MhsmaOptions } from "./mhsma.ts";
export { type OpenOptions, openDataset, requireStillTrainable, requireTrainable } from "./open.ts";
export {
  generatePhantom,
  generatePhantoms,
  PHANTOM_CLASSES,
  type Phantom,
  type PhantomField,
  phantomDataset,
  phantomField,
  phantomOf,
  writePhantomDataset,
  writeStandIns,
} from "./phantom/index.ts";
export { licenceOf, PUBLIC_SETS } from "./publicSets.ts";
export { SCIAN_CLASSES } from "./scian-votes.ts";
