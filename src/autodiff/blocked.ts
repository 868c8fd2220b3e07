/**
 * Convolution on the channel-blocked layout of ONNX Runtime's processor kernels, with gradients: forward, by the input
 * and by the weights each is one of ONNX Runtime's direct convolutions, at about the speed of its matrix products and
 * without im2col. cpu-layout.ts says what the layout is, reorder.ts how tensors get there and back.
 */
import { blocked, blocksOf, emitBlocked, planesOf, unblocked } from "./reorder.ts";
import { concat, gather, ints, pad, reshape, transpose } from "./shape.ts";
import { constant, differentiable, emit, type Tensor, untracked } from "./tensor.ts";

export interface BlockedGeometry {
  height: number;
  width: number;
  kernelHeight: number;
  kernelWidth: number;
  stride: number;
  dilation: number;
  /** Zeros above and to the left, below and to the right. */
  padY: number;
  padX: number;
  endY: number;
  endX: number;
  outHeight: number;
  outWidth: number;
}

/** Whether the blocked kernels take this convolution: whole blocks of channels, or an image of a few colours. */
export function fitsBlocks(block: number, channels: number, out: number): boolean {
  return block > 0 && out % block === 0 && (channels % block === 0 || channels < block);
}

interface ConvAttributes {
  kernel: readonly [number, number];
  strides?: readonly [number, number];
  dilations?: readonly [number, number];
  /** Top, left, bottom, right. */
  pads?: readonly [number, number, number, number];
  group?: number;
  activation?: "Relu";
}

/** ONNX Runtime's convolution on blocks. @param inputs image, filter, and optionally bias and a tensor to add */
export function convolve(inputs: readonly Tensor[], shape: readonly number[], a: ConvAttributes): Tensor {
  return emitBlocked("Conv", inputs, shape, {
    kernel_shape: a.kernel,
    strides: a.strides ?? [1, 1],
    dilations: a.dilations ?? [1, 1],
    pads: a.pads ?? [0, 0, 0, 0],
    group: a.group ?? 1,
    ...(a.activation ? { activation: a.activation } : {}),
  });
}

/** w [kh, kw, C, K] → the filter that the kernels read: [K/b, C/b, kh, kw, b of C, b of K], or [K/b, C, kh, kw, b]. */
function blockedFilter(w: Tensor, block: number): Tensor {
  const [kh, kw, c, k] = w.shape as [number, number, number, number];
  if (c % block !== 0) {
    const split = transpose(reshape(w, [kh, kw, c, k / block, block]), [3, 2, 0, 1, 4]);
    return reshape(split, [k, c, kh, kw]);
  }
  const split = transpose(reshape(w, [kh, kw, c / block, block, k / block, block]), [4, 2, 0, 1, 3, 5]);
  return reshape(split, [k, c, kh, kw]);
}

/**
 * x [N, H, W, C] by w [kh, kw, C, K] → [N, H', W', K], for shapes that {@link fitsBlocks} allows.
 * @param bias added to every channel; a constant of the gradient
 */
export function blockedConv(x: Tensor, w: Tensor, g: BlockedGeometry, block: number, bias?: Tensor): Tensor {
  const [n, , , c] = x.shape as [number, number, number, number];
  const k = w.shape[3]!;
  // Images of fewer channels than a block are read plane by plane.
  const image = c % block === 0 ? blocked(x) : transpose(x, [0, 3, 1, 2]);
  const filter = blockedFilter(untracked(w), block);
  const y = convolve([untracked(image), filter, ...(bias ? [bias] : [])], [n, k, g.outHeight, g.outWidth], {
    kernel: [g.kernelHeight, g.kernelWidth],
    strides: [g.stride, g.stride],
    dilations: [g.dilation, g.dilation],
    pads: [g.padY, g.padX, g.endY, g.endX],
  });
  return unblocked(
    differentiable(y, [image, w], (dy) => [
      image.tracked ? inputGradient(dy, untracked(w), g, block) : undefined,
      w.tracked ? weightGradient(untracked(image), dy, w, g, block) : undefined,
    ]),
  );
}

/**
 * By the input: again a convolution, of dy with the kernel turned by half. With stride s the input positions fall into
 * s² classes that different taps read; each has a small convolution of its own, so that no zero is multiplied, and the
 * classes are woven together.
 */
