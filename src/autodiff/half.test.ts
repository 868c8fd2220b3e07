/** Against the runtime's own rounding, over all kinds of numbers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fitHalf, fromHalf, halfBits, toHalf } from "./half.ts";

// Newer than the oldest Node that the package runs on, and than the language of its sources.
const Half = (globalThis as unknown as { Float16Array: new (values: number[]) => { buffer: ArrayBuffer } })
  .Float16Array;
const expected = (value: number) => new Uint16Array(new Half([value]).buffer)[0]!;

test("every half is itself, and halfway between two of them the even one is taken", () => {
  for (let bits = 0; bits < 0x7c00; bits++) {
    const value = new Float32Array(
      new (Half as never as { new (b: ArrayBuffer): ArrayLike<number> })(Uint16Array.of(bits).buffer),
    );
    expect(halfBits(value[0]!)).toBe(bits);
    const next = new Float32Array(
      new (Half as never as { new (b: ArrayBuffer): ArrayLike<number> })(Uint16Array.of(bits + 1).buffer),
    );
    if (bits + 1 < 0x7c00) expect(halfBits((value[0]! + next[0]!) / 2)).toBe(bits % 2 ? bits + 1 : bits);
  }
});

test("single-precision numbers round as the runtime rounds them", () => {
  const singles = fc.oneof(
    fc.float({ noNaN: true }),
    fc.float({ min: -70000, max: 70000, noNaN: true }),
    fc.float({ min: -Math.fround(1e-4), max: Math.fround(1e-4), noNaN: true }),
  );
  fc.assert(
    fc.property(singles, (value) => halfBits(value) === expected(value)),
    { numRuns: 20000 },
  );
  for (const value of [0, -0, Infinity, -Infinity, 65504, 65519.99, 65520, 2 ** -24, 2 ** -25, 6.1e-5]) {
    expect(halfBits(Math.fround(value))).toBe(expected(Math.fround(value)));
  }
  expect(halfBits(NaN)).toBe(0x7e00);
});

test("what does not fit is known", () => {
  expect(fitHalf(Float32Array.of(1, -65503))).toBe(true);
  expect(fitHalf(Float32Array.of(1, 70000))).toBe(false);
  expect([...toHalf(Float32Array.of(1, -2))]).toEqual([0x3c00, 0xc000]);
});

test("every half reads as the number the runtime reads", () => {
  const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
  const expected = new (Half as never as { new (b: ArrayBufferLike): ArrayLike<number> })(all.buffer);
  expect([...fromHalf(all)]).toEqual(Array.from(expected));
});
