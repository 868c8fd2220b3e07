/**
 * The only source of randomness: Philox 4x32-10, a counter-based generator (Salmon et al., "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011). A draw is a pure function of (seed, stream, counter), so a resumed run draws what an
 * uninterrupted one would have, and streams named by what they are for never disturb each other.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the unsigned product, by halves that multiply as integers: every sum here stays below 2^32. */
function mulHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const upper = (Math.imul(ah, bl) >>> 0) + ((Math.imul(al, bl) >>> 0) >>> 16);
  const lower = (Math.imul(al, bh) >>> 0) + (upper & 0xffff);
  return (Math.imul(ah, bh) >>> 0) + (upper >>> 16) + (lower >>> 16);
}

type Words = [number, number, number, number];

/** One Philox 4x32 block: ten rounds over a 128-bit counter with a 64-bit key. */
export function philox(counter: readonly number[], key: readonly number[]): Words {
  const words = [...counter] as Words;
  scramble(words, key[0]!, key[1]!);
  return words;
}

/** The rounds, in place and without further arrays: every random number comes from here. */
function scramble(words: Words, k0: number, k1: number): void {
  let c0 = words[0];
  let c1 = words[1];
  let c2 = words[2];
  let c3 = words[3];
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low0 = Math.imul(M0, c0) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = Math.imul(M1, c2) >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/** FNV-1a over the UTF-16 units of a string. Names streams; not for content. */
function hash32(text: string, start = 0x811c9dc5): number {
  let h = start;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

/** A stream of random numbers. Never shared between purposes: derive one per purpose with {@link Random.stream}. */
export class Random {
  readonly #key: [number, number];
  readonly #id: [number, number];
  #counter = 0;
  readonly #block: Words = [0, 0, 0, 0];
  /** Words of the block that are still to be given, from the last to the first. */
  #left = 0;

  private constructor(key: [number, number], id: [number, number]) {
    this.#key = key;
    this.#id = id;
  }

  /** The root stream of a seed: a whole number from 0 to 2^53 - 1. */
  static seeded(seed: number): Random {
    return new Random([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], [0, 0]);
  }

  /** An independent stream for a purpose, e.g. `rng.stream("fold", 3, "epoch", 12)`. It does not advance this one. */
  stream(...names: (string | number)[]): Random {
    const text = names.map((n) => `${typeof n}:${n}`).join("/");
    const [a, b] = philox(
      [hash32(text), hash32(text, 0x12345678), text.length, 1],
      [this.#key[0] ^ this.#id[0], this.#key[1] ^ this.#id[1]],
    );
    return new Random(this.#key, [a, b]);
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const block = this.#block;
    if (this.#left === 0) {
      const n = this.#counter++;
      block[0] = n >>> 0;
      block[1] = Math.floor(n / 2 ** 32);
      block[2] = this.#id[0];
      block[3] = this.#id[1];
      scramble(block, this.#key[0], this.#key[1]);
      this.#left = 4;
    }
    return block[--this.#left] as number;
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + ((high - low) * (this.uint32() + 0.5)) / 2 ** 32;
  }

  /** A whole number in [0, n). */
  integer(n: number): number {
    return Math.floor(this.uniform(0, n));
  }

  /** Gaussian, by Box and Muller. */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Gamma with unit scale (Marsaglia and Tsang 2000). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * this.uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  beta(a: number, b: number): number {
    const [x, y] = [this.gamma(a), this.gamma(b)];
    // Of tiny parameters both may underflow: then all the mass lies at the two ends, a / (a + b) of it at 1.
    if (x + y === 0) return this.uniform(0, a + b) < a ? 1 : 0;
    return x / (x + y);
  }

  /** One element, all equally likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }

  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = items.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}
