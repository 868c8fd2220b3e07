/**
 * Convolution of NHWC tensors. In training it is im2col as a single `Gather` with a constant index table, then one
 * matrix product over the whole batch: ONNX Runtime's own Conv works image by image when its weights are not constant.
 * The common 3×3 kernel goes another way, see winograd.ts, and so do images no larger than the kernel. On the processor
 * there is a faster way for most shapes, see blocked.ts; it is taken where a channel block is given.
 * In inference it is `Conv`, whose transposes ONNX Runtime cancels and whose weights it packs.
 */
import { type BlockedGeometry, blockedConv, fitsBlocks, fitsInputGradient } from "./blocked.ts";
import { add, mul } from "./elementwise.ts";
import { product, sum } from "./reductions.ts";
import { concat, depthToSpace, gather, ints, reshape, slice, transpose } from "./shape.ts";
import { constant, differentiable, emit, ShapeError, showShape, type Tensor, untracked } from "./tensor.ts";
import { winograd } from "./winograd.ts";

type Geometry = BlockedGeometry;

export interface ConvOptions {
  stride?: number;
  dilation?: number;
  /**
   * "same": as many rows out as in (over the stride), for odd kernels, with as many zeros before as after; "same-upper":
   * ONNX's name for TensorFlow's SAME, as few zeros as that takes, the odd one after; or the zeros added on every side.
   */
  padding?: "same" | "same-upper" | number;
  /** 1, or the number of channels (depthwise). */
  groups?: number;
  /** "product": im2col and one matrix product, for training. "conv": ONNX's Conv, for inference. */
  lowering?: "product" | "conv";
  /** In training on the processor, its channels per block ({@link channelBlock}); 0, the default, works everywhere. */
  channelBlock?: number;
  /** [K], added to every output channel; a constant of the gradient. */
  offset?: Tensor;
}

/** x [N, H, W, C] by w [kh, kw, C / groups, K] → [N, H', W', K]. */
export function conv2d(x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  const geometry = geometryOf(x, w, options);
  const { groups = 1, lowering = "product", channelBlock = 0, offset } = options;
  if (lowering === "product" && usesBlocks(x, w, options)) return blockedConv(x, w, geometry, channelBlock, offset);
  const y = lowered(x, w, geometry, groups, lowering);
  return offset ? add(y, untracked(offset)) : y;
}

function lowered(x: Tensor, w: Tensor, geometry: Geometry, groups: number, lowering: "product" | "conv"): Tensor {
  if (lowering === "conv") {
    if (x.tracked || w.tracked) throw new ShapeError("conv2d: the conv lowering is for inference and has no gradient");
    // Multiplying padding costs more than a detour where there is much to multiply; measured with 512 channels.
    const worth = x.shape[3]! * w.shape[3]! >= 2 ** 17;
    return groups === 1 && worth && mostlyPadding(geometry)
      ? throughTaps(x, w, geometry)
      : throughConv(x, w, geometry, groups);
  }
  if (groups !== 1) return depthwise(x, w, geometry);
  if (mostlyPadding(geometry)) return throughTaps(x, w, geometry);
  return fitsWinograd(geometry) ? winograd(x, w) : throughProduct(x, w, geometry);
}

/**
 * Whether this convolution goes through ONNX Runtime's direct kernels on blocks of channels. Where it could, it is the
 * faster way but for the deepest layers of wide networks, where Winograd's fewer products win (docs/performance.md).
 */
export function usesBlocks(x: Tensor, w: Tensor, options: ConvOptions): boolean {
  const { groups = 1, channelBlock = 0, lowering = "product" } = options;
  const [channels, out] = [x.shape[3]!, w.shape[3]!];
  if (lowering !== "product" || groups !== 1 || !fitsBlocks(channelBlock, channels, out)) return false;
  const g = geometryOf(x, w, options);
  if (x.tracked && !(channels % channelBlock === 0 && fitsInputGradient(g))) return false;
  if (w.tracked && x.shape[0]! % channelBlock !== 0) return false;
  return !(Math.min(channels, out) >= 256 && (mostlyPadding(g) || fitsWinograd(g)));
}