function inputGradient(dy: Tensor, w: Tensor, g: BlockedGeometry, block: number): Tensor {
  const [n] = dy.shape as [number];
  const [, , c, k] = w.shape as [number, number, number, number];
  const s = g.stride;
  const rows = tapsByClass(g.kernelHeight, s, g.dilation, g.padY, g.height / s, g.outHeight);
  const columns = tapsByClass(g.kernelWidth, s, g.dilation, g.padX, g.width / s, g.outWidth);
  const taps = turnedFilter(w, block);
  const size = [n, c, g.height / s, g.width / s];
  const nothing = constant(0, size);
  const classOf = (row: TapClass, column: TapClass): Tensor => {
    if (row.taps.length === 0 || column.taps.length === 0) return nothing;
    const chosen = row.taps.flatMap((a) => column.taps.map((b) => a * g.kernelWidth + b));
    const filter = reshape(gather(taps, ints(chosen), 2), [c, k, row.taps.length, column.taps.length]);
    return convolve([dy, filter], size, {
      kernel: [row.taps.length, column.taps.length],
      dilations: s === 1 ? [g.dilation, g.dilation] : [1, 1],
      pads: [row.before, column.before, row.after, column.after],
    });
  };
  const woven = rows.map((row) => {
    const parts = columns.map((column) =>
      reshape(classOf(row, column), [n, c / block, g.height / s, g.width / s, block]),
    );
    return reshape(parts.length === 1 ? parts[0]! : concat(parts, 4), [n, c / block, g.height / s, g.width * block]);
  });
  return reshape(woven.length === 1 ? woven[0]! : concat(woven, 3), [n, c, g.height, g.width]);
}

/**
 * w [kh, kw, C, K] → [C/b, K/b, taps, b of K · b of C]: what each tap sends back. Its tiles are turned by a product with
 * the identity, which changes no bit and is several times faster than ONNX Runtime's Transpose of single numbers.
 */
function turnedFilter(w: Tensor, block: number): Tensor {
  const [kh, kw, c, k] = w.shape as [number, number, number, number];
  const tiles = reshape(blockedFilter(w, block), [-1, block, block]);
  const identity = Array.from({ length: block * block }, (_, i) => (i % (block + 1) === 0 ? 1 : 0));
  const turned = emit("FusedMatMul", [tiles, constant(identity, [block, block])], tiles.shape, {
    domain: "com.microsoft",
    attributes: { transA: 1 },
  });
  return transpose(reshape(turned, [k / block, c / block, kh * kw, block * block]), [1, 0, 2, 3]);
}

interface TapClass {
  /** Taps of the kernel along this axis that read such positions, in the order of the outputs they read them for. */
  taps: number[];
  before: number;
  after: number;
}

/** The classes of input positions modulo the stride, along one axis. @param size positions of one class */
function tapsByClass(
  kernel: number,
  stride: number,
  dilation: number,
  padding: number,
  size: number,
  out: number,
): TapClass[] {
  return Array.from({ length: stride }, (_, parity) => {
    const readers = Array.from({ length: kernel }, (_, tap) => ({ tap, offset: parity + padding - tap * dilation }))
      .filter(({ offset }) => offset % stride === 0)
      .map(({ tap, offset }) => ({ tap, offset: offset / stride }))
      .sort((a, b) => a.offset - b.offset);
    if (readers.length === 0) return { taps: [], before: 0, after: 0 };
    const [first, last] = [readers[0]!.offset, readers.at(-1)!.offset];
    return { taps: readers.map(({ tap }) => tap), before: -first, after: size - 1 + last - (out - 1) };
  });
}

/** Whether {@link inputGradient} can do this stride: whole classes, neighbouring taps, no negative padding. */
export function fitsInputGradient(g: BlockedGeometry): boolean {
  const s = g.stride;
  if (g.height % s || g.width % s || (s > 1 && g.dilation > 1)) return false;
  return [
    ...tapsByClass(g.kernelHeight, s, g.dilation, g.padY, g.height / s, g.outHeight),
    ...tapsByClass(g.kernelWidth, s, g.dilation, g.padX, g.width / s, g.outWidth),
  ].every(({ before, after }) => before >= 0 && after >= 0);
}

/**
 * By the weights: a convolution in which images and channels change places. Every channel of x is an image, the batch
 * its channels, and dy a kernel as large as the picture, which fits in kh × kw places.
 */
