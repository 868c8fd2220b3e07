/** Convolution, pooling and resampling of images: random kernels, strides, dilations, paddings, odd and even sizes. */
import fc from "fast-check";
import { type ConvOptions, conv2d } from "../convolution.ts";
import { square } from "../elementwise.ts";
import { avgPool2d, globalAveragePool, maxPool2d, upsample2x } from "../pooling.ts";
import { affineGrid } from "../sampling.ts";
import { input, variable } from "../tensor.ts";
import { type Example, POLYNOMIAL } from "./differences.ts";
import { type OpCase, opCase, size, trackedOfTwo } from "./properties.ts";
import { at, convolve, forEachIndex, pool } from "./reference.ts";

const batch = fc.integer({ min: 1, max: 3 });
const channels = fc.integer({ min: 1, max: 5 });
const kernel = fc.constantFrom(1, 2, 3, 3, 5, 7);

export interface ConvParameters {
  n: number;
  h: number;
  w: number;
  c: number;
  k: number;
  kh: number;
  kw: number;
  stride: number;
  dilation: number;
  padding: "same" | "same-upper" | number;
  tracked: readonly boolean[];
}

const fits = ({ h, w, kh, kw, dilation, padding }: ConvParameters) => {
  if (padding === "same-upper") return true;
  if (padding === "same") return kh % 2 === 1 && kw % 2 === 1;
  return h + 2 * padding > dilation * (kh - 1) && w + 2 * padding > dilation * (kw - 1);
};

/** Anything that conv2d takes. One kernel in four is not square. */
export const convParameters: fc.Arbitrary<ConvParameters> = fc
  .record({
    n: batch,
    h: fc.integer({ min: 1, max: 9 }),
    w: fc.integer({ min: 1, max: 9 }),
    c: channels,
    k: channels,
    kh: kernel,
    other: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: kernel }),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    padding: fc.constantFrom<ConvParameters["padding"][]>("same", "same", "same-upper", 0, 1, 2),
    tracked: trackedOfTwo(),
  })
  .map(({ other, ...rest }) => ({ ...rest, kw: other || rest.kh }))
  .filter(fits);

/** What networks are made of most: square kernels, no dilation, sizes that strides divide. */
const usual: fc.Arbitrary<ConvParameters> = fc
  .record({
    n: batch,
    half: fc.constantFrom([1, 1], [2, 2], [2, 1], [3, 2], [4, 4]),
    c: channels,
    k: channels,
    kh: fc.constantFrom(1, 3),
    stride: fc.constantFrom(1, 1, 2),
    padding: fc.constantFrom<ConvParameters["padding"][]>("same", "same-upper"),
    tracked: trackedOfTwo(),
  })
  .map(({ half, kh, ...rest }) => ({ ...rest, h: 2 * half[0]!, w: 2 * half[1]!, kh, kw: kh, dilation: 1 }));

export const optionsOf = ({ stride, dilation, padding }: ConvParameters): ConvOptions => ({
  stride,
  dilation,
  padding,
});

const convExample = (p: ConvParameters): Example => {
  const x = (p.tracked[0] ? variable : input)("x", [p.n, p.h, p.w, p.c]);
  const w = (p.tracked[1] ? variable : input)("w", [p.kh, p.kw, p.c, p.k]);
  return {
    given: [{ tensor: x }, { tensor: w }],
    y: conv2d(x, w, optionsOf(p)),
    reference: (image, weights) => convolve(image!, x.shape, weights!, w.shape, optionsOf(p)),
    ...POLYNOMIAL,
  };
};

const depthwiseExample = (p: ConvParameters): Example => {
  const x = (p.tracked[0] ? variable : input)("x", [p.n, p.h, p.w, p.c]);
  const w = (p.tracked[1] ? variable : input)("w", [p.kh, p.kw, 1, p.c]);
  const options = { ...optionsOf(p), groups: p.c };
  return {
    given: [{ tensor: x }, { tensor: w }],
    y: conv2d(x, w, options),
    reference: (image, weights) => convolve(image!, x.shape, weights!, w.shape, options),
    ...POLYNOMIAL,
  };
};

