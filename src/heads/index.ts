export { PARTS, type Pose, parts, pose } from "./anatomy.ts";
export { refineBoundary } from "./boundary.ts";
export { backgroundColour, type Contrast, contrast } from "./contrast.ts";
export { type Morphometry, morphometry } from "./morphometry.ts";
export {
  ACCEPTED_RELIABILITY,
  DEFAULT_OPTIONS,
  type Gates,
  type HeadMask,
  intersectionOverUnion,
  type PseudoMaskOptions,
  pseudoMask,
} from "./pseudomask.ts";
export { splitTouching } from "./touching.ts";
export { type Vacuoles, vacuoles } from "./vacuoles.ts";
