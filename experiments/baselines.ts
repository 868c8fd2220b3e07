/** Configurations that the method is compared with, the same in every study. */

/** From scratch on posed heads, background and all. */
export const POSED = { initialise: "scratch", pooling: "average", suppress: { enabled: false } };

/** From scratch on whole crops. A crop that is not posed has no upright: at test it is seen from four sides and mirrored. */
export const RAW = { ...POSED, pose: false, testViews: { mirror: true, rotations: [0, 90, 180, 270] } };

/** The class that each is mistaken for most often by the default method (docs/results.md). */
export const ALIKE = { Normal: "Pyriform", Tapered: "Pyriform", Pyriform: "Amorphous", Amorphous: "Pyriform" };

/** A probe on wavelets that learns every head in focus and out of it: the default's view is about as fine as a crop. */
export const WAVELETS_OUT_OF_FOCUS = { blur: [1, 2] };

/** A linear probe on wavelets alone: of stage 2 one step and no part. Nothing in it is learned but a ridge regression. */
export const WAVELETS_ALONE = { wavelets: { share: 1 }, steps: 1 };
