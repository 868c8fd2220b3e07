/**
 * Operators in double precision, as plain loops over their definitions. Written without a look at how the graphs do it,
 * so that the two can only agree where both are right.
 */

/** Values of shape `from` repeated to shape `to`, as numpy broadcasts. */
export function broadcastValues(values: Float64Array, from: readonly number[], to: readonly number[]): Float64Array {
  const padded = [...to.slice(from.length).map(() => 1), ...from];
  const out = new Float64Array(to.reduce((product, d) => product * d, 1));
  for (let k = 0; k < out.length; k++) {
    let [rest, at, stride] = [k, 0, 1];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const position = rest % to[axis]!;
      rest = Math.floor(rest / to[axis]!);
      at += (padded[axis] === 1 ? 0 : position) * stride;
      stride *= padded[axis]!;
    }
    out[k] = values[at]!;
  }
  return out;
}

/** The error function by its Maclaurin series: to double precision for |x| below 4. */
export function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= -(x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

/** Calls back with every index of a shape, in row-major order, and its place in the flat array. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const count = shape.reduce((product, d) => product * d, 1);
  const index = shape.map(() => 0);
  for (let flat = 0; flat < count; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
}

/** The element of an array of some shape. */
export function at(values: ArrayLike<number>, shape: readonly number[], index: readonly number[]): number {
  return values[index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)]!;
}

/** `f` of the elements along some axes, for every position in the others. */
export function reduceValues(
  values: Float64Array,
  shape: readonly number[],
  axes: readonly number[],
  f: (all: number[]) => number,
): number[] {
  const lists = new Map<string, number[]>();
  forEachIndex(shape, (index, flat) => {
    const key = index.filter((_, axis) => !axes.includes(axis)).join();
    lists.set(key, [...(lists.get(key) ?? []), values[flat]!]);
  });
  return [...lists.values()].map(f);
}

export interface WindowOptions {
  size: number;
  stride?: number;
  padding?: number;
}

/** `f` of what each window of an image [N, H, W, C] covers; padding is not there. */
export function pool(
  image: Float64Array,
  [n, h, w, c]: readonly number[],
  { size, stride = size, padding = 0 }: WindowOptions,
  f: (all: readonly number[]) => number,
): number[] {
  const count = (length: number) => Math.floor((length + 2 * padding - size) / stride) + 1;
  const out: number[] = [];
  forEachIndex([n!, count(h!), count(w!), c!], ([sample, i, j, channel]) => {
    const all: number[] = [];
    for (let y = i! * stride - padding; y < i! * stride - padding + size; y++) {
      for (let x = j! * stride - padding; x < j! * stride - padding + size; x++) {
        if (y >= 0 && y < h! && x >= 0 && x < w!) all.push(image[((sample! * h! + y) * w! + x) * c! + channel!]!);
      }
    }
    out.push(f(all));
  });
  return out;
}

export interface ConvolveOptions {
  stride?: number;
  dilation?: number;
  padding?: "same" | "same-upper" | number;
  groups?: number;
}

/** An image [N, H, W, C] convolved (without turning the kernel) by weights [kh, kw, C / groups, K]. */
export function convolve(
  image: Float64Array,
  [n, h, w, c]: readonly number[],
  weights: Float64Array,
  [kh, kw, depth, k]: readonly number[],
  { stride = 1, dilation = 1, padding = "same", groups = 1 }: ConvolveOptions,
): number[] {
  const count = (length: number, kernel: number) => {
    if (padding === "same-upper") return Math.ceil(length / stride);
    const zeros = padding === "same" ? dilation * (kernel - 1) : 2 * padding;
    return Math.floor((length + zeros - dilation * (kernel - 1) - 1) / stride) + 1;
  };
  const before = (kernel: number, length: number) => {
    if (padding === "same") return (dilation * (kernel - 1)) / 2;
    if (padding !== "same-upper") return padding;
    // How far the last position reaches beyond the image; the odd zero of these comes after it.
    const beyond = (count(length, kernel) - 1) * stride + dilation * (kernel - 1) + 1 - length;
    return Math.floor(Math.max(0, beyond) / 2);
  };
  const out: number[] = [];
  forEachIndex([n!, count(h!, kh!), count(w!, kw!), k!], ([sample, i, j, to]) => {
    const group = Math.floor(to! / (k! / groups));
    let total = 0;
    forEachIndex([kh!, kw!, depth!], ([a, b, from], flat) => {
      const y = i! * stride - before(kh!, h!) + a! * dilation;
      const x = j! * stride - before(kw!, w!) + b! * dilation;
      if (y < 0 || y >= h! || x < 0 || x >= w!) return;
      total += image[((sample! * h! + y) * w! + x) * c! + group * depth! + from!]! * weights[flat * k! + to!]!;
    });
    out.push(total);
  });
  return out;
}

/** Each value less the mean of its group, over the root of the group's variance plus 1e-5. */
export function normalise(values: Float64Array, group: (k: number) => number): number[] {
  const groups = new Map<number, number[]>();
  for (const [k, value] of values.entries()) groups.set(group(k), [...(groups.get(group(k)) ?? []), value]);
  const moments = new Map<number, { mean: number; deviation: number }>();
  for (const [key, all] of groups) {
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    const variance = all.reduce((total, value) => total + (value - mean) ** 2, 0) / all.length;
    moments.set(key, { mean, deviation: Math.sqrt(variance + 1e-5) });
  }
  return Array.from(values, (value, k) => (value - moments.get(group(k))!.mean) / moments.get(group(k))!.deviation);
}

/**
 * An image [N, H, W, C] read at grid positions [N, h, w, 2] as (x, y), -1 and 1 being the outer edges. Beyond the image
 * lies its edge repeated, or zeros.
 */
export function sample(
  image: Float64Array,
  [n, h, w, c]: readonly number[],
  grid: Float64Array,
  [, rows, columns]: readonly number[],
  { mode, padding }: { mode: "bilinear" | "nearest"; padding: "border" | "zeros" },
): number[] {
  const out: number[] = [];
  forEachIndex([n!, rows!, columns!, c!], ([i, row, column, channel]) => {
    const pixel = (y: number, x: number) => {
      if (padding === "zeros" && (y < 0 || y >= h! || x < 0 || x >= w!)) return 0;
      const [inY, inX] = [Math.max(0, Math.min(h! - 1, y)), Math.max(0, Math.min(w! - 1, x))];
      return at(image, [n!, h!, w!, c!], [i!, inY, inX, channel!]);
    };
    const place = ((i! * rows! + row!) * columns! + column!) * 2;
    // Pixel centres lie at halves.
    const [x, y] = [((grid[place]! + 1) / 2) * w! - 0.5, ((grid[place + 1]! + 1) / 2) * h! - 0.5];
    if (mode === "nearest") out.push(pixel(Math.round(y), Math.round(x)));
    else {
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [a, b] = [x - left, y - top];
      const upper = pixel(top, left) * (1 - a) + pixel(top, left + 1) * a;
      out.push(upper * (1 - b) + (pixel(top + 1, left) * (1 - a) + pixel(top + 1, left + 1) * a) * b);
    }
  });
  return out;
}
