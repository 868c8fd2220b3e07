/**
 * Between NHWC, which tensors have everywhere, and the channel-blocked layout of ONNX Runtime's processor kernels
 * (cpu-layout.ts). Results of blocked ops leave as NHWC; an op that can work on blocks takes what lies behind
 * ({@link blockedSource}), and the two reorderings never reach the graph. So a whole residual network stays blocked
 * from its first convolution to its pooling, forwards and backwards.
 *
 * A blocked tensor has the shape [N, C, H, W] that ONNX Runtime's operators declare; C is a whole number of blocks.
 */
import { type Attribute, differentiable, emit, type Tensor, untracked } from "./tensor.ts";

/** Operators on blocks. Known to ONNX Runtime alone. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** A node of that domain. */
export function emitBlocked(
  name: string,
  inputs: readonly Tensor[],
  shape: readonly number[],
  attributes: Readonly<Record<string, Attribute>>,
): Tensor {
  return emit(name, inputs, shape, { domain: BLOCKED_DOMAIN, attributes });
}

/** NHWC → blocked. */
export function blocked(x: Tensor): Tensor {
  const source = blockedSource(x);
  if (source) return source;
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const z = emitBlocked("ReorderInput", [x], [n, c, h, w], { channels_last: 1 });
  return differentiable(z, [x], (dz) => [unblocked(dz)]);
}

/** Blocked → NHWC. */
export function unblocked(z: Tensor): Tensor {
  const source = cameThrough("ReorderInput", z);
  if (source) return source;
  const [n, c, h, w] = z.shape as [number, number, number, number];
  const x = emitBlocked("ReorderOutput", [z], [n, h, w, c], { channels: c, channels_last: 1 });
  return differentiable(x, [z], (dx) => [blocked(dx)]);
}

/** The blocked tensor that an NHWC tensor was reordered from, if it was. */
export function blockedSource(x: Tensor): Tensor | undefined {
  return cameThrough("ReorderOutput", x);
}

function cameThrough(name: string, x: Tensor): Tensor | undefined {
  const { source } = x;
  if (source.kind !== "op" || source.op !== name || source.attributes.channels_last !== 1) return undefined;
  const z = source.inputs[0]!;
  // A tensor that was cut from the tape must not lead back onto it, nor one with a gradient of its own past it.
  if (!x.tracked) return untracked(z);
  return x.tape?.inputs[0] === z ? z : undefined;
}

/** Blocked → [N, C, H, W] in the plain order. */
export function planesOf(z: Tensor): Tensor {
  return emitBlocked("ReorderOutput", [z], z.shape, { channels: z.shape[1]!, channels_last: 0 });
}

/** Plain [N, C, H, W] → blocked. */
export function blocksOf(planes: Tensor): Tensor {
  return emitBlocked("ReorderInput", [planes], planes.shape, { channels_last: 0 });
}