const maxPoolParameters = fc
  .record({
    n: batch,
    h: fc.integer({ min: 1, max: 8 }),
    w: fc.integer({ min: 1, max: 8 }),
    c: channels,
    window: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.nat({ max: 2 }),
  })
  // A window must not lie in the padding alone.
  .filter(({ h, w, window, padding }) => padding < window && Math.min(h, w) + 2 * padding >= window);

const blocks = fc.record({ n: batch, i: batch, j: batch, c: channels, block: fc.integer({ min: 1, max: 4 }) });

export const imageCases: readonly OpCase[] = [
  opCase("conv2d", convParameters, convExample, { runs: 120 }),
  opCase("conv2d", usual, convExample, { runs: 50 }),
  opCase("conv2d", convParameters, depthwiseExample, { runs: 60 }),
  opCase(
    "maxPool2d",
    maxPoolParameters,
    ({ n, h, w, c, window, stride, padding }) => {
      const x = variable("x", [n, h, w, c]);
      const options = { size: window, stride, padding };
      return {
        given: [{ tensor: x, lattice: 0 }],
        y: maxPool2d(x, options),
        reference: (v) => pool(v!, x.shape, options, (all) => Math.max(...all)),
        // Elements far apart, so that the lattice stays within a few hundred.
        step: 0.25,
      };
    },
    { runs: 30 },
  ),
  opCase(["affineGrid", "affinePlanes"], fc.record({ n: batch, h: channels, w: channels }), ({ n, h, w }) => {
    const theta = variable("theta", [n, 2, 3]);
    return {
      given: [{ tensor: theta }],
      y: affineGrid(theta, h, w),
      // Centres of h × w cells that tile the square from -1 to 1.
      reference: (v) => {
        const out: number[] = [];
        forEachIndex([n, h, w, 2], ([sample, i, j, axis]) => {
          const [a, b, c] = v!.subarray((sample! * 2 + axis!) * 3);
          out.push(a! * (-1 + (2 * j! + 1) / w) + b! * (-1 + (2 * i! + 1) / h) + c!);
        });
        return out;
      },
      ...POLYNOMIAL,
    };
  }),
  opCase("avgPool2d", blocks, ({ n, i, j, c, block }) => {
    const x = variable("x", [n, i * block, j * block, c]);
    const mean = (all: readonly number[]) => all.reduce((a, b) => a + b, 0) / all.length;
    return {
      given: [{ tensor: x }],
      y: square(avgPool2d(x, { size: block })),
      reference: (v) => pool(v!, x.shape, { size: block }, mean).map((value) => value ** 2),
      ...POLYNOMIAL,
    };
  }),
  opCase("globalAveragePool", blocks, ({ n, i, j, c, block }) => {
    const x = variable("x", [n, i * block, j, c]);
    return {
      given: [{ tensor: x }],
      y: square(globalAveragePool(x)),
      reference: (v) => {
        const out = new Float64Array(n * c);
        forEachIndex(x.shape, ([image, , , channel], flat) => {
          out[image! * c + channel!]! += v![flat]! / (i * block * j);
        });
        return out.map((value) => value ** 2);
      },
      ...POLYNOMIAL,
    };
  }),
  opCase("upsample2x", blocks, ({ n, i, j, c, block }) => {
    const x = variable("x", [n, i * block, j, c]);
    const y = upsample2x(x);
    return {
      given: [{ tensor: x }],
      y: square(y),
      reference: (v) => {
        const out = new Float64Array(size(y.shape));
        forEachIndex(y.shape, ([image, row, column, channel], flat) => {
          out[flat] = at(v!, x.shape, [image!, row! >> 1, column! >> 1, channel!]) ** 2;
        });
        return out;
      },
      ...POLYNOMIAL,
    };
  }),
];
