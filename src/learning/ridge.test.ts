import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../runs/index.ts";
import { ridgeSlopes } from "./ridge.ts";

test("slopes leave of the normal equations what rounding leaves, for few and for many rows, and for rows that nearly repeat each other", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        count: fc.integer({ min: 1, max: 40 }),
        width: fc.integer({ min: 1, max: 40 }),
        columns: fc.integer({ min: 1, max: 4 }),
        ridge: fc.constantFrom(0.001, 0.3, 10),
        alike: fc.constantFrom(0, 0.9, 1),
        seed: fc.nat(1000),
      }),
      async ({ count, width, columns, ridge, alike, seed }) => {
        const random = Random.seeded(seed).stream("rows");
        const shared = Array.from({ length: width }, () => random.normal());
        const rows = Float32Array.from({ length: count * width }, (_, i) => {
          return (alike * shared[i % width]! + (1 - alike) * random.normal()) / Math.sqrt(width);
        });
        const values = Float32Array.from({ length: count * columns }, () => random.normal());
        const cell = (n: number, d: number) => rows[n * width + d]!;
        const products = Float32Array.from({ length: width * columns }, (_, at) => {
          const [d, c] = [Math.floor(at / columns), at % columns];
          let sum = 0;
          for (let n = 0; n < count; n++) sum += cell(n, d) * values[n * columns + c]!;
          return sum;
        });
        const slopes = await ridgeSlopes({ rows, products }, { count, ridge }, { threads: 1 });
        for (let c = 0; c < columns; c++) {
          const slope = (d: number) => slopes[d * columns + c]!;
          const said = Array.from({ length: count }, (_, n) => {
            return Array.from({ length: width }, (_, d) => cell(n, d) * slope(d)).reduce((a, b) => a + b, 0);
          });
          const [asked, left] = [0, 0].map(() => new Float64Array(width)) as [Float64Array, Float64Array];
          for (let d = 0; d < width; d++) {
            asked[d] = products[d * columns + c]!;
            left[d] = asked[d]! - ridge * slope(d);
            for (let n = 0; n < count; n++) left[d]! -= cell(n, d) * said[n]!;
          }
          // What a solution in float32 may leave: in proportion to the matrix, its solution and what was asked.
          const norm = rows.reduce((sum, value) => sum + value ** 2, ridge);
          const size = Math.hypot(...Array.from({ length: width }, (_, d) => slope(d)));
          expect(Math.hypot(...left)).toBeLessThan(3e-6 * (norm * size + Math.hypot(...asked)) + 1e-9);
        }
      },
    ),
    { numRuns: 100 },
  );
});
