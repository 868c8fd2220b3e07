/** Configurations that the method is compared with, the same in every study. */

/** The network by itself: the paper's method as far as it is known. The default has a probe on wavelets beside it. */
export const NETWORK = { wavelets: null };

/** From scratch on posed heads, background and all. */
export const POSED = { ...NETWORK, initialise: "scratch", pooling: "average", suppress: { enabled: false } };

/** From scratch on whole crops. A crop that is not posed has no upright: at test it is seen from four sides and mirrored. */
export const RAW = { ...POSED, pose: false, testViews: { mirror: true, rotations: [0, 90, 180, 270] } };

/** The class that each was mistaken for most often by the network, over three seeds, when this was set. */
export const ALIKE = { Normal: "Pyriform", Tapered: "Pyriform", Pyriform: "Amorphous", Amorphous: "Pyriform" };

/** A probe on wavelets that learns every head as it is alone; the default's learns it out of focus, too. */
export const IN_FOCUS = { blur: [] };

/** A linear probe on wavelets alone: of stage 2 one step and no part. Nothing in it is learned but a ridge regression. */
export const WAVELETS_ALONE = { wavelets: { ...IN_FOCUS, share: 1 }, steps: 1 };
