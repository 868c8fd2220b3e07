/** Bootstrap intervals of a mean difference (Efron 1979): 95 %, by percentiles. */
import { Random } from "../runs/index.ts";
import type { Interval } from "./metrics.ts";

const DRAWS = 4000;

/** @param gains by seed and image */
export function bootstrap(gains: readonly (readonly number[])[], draws = DRAWS): Interval {
  const random = Random.seeded(1).stream("bootstrap");
  const count = gains[0]!.length;
  return percentiles(
    Array.from({ length: draws }, () => {
      const drawn = gains.map(() => gains[random.integer(gains.length)]!);
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const image = random.integer(count);
        for (const gain of drawn) sum += gain[image]!;
      }
      return sum / (count * gains.length);
    }),
  );
}

/** Where gains come in groups that are alike inside: whole groups are drawn. @param groups gains of each group */
export function bootstrapGroups(groups: readonly (readonly number[])[], draws = DRAWS): Interval {
  const random = Random.seeded(1).stream("bootstrap", "groups");
  const sums = groups.map((gains) => ({ sum: gains.reduce((total, gain) => total + gain, 0), count: gains.length }));
  return percentiles(
    Array.from({ length: draws }, () => {
      let [sum, count] = [0, 0];
      for (let i = 0; i < sums.length; i++) {
        const drawn = sums[random.integer(sums.length)]!;
        sum += drawn.sum;
        count += drawn.count;
      }
      return sum / count;
    }),
  );
}

function percentiles(means: number[]): Interval {
  means.sort((a, b) => a - b);
  return { low: means[Math.floor(0.025 * means.length)]!, high: means[Math.ceil(0.975 * means.length) - 1]! };
}
