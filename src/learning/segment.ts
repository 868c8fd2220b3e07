/**
 * From a crop to its mask, its pose and its background colour, as one graph: what stage 1 learned, applied. It runs by
 * itself between the stages and inside the exported model, so both see the same poses.
 */
import {
  abs,
  add,
  concat,
  constant,
  div,
  greaterOrEqual,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  reshape,
  type Scope,
  scale,
  sigmoid,
  slice,
  sqrt,
  sub,
  sum,
  type Tensor,
  where,
} from "../autodiff/index.ts";
import type { Config } from "./config.ts";
import { decode, encode } from "./network.ts";
import { type Crops, channelsLast, halfTurn, movedBy, readCropPlanes } from "./planes.ts";
import { crop, UNPERTURBED, viewMap } from "./views.ts";

/** What the data decides and the model keeps. */
export interface Geometry {
  /** Side in pixels of the window that stage 1 sees, about the crop's centre. */
  readonly frameExtent: number;
  /** Side in pixels of the posed window that stage 2 sees. */
  readonly viewExtent: number;
  /** Mean and deviation of the three colours over the training crops, in [0, 1]. */
  readonly colourMean: readonly [number, number, number];
  readonly colourDeviation: number;
}

export interface Segmentation {
  /** [N, S, S, 1] probabilities in the frame. */
  mask: Tensor;
  distance: Tensor;
  acrosome: Tensor;
  /** [N, 2] pixels. */
  centre: Tensor;
  /** [N, 2] unit vector towards the tail. */
  axis: Tensor;
  /** [N, 2] length and width in pixels, of the ellipse with the mask's second moments. */
  extents: Tensor;
  /** [N, 1] how clearly acrosome and stain tell the tail's end: their distance along the axis over its deviation. */
  direction: Tensor;
  /** [N, 1] IoU of the masks of the upright and the upside-down view: does the network agree with itself? */
  agreement: Tensor;
  /** [N, 3] mean colour outside the mask, 0 to 255. */
  background: Tensor;
}

/** Colours 0 to 255 of planes [N, 3, S, S] → about unit variance around the training crops' mean. */
export function normaliseColour(planes: Tensor, { colourMean, colourDeviation }: Geometry): Tensor {
  const middle = constant(
    colourMean.map((c) => c * 255),
    [1, 3, 1, 1],
  );
  return scale(sub(planes, middle), 1 / (255 * colourDeviation));
}

/**
 * The colours of views, centred: on the training mean, or on each crop's own background.
 * @param planes [N, 3, S, S] @param background [N, 3]
 */
export function viewColours(planes: Tensor, background: Tensor, geometry: Geometry, colour: Config["colour"]): Tensor {
  if (colour === "absolute") return normaliseColour(planes, geometry);
  return scale(sub(planes, reshape(background, [-1, 3, 1, 1])), 1 / (255 * geometry.colourDeviation));
}

