/** The same operations on blocks of channels (blocked.ts): drawn so that they do take that way. */
import fc from "fast-check";
import { conv2d } from "../convolution.ts";
import { channelBlock } from "../cpu-layout.ts";
import { add, silu, square } from "../elementwise.ts";
import { convNorm } from "../layers.ts";
import { upsample2x } from "../pooling.ts";
import { blocked, unblocked } from "../reorder.ts";
import { Scope } from "../scope.ts";
import { concat } from "../shape.ts";
import { input, variable } from "../tensor.ts";
import { optionsOf } from "./cases-images.ts";
import { POLYNOMIAL } from "./differences.ts";
import { type OpCase, opCase, trackedOfTwo } from "./properties.ts";
import { convolve } from "./reference.ts";

/** Channels per block here; 0 where ONNX Runtime has no such kernels, and then there is nothing to test. */
export const BLOCK = await channelBlock();

const convolutions = fc
  .record({
    // Of more than 64 pixels the gradient by the weights goes another way.
    h: fc.constantFrom(1, 2, 3, 4, 5, 6, 9),
    w: fc.constantFrom(1, 2, 3, 4, 5, 6, 10),
    c: fc.constantFrom(BLOCK, BLOCK, 2 * BLOCK, 3),
    k: fc.constantFrom(BLOCK, 2 * BLOCK),
    kh: fc.constantFrom(1, 2, 3, 3, 5),
    kw: fc.constantFrom(1, 3, 3),
    stride: fc.integer({ min: 1, max: 3 }),
    dilation: fc.constantFrom(1, 1, 2),
    padding: fc.constantFrom<("same" | "same-upper" | number)[]>("same", "same", "same-upper", 0, 1, 2),
    offset: fc.boolean(),
    tracked: trackedOfTwo(),
  })
  .map((p) => ({ ...p, n: BLOCK, tracked: p.c === 3 ? [false, true] : p.tracked }))
  .filter(({ h, w, kh, kw, dilation, padding }) =>
    typeof padding === "string"
      ? kh % 2 === 1
      : h + 2 * padding > dilation * (kh - 1) && w + 2 * padding > dilation * (kw - 1),
  );

const CASES: readonly OpCase[] = [
  opCase(
    "conv2d",
    convolutions,
    (p) => {
      const x = (p.tracked[0] ? variable : input)("x", [p.n, p.h, p.w, p.c]);
      const w = (p.tracked[1] ? variable : input)("w", [p.kh, p.kw, p.c, p.k]);
      const offset = input("offset", [p.k]);
      const options = { ...optionsOf(p), channelBlock: BLOCK, ...(p.offset ? { offset } : {}) };
      return {
        given: [{ tensor: x }, { tensor: w }, ...(p.offset ? [{ tensor: offset }] : [])],
        y: conv2d(x, w, options),
        reference: (image, weights, added) =>
          convolve(image!, x.shape, weights!, w.shape, optionsOf(p)).map((v, i) => v + (added?.[i % p.k] ?? 0)),
        ...POLYNOMIAL,
      };
    },
    { runs: 40 },
  ),
  opCase(
    "convNorm",
    fc.record({
      half: fc.constantFrom([1, 1], [2, 1], [2, 2]),
      wide: fc.boolean(),
      kernel: fc.constantFrom(1, 3),
      stride: fc.constantFrom(1, 2),
      activation: fc.constantFrom("none" as const, "silu" as const, "relu" as const, "relu6" as const),
      shortcut: fc.boolean(),
    }),
    ({ half, wide, kernel, stride, activation, shortcut }) => {
      const [h, w] = [2 * half[0]!, 2 * half[1]!];
      const out = wide ? 2 * BLOCK : BLOCK;
      const x = variable("x", [BLOCK, h, w, BLOCK]);
      const beside = variable("beside", [BLOCK, h / stride, w / stride, out]);
      const scope = Scope.training({ channelBlock: BLOCK });
      const y = convNorm(scope, x, out, { kernel, stride, activation, ...(shortcut ? { shortcut: beside } : {}) });
      const parameters = scope.parameters.map(({ name, tensor }) => ({
        tensor,
        ...(name.endsWith("scale") ? { low: 0.4, high: 1.4 } : {}),
      }));
      const running = scope.buffers.map(({ tensor }) => ({ tensor, low: -0.5, high: 0.5 }));
      return {
        given: [{ tensor: x }, ...(shortcut ? [{ tensor: beside }] : []), ...parameters, running[0]!],
        y,
        step: 0.005,
        tolerance: 2e-3,
        zeros: activation.startsWith("relu"),
      };
    },
    { runs: 16 },
  ),
  opCase(
    ["upsample2x", "concat"],
    fc.record({ h: fc.integer({ min: 1, max: 3 }), w: fc.integer({ min: 1, max: 3 }) }),
    ({ h, w }) => {
      const coarse = variable("coarse", [2, h, w, BLOCK]);
      const fine = variable("fine", [2, 2 * h, 2 * w, 2 * BLOCK]);
      // Through blocks and back, so that the ops find them.
      const through = (t: typeof coarse) => unblocked(silu(blocked(t)));
      return {
        given: [{ tensor: coarse }, { tensor: fine }],
        y: square(add(concat([upsample2x(through(coarse)), through(fine)], 3), 1)),
      };
    },
  ),
];

export const blockCases = BLOCK > 0 ? CASES : [];