function geometryOf(x: Tensor, w: Tensor, options: ConvOptions): Geometry {
  const { stride = 1, dilation = 1, padding = "same", groups = 1 } = options;
  if (x.shape.length !== 4 || w.shape.length !== 4 || x.shape[3] !== w.shape[2]! * groups) {
    throw new ShapeError(`conv2d: ${showShape(x.shape)} with weights ${showShape(w.shape)} in ${groups} groups`);
  }
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const [kernelHeight, kernelWidth, , out] = w.shape as [number, number, number, number];
  if (groups !== 1 && (groups !== channels || out !== channels))
    throw new ShapeError(`conv2d: ${groups} groups of ${channels} channels`);
  const along = (size: number, kernel: number) => {
    const reach = dilation * (kernel - 1) + 1;
    const [before, after] = padsOf(padding, size, reach, stride);
    return { before, after, out: Math.floor((size + before + after - reach) / stride) + 1 };
  };
  const [vertical, horizontal] = [along(height, kernelHeight), along(width, kernelWidth)];
  return {
    height,
    width,
    kernelHeight,
    kernelWidth,
    stride,
    dilation,
    padY: vertical.before,
    padX: horizontal.before,
    endY: vertical.after,
    endX: horizontal.after,
    outHeight: vertical.out,
    outWidth: horizontal.out,
  };
}

/** Zeros before and after, along one axis. @param reach positions from a kernel's first tap to its last */
function padsOf(
  padding: NonNullable<ConvOptions["padding"]>,
  size: number,
  reach: number,
  stride: number,
): [number, number] {
  if (padding === "same") return [(reach - 1) >> 1, (reach - 1) >> 1];
  if (padding !== "same-upper") return [padding, padding];
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  return [total >> 1, total - (total >> 1)];
}

function fitsWinograd(g: Geometry): boolean {
  const threeByThree = g.kernelHeight === 3 && g.kernelWidth === 3 && g.padY === 1 && g.padX === 1;
  return threeByThree && g.stride === 1 && g.dilation === 1 && g.height % 2 === 0 && g.width % 2 === 0;
}

/** For every output position and tap the input position it reads; height·width where it reads padding. */
function readTable(g: Geometry): number[] {
  const table: number[] = [];
  for (let i = 0; i < g.outHeight; i++) {
    for (let j = 0; j < g.outWidth; j++) {
      for (let a = 0; a < g.kernelHeight; a++) {
        const y = i * g.stride - g.padY + a * g.dilation;
        for (let b = 0; b < g.kernelWidth; b++) {
          const x = j * g.stride - g.padX + b * g.dilation;
          table.push(y < 0 || y >= g.height || x < 0 || x >= g.width ? g.height * g.width : y * g.width + x);
        }
      }
    }
  }
  return table;
}

/** The output position whose tap (a, b) reads input (y, x), or -1. */
function writer(g: Geometry, y: number, x: number, a: number, b: number): number {
  const i = y + g.padY - a * g.dilation;
  const j = x + g.padX - b * g.dilation;
  if (i < 0 || j < 0 || i % g.stride || j % g.stride) return -1;
  const [row, column] = [i / g.stride, j / g.stride];
  return row < g.outHeight && column < g.outWidth ? row * g.outWidth + column : -1;
}

/** Rows of [N, positions, C] by a table in which `positions` stands for a row of zeros. */
function readRows(flat: Tensor, table: readonly number[]): Tensor {
  const [n, positions, channels] = flat.shape as [number, number, number];
  const padded = table.includes(positions) ? concat([flat, constant(0, [n, 1, channels])], 1) : flat;
  return gather(padded, ints(table), 1);
}

function throughProduct(x: Tensor, w: Tensor, g: Geometry): Tensor {
  const [n, , , channels] = x.shape as [number, number, number, number];
  const out = w.shape[3]!;
  const taps = g.kernelHeight * g.kernelWidth;
  const pointwise = taps === 1 && g.stride === 1 && g.padY === 0 && g.padX === 0;
  const rows = n * g.outHeight * g.outWidth;
  const source = untracked(x);
  const columns = pointwise
    ? reshape(source, [rows, channels])
    : reshape(readRows(reshape(source, [n, g.height * g.width, channels]), readTable(g)), [rows, taps * channels]);
  const matrix = reshape(untracked(w), [taps * channels, out]);
  const y = reshape(emit("MatMul", [columns, matrix], [rows, out]), [n, g.outHeight, g.outWidth, out]);
  return differentiable(y, [x, w], (dy) => {
    const flat = reshape(dy, [rows, out]);
    // dyᵀ·columns, then turned: the matrix product is faster with the long side last.
    const dw = w.tracked ? reshape(transpose(product(flat, columns, true, false), [1, 0]), w.shape) : undefined;
    if (!x.tracked) return [undefined, dw];
    const dx = pointwise
      ? reshape(product(flat, matrix, false, true), x.shape)
      : inputGradient(dy, untracked(w), g, x.shape);
    return [dx, dw];
  });
}

