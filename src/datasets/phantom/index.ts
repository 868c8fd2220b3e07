export { phantomDataset, writePhantomDataset } from "./dataset.ts";
export { type PhantomField, type PhantomFieldHead, phantomField } from "./field.ts";
export {
  generatePhantom,
  generatePhantoms,
  type Phantom,
  type PhantomOptions,
  type PhantomSetOptions,
  phantomOf,
} from "./generate.ts";
export { halfWidth, PHANTOM_CLASSES, type PhantomClass, type Shape, shapeArea } from "./shapes.ts";
export { STAND_INS_MARK, standInOf, writeStandIns } from "./stand-ins.ts";
