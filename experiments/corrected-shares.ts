/**
 * How often the intervals of corrected shares hold the truth: 600 simulated samples a row, each of 200 heads called by a
 * classifier with known error rates, each with a confusion matrix drawn anew from 54 images a class.
 *
 *     node scripts/with-node.mjs experiments/corrected-shares.ts      about a minute on one core
 */
import { type Confusion, correctedShares } from "../src/fields/index.ts";
import { Random } from "../src/runs/index.ts";

const CLASSES = ["Normal", "Tapered", "Pyriform", "Amorphous"];
/** About those of the recipe's cross-validation on HuSHeM. */
const RATES: Confusion = [
  [0.96, 0.02, 0.01, 0.01],
  [0.02, 0.93, 0.04, 0.01],
  [0.02, 0.05, 0.92, 0.01],
  [0.05, 0.04, 0.05, 0.86],
];
const TRUTHS = [
  [0, 0.3, 0.2, 0.5],
  [0.01, 0.29, 0.2, 0.5],
  [0.02, 0.28, 0.2, 0.5],
  [0.04, 0.26, 0.2, 0.5],
  [0.08, 0.22, 0.2, 0.5],
  [0.25, 0.25, 0.25, 0.25],
  [0, 0, 0, 1],
];
const SAMPLES = 600;
const HEADS = 200;
const IMAGES = 54;
const DRAWS = 200;

function multinomial(n: number, shares: readonly number[], random: Random): number[] {
  const counts = shares.map(() => 0);
  for (let k = 0; k < n; k++) {
    let left = random.uniform();
    let c = 0;
    while (c < shares.length - 1 && (left -= shares[c]!) > 0) c++;
    counts[c]!++;
  }
  return counts;
}

console.log(`true shares of ${CLASSES.join(", ")}: share of samples whose interval holds each; mean width for Normal`);
for (const truth of TRUTHS) {
  const held = CLASSES.map(() => 0);
  let width = 0;
  for (let s = 0; s < SAMPLES; s++) {
    const random = Random.seeded(91).stream("sample", truth[0]!, s);
    const called = CLASSES.map((_, j) => truth.reduce((sum, p, i) => sum + p * RATES[i]![j]!, 0));
    const counts = multinomial(HEADS, called, random.stream("heads"));
    const confusion = RATES.map((row, i) => multinomial(IMAGES, row, random.stream("images", i)));
    const { shares } = correctedShares(CLASSES, counts, confusion, random.stream("draws"), DRAWS)!;
    for (const [c, { interval }] of shares.entries()) {
      if (interval.low <= truth[c]! && truth[c]! <= interval.high) held[c]!++;
    }
    width += shares[0]!.interval.high - shares[0]!.interval.low;
  }
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  console.log(truth.join(" "), "|", held.map((k) => percent(k / SAMPLES)).join(" "), "|", percent(width / SAMPLES));
}