/**
 * The gradient by the input is again a product. With stride s the input positions fall into s² classes that different
 * taps read; each class has a product of its own, so that no zero is multiplied.
 */
function inputGradient(dy: Tensor, w: Tensor, g: Geometry, shape: readonly number[]): Tensor {
  const [n, height, width, channels] = shape as [number, number, number, number];
  const out = dy.shape[3]!;
  const positions = g.outHeight * g.outWidth;
  const flat = reshape(dy, [n, positions, out]);
  // [kh, kw, C, K] → [taps, K, C]: what each tap sends back.
  const back = transpose(reshape(w, [g.kernelHeight * g.kernelWidth, channels, out]), [0, 2, 1]);
  const s = height % g.stride === 0 && width % g.stride === 0 ? g.stride : 1;
  const classes: Tensor[] = [];
  for (let py = 0; py < s; py++) {
    for (let px = 0; px < s; px++) {
      const taps: [number, number][] = [];
      for (let a = 0; a < g.kernelHeight; a++) {
        for (let b = 0; b < g.kernelWidth; b++) {
          const reads =
            s === 1 || ((py + g.padY - a * g.dilation) % s === 0 && (px + g.padX - b * g.dilation) % s === 0);
          if (reads) taps.push([a, b]);
        }
      }
      const size = [n, height / s, width / s, channels];
      if (taps.length === 0) {
        classes.push(constant(0, size));
        continue;
      }
      const table: number[] = [];
      for (let y = py; y < height; y += s) {
        for (let x = px; x < width; x += s) {
          for (const [a, b] of taps) {
            const from = writer(g, y, x, a, b);
            table.push(from < 0 ? positions : from);
          }
        }
      }
      const columns = reshape(readRows(flat, table), [-1, taps.length * out]);
      const all = taps.length === g.kernelHeight * g.kernelWidth;
      const used = all ? back : gather(back, ints(taps.map(([a, b]) => a * g.kernelWidth + b)), 0);
      const rows = columns.shape[0]!;
      classes.push(
        reshape(emit("MatMul", [columns, reshape(used, [taps.length * out, channels])], [rows, channels]), size),
      );
    }
  }
  return classes.length === 1 ? classes[0]! : depthToSpace(concat(classes, 3), s);
}

/** Whether so many taps read padding that the product over all of them is slower: 3×3 on 2×2, not on 4×4. */
function mostlyPadding(g: Geometry): boolean {
  const read = readTable(g).filter((from) => from < g.height * g.width).length;
  // Where no tap reads the image at all there is nothing to sum.
  return read > 0 && read < 0.6 * g.outHeight * g.outWidth * g.kernelHeight * g.kernelWidth;
}

/**
 * For images about as small as the kernel (3×3 on 2×2 has 16 pairs of an output and an input, not 36): a product per
 * tap over the positions where it reads the image. What the taps make is summed by a product with a matrix of ones and
 * zeros, which also carries each position's share to its place.
 */
