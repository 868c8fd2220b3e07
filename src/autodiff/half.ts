/** IEEE 754 binary16, in which a model's weights take half the room. Written out, since Node 22 has no Float16Array. */

const scratch = new DataView(new ArrayBuffer(4));

/** The nearest half-precision number, ties to even, as its 16 bits. */
export function halfBits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From halfway to the next power of two on: infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 a half counts in steps of 2^-24.
    const steps = Math.abs(value) * 2 ** 24;
    const whole = Math.floor(steps);
    const rest = steps - whole;
    return sign | (whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0));
  }
  // 13 bits go; a carry out of the fraction raises the exponent, which is right.
  const kept = (magnitude - 0x38000000) >>> 13;
  const rest = magnitude & 0x1fff;
  return sign | (kept + (rest > 0x1000 || (rest === 0x1000 && kept % 2 === 1) ? 1 : 0));
}

/** Whether all values can be halves: none is beyond the largest one. */
export function fitHalf(values: Float32Array): boolean {
  return values.every((value) => Math.abs(value) < 65504);
}

export function toHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, halfBits);
}

/** The numbers that half-precision ones stand for. */
export function fromHalf(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
  });
}