/** Predicts mask, parts and pose of crops. `scope` is the root whose "encoder" and "decoder" stage 1 trained. */
export function segment(scope: Scope, crops: Crops, geometry: Geometry, network: Config["network"]): Segmentation {
  const { sizes } = crops;
  const side = network.viewSize;
  const half = geometry.frameExtent / 2;
  // The frame is the same window for every crop, about its own centre: a constant map plus half the crop's size.
  const [a, b, , c, d] = viewMap(crop(0, 0), geometry.frameExtent, UNPERTURBED);
  const frame = add(constant([a, b, 0, c, d, 0], [1, 1, 2, 3]), movedBy(scale(sizes, 0.5)));
  const colours = readCropPlanes(crops, frame, side);
  const upright = normaliseColour(colours, geometry);
  // The second view is the same window turned by half a turn; averaging both steadies the mask and shows doubt.
  const views = channelsLast(concat([upright, halfTurn(upright)], 0));
  const features = encode(scope.sub("encoder"), views, network, geometry);
  const predicted = decode(scope.sub("decoder"), features, network);

  // From here on every map is a plane, [N, 1, S, S].
  const both = (map: Tensor) => {
    const pair = reshape(map, [2, -1, side, side]);
    const view = (index: number) => reshape(slice(pair, [index], [index + 1], [0]), [-1, 1, side, side]);
    return [view(0), halfTurn(view(1))] as const;
  };
  const mean = ([first, second]: readonly [Tensor, Tensor]) => scale(add(first, second), 0.5);
  const maskLogits = both(predicted.mask);
  const [p, q] = maskLogits.map(sigmoid) as [Tensor, Tensor];
  const logit = mean(maskLogits);
  const mask = sigmoid(logit);
  const acrosome = mul(sigmoid(mean(both(predicted.acrosome))), mask);

  const total = (x: Tensor) => sum(x, [1, 2, 3]);
  const column = (x: Tensor) => reshape(x, [-1, 1]);
  const agreement = div(add(total(minimum(p, q)), 1e-3), add(total(maximum(p, q)), 1e-3));

  // Moments of the mask, its soft edge sharpened so that far, faint probabilities do not pull.
  const weights = sigmoid(scale(logit, 3));
  const axisOf = (values: (row: number, column: number) => number) =>
    constant(
      Array.from({ length: side * side }, (_, i) => values(Math.floor(i / side), i % side)),
      [1, 1, side, side],
    );
  const u = axisOf((_, column) => (2 * column + 1) / side - 1);
  const v = axisOf((row) => (2 * row + 1) / side - 1);
  const mass = add(total(weights), 1e-3);
  const moment = (x: Tensor) => div(total(mul(weights, x)), mass);
  const meanU = moment(u);
  const meanV = moment(v);
  const varianceU = sub(moment(mul(u, u)), mul(meanU, meanU));
  const varianceV = sub(moment(mul(v, v)), mul(meanV, meanV));
  const covariance = sub(moment(mul(u, v)), mul(meanU, meanV));

  // Eigenvalues and the major axis of the 2×2 covariance in closed form; ONNX has no arc tangent of two arguments.
  const middle = scale(add(varianceU, varianceV), 0.5);
  const difference = scale(sub(varianceU, varianceV), 0.5);
  const spread = sqrt(add(add(mul(difference, difference), mul(covariance, covariance)), 1e-12));
  const cosine = sqrt(maximum(scale(add(1, div(difference, spread)), 0.5), 0));
  const sineSize = sqrt(maximum(scale(sub(1, div(difference, spread)), 0.5), 0));
  const sine = where(greaterOrEqual(covariance, 0), sineSize, neg(sineSize));
  const major = sqrt(add(middle, spread));
  const minor = sqrt(maximum(sub(middle, spread), 1e-9));

  const outside = sub(1, mask);
  const background = div(sum(mul(colours, outside), [2, 3]), add(column(total(outside)), 1e-3));

  // Two signs of the tail's end: the acrosome caps the other one, and stain is darker there. Where the network has not
  // learned the acrosome well, its centre is near the head's and the stain decides.
  const stain = mul(relu(sub(reshape(background, [-1, 3, 1, 1]), colours)), weights);
  const along = (map: Tensor) => {
    const amount = add(total(map), 1e-3);
    return add(
      mul(sub(div(total(mul(map, u)), amount), meanU), cosine),
      mul(sub(div(total(mul(map, v)), amount), meanV), sine),
    );
  };
  const towardsTail = sub(along(sum(stain, [1], { keepDims: true })), along(acrosome));
  const flip = where(greaterOrEqual(towardsTail, 0), constant(1), constant(-1));
  const axis = concat([column(mul(cosine, flip)), column(mul(sine, flip))], 1);
  const offset = concat([column(meanU), column(meanV)], 1);

  const inFrame = (map: Tensor) => reshape(map, [-1, side, side, 1]);
  return {
    mask: inFrame(mask),
    distance: inFrame(mean(both(predicted.distance))),
    acrosome: inFrame(acrosome),
    centre: add(scale(sizes, 0.5), scale(offset, half)),
    axis,
    extents: scale(concat([column(major), column(minor)], 1), 4 * half),
    direction: column(div(abs(towardsTail), add(major, 1e-6))),
    agreement: column(agreement),
    background,
  };
}