function weightGradient(image: Tensor, dy: Tensor, w: Tensor, g: BlockedGeometry, block: number): Tensor {
  const [kh, kw, c, k] = w.shape as [number, number, number, number];
  const n = dy.shape[0]!;
  const { outHeight: oh, outWidth: ow, stride: s, dilation: d } = g;
  if (kh === 1 && kw === 1 && g.padY === 0 && g.padX === 0) {
    if (s === 1) return pointwiseWeightGradient(image, dy, w, block);
    if (c % block === 0) return pointwiseWeightGradient(everyNth(image, s, [oh, ow]), dy, w, block);
  }
  // Rows and columns that the kernel's places reach; below and to the right it may be fewer than the image has.
  const bottom = s * (oh - 1) + d * (kh - 1) + 1 - g.height - g.padY;
  const right = s * (ow - 1) + d * (kw - 1) + 1 - g.width - g.padX;
  const [height, width] = [g.height + g.padY + bottom, g.width + g.padX + right];
  const planes = paddedPlanes(image, [g.padY, g.padX, bottom, right], block);
  const settings = { kernel: [oh, ow], strides: [d, d], dilations: [s, s] } as const;
  const shape = [c, k, kh, kw];
  let dw: Tensor;
  if (oh * ow > SMALL_PICTURE) {
    // Few images at a time as plain planes, which the kernels take below a block: dy is then a filter nearly as it is,
    // and what a pass holds fits in the cache.
    const few = block / 2;
    const xs = reshape(planes, [n * c, height, width]);
    const dys = reshape(dy, [(n * k) / block, oh * ow * block]);
    const none = constant(0, [k]);
    dw = Array.from({ length: n / few }).reduce<Tensor | undefined>((sum, _, i) => {
      const x = gather(xs, swapped(c, i * few, few), 0);
      const filter = reshape(gather(dys, swapped(k / block, i * few, few), 0), [k, few, oh, ow]);
      return convolve(sum ? [x, filter, none, sum] : [x, filter], shape, settings);
    }, undefined)!;
  } else {
    const images = blocksOf(gather(reshape(planes, [n * c, height, width]), swapped(c, 0, n), 0));
    const rows = reshape(dy, [(n * k * oh * ow) / block, block]);
    dw = convolve(
      [images, reshape(gather(rows, imagesInside(n, k / block, oh * ow, block), 0), [k, n, oh, ow])],
      shape,
      settings,
    );
  }
  return reshape(transpose(reshape(dw, [c, k / block, kh, kw, block]), [2, 3, 0, 1, 4]), w.shape);
}

/** Pixels up to which a whole batch of dy is a filter that stays in the cache; measured with 16 to 192 channels. */
const SMALL_PICTURE = 64;

/**
 * [channels, count]: where the planes of `count` images from `first` on lie, image after image, for a Gather that brings
 * them channel after channel. It copies whole planes on all threads, where ONNX Runtime's Transpose uses one.
 */
function swapped(channels: number, first: number, count: number): Tensor {
  const place = (_: unknown, i: number) => (first + (i % count)) * channels + Math.floor(i / count);
  return constant(Array.from({ length: channels * count }, place), [channels, count], "int64");
}

/**
 * [K, N/b, pixels, b]: where the rows of [N, K, pixels] lie, for a Gather that brings them with the images of a block
 * side by side.
 */
function imagesInside(images: number, channels: number, pixels: number, block: number): Tensor {
  const places: number[] = [];
  for (let k = 0; k < channels; k++) {
    for (let first = 0; first < images; first += block) {
      for (let p = 0; p < pixels; p++) {
        for (let i = 0; i < block; i++) places.push(((first + i) * channels + k) * pixels + p);
      }
    }
  }
  return constant(places, [channels, images / block, pixels, block], "int64");
}

/** Every nth row and column of a blocked image. */
function everyNth(image: Tensor, n: number, size: readonly [number, number]): Tensor {
  const [images, c] = image.shape as [number, number];
  return convolve([image, constant(1, [c, 1, 1, 1])], [images, c, ...size], {
    kernel: [1, 1],
    strides: [n, n],
    group: c,
  });
}

/**
 * A blocked image, or one of few channels in planes, as planes with zeroes around.
 * @param pads top, left, bottom, right; below 0 where rows or columns go
 */
function paddedPlanes(image: Tensor, pads: readonly [number, number, number, number], block: number): Tensor {
  const [n, c, h, w] = image.shape as [number, number, number, number];
  const [top, left, bottom, right] = pads;
  if (c % block !== 0) return pad(image, [0, 0, top, left, 0, 0, bottom, right]);
  const shape = [n, c, h + top + bottom, w + left + right];
  if (pads.every((size) => size === 0)) return planesOf(image);
  // Times one, channel by channel: several times faster than ONNX Runtime's Pad.
  if (Math.min(...pads) >= 0)
    return planesOf(convolve([image, constant(1, [c, 1, 1, 1])], shape, { kernel: [1, 1], pads, group: c }));
  const blocks = reshape(image, [n, c / block, h, w, block]);
  return planesOf(reshape(pad(blocks, [0, 0, top, left, 0, 0, 0, bottom, right, 0]), shape));
}

/** 1×1: one product over all pixels. */
function pointwiseWeightGradient(image: Tensor, dy: Tensor, w: Tensor, block: number): Tensor {
  const [, , c, k] = w.shape as [number, number, number, number];
  const x = c % block === 0 ? unblocked(image) : transpose(image, [0, 2, 3, 1]);
  const rows = x.shape[0]! * x.shape[1]! * x.shape[2]!;
  const product = emit("Gemm", [reshape(unblocked(dy), [rows, k]), reshape(x, [rows, c])], [k, c], {
    attributes: { transA: 1, transB: 0 },
  });
  return reshape(transpose(product, [1, 0]), w.shape);
}