function throughTaps(x: Tensor, w: Tensor, g: Geometry): Tensor {
  const [n, , , channels] = x.shape as [number, number, number, number];
  const out = w.shape[3]!;
  const taps = g.kernelHeight * g.kernelWidth;
  const table = readTable(g);
  const pairs = Array.from({ length: taps }, (_, tap) =>
    Array.from({ length: g.outHeight * g.outWidth }, (_, to) => ({ to, from: table[to * taps + tap]! })).filter(
      ({ from }) => from < g.height * g.width,
    ),
  );
  const all = pairs.flat();
  const place = (size: number, of: (pair: { to: number; from: number }) => number) => {
    const ones = new Float32Array(size * all.length);
    for (const [i, pair] of all.entries()) ones[of(pair) * all.length + i] = 1;
    return constant(ones, [size, all.length]);
  };
  // Positions first, so that a tap's positions lie together: [N, positions, C] → [positions · N, C] of each tap.
  const rowsOf = (flat: Tensor, of: (pair: { to: number; from: number }) => number) => {
    const [, , depth] = flat.shape as [number, number, number];
    const rows = gather(transpose(flat, [1, 0, 2]), ints(all.map(of)), 0);
    let at = 0;
    return pairs.map(({ length }) => {
      at += length;
      return length ? reshape(slice(rows, [at - length], [at], [0]), [-1, depth]) : undefined;
    });
  };
  const summed = (parts: readonly Tensor[], placing: Tensor, shape: readonly number[]) => {
    const depth = parts[0]!.shape[1]!;
    const rows = reshape(concat(parts, 0), [all.length, n === -1 ? -1 : n * depth]);
    const positions = placing.shape[0]!;
    const total = emit("MatMul", [placing, rows], [positions, rows.shape[1]!]);
    return reshape(transpose(reshape(total, [positions, n, depth]), [1, 0, 2]), shape);
  };
  const used = pairs.flatMap(({ length }, tap) => (length ? [tap] : []));
  const matrices = reshape(untracked(w), [taps * channels, out]);
  const matrix = pairs.map((_, tap) => slice(matrices, [tap * channels], [(tap + 1) * channels], [0]));
  const read = rowsOf(reshape(untracked(x), [n, g.height * g.width, channels]), ({ from }) => from);
  const y = summed(
    used.map((tap) => product(read[tap]!, matrix[tap]!, false, false)),
    place(g.outHeight * g.outWidth, ({ to }) => to),
    [n, g.outHeight, g.outWidth, out],
  );
  return differentiable(y, [x, w], (dy) => {
    const sent = rowsOf(reshape(dy, [n, g.outHeight * g.outWidth, out]), ({ to }) => to);
    const dws = pairs.map(({ length }, tap) =>
      length ? product(read[tap]!, sent[tap]!, true, false) : constant(0, [channels, out]),
    );
    const dw = w.tracked ? reshape(concat(dws, 0), w.shape) : undefined;
    if (!x.tracked) return [undefined, dw];
    const dx = summed(
      used.map((tap) => product(sent[tap]!, matrix[tap]!, false, true)),
      place(g.height * g.width, ({ from }) => from),
      x.shape,
    );
    return [dx, dw];
  });
}

/** One filter per channel: the taps' products summed. */
function depthwise(x: Tensor, w: Tensor, g: Geometry): Tensor {
  const [n, height, width, channels] = x.shape as [number, number, number, number];
  const taps = g.kernelHeight * g.kernelWidth;
  const positions = g.outHeight * g.outWidth;
  const source = untracked(x);
  const filter = reshape(untracked(w), [1, 1, taps, channels]);
  const columns = reshape(readRows(reshape(source, [n, height * width, channels]), readTable(g)), [
    n,
    positions,
    taps,
    channels,
  ]);
  const y = reshape(sum(mul(columns, filter), [2]), [n, g.outHeight, g.outWidth, channels]);
  return differentiable(y, [x, w], (dy) => {
    const flat = reshape(dy, [n, positions, 1, channels]);
    const dw = w.tracked ? reshape(sum(mul(columns, flat), [0, 1]), w.shape) : undefined;
    if (!x.tracked) return [undefined, dw];
    const table: number[] = [];
    for (let y0 = 0; y0 < height; y0++) {
      for (let x0 = 0; x0 < width; x0++) {
        for (let a = 0; a < g.kernelHeight; a++) {
          for (let b = 0; b < g.kernelWidth; b++) {
            const from = writer(g, y0, x0, a, b);
            table.push(from < 0 ? positions : from);
          }
        }
      }
    }
    const back = reshape(readRows(reshape(dy, [n, positions, channels]), table), [n, height * width, taps, channels]);
    return [reshape(sum(mul(back, filter), [2]), x.shape), dw];
  });
}

/** ONNX's Conv between transposes; for inference, without a gradient. */
function throughConv(x: Tensor, w: Tensor, g: Geometry, groups: number): Tensor {
  const image = transpose(x, [0, 3, 1, 2]);
  // [kh, kw, C/groups, K] → [K, C/groups, kh, kw]; depthwise weights are stored with C/groups = 1 and K = C.
  const weights = transpose(w, [3, 2, 0, 1]);
  const [n, out] = [x.shape[0]!, w.shape[3]!];
  const y = emit("Conv", [image, weights], [n, out, g.outHeight, g.outWidth], {
    attributes: {
      kernel_shape: [g.kernelHeight, g.kernelWidth],
      strides: [g.stride, g.stride],
      dilations: [g.dilation, g.dilation],
      pads: [g.padY, g.padX, g.endY, g.endX],
      group: groups,
    },
  });
  return transpose(y, [0, 2, 3, 1]);
}
